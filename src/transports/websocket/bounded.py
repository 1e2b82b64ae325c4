"""A connection of the library that holds, and does at a stretch, a bounded amount."""

import asyncio
import struct
from collections.abc import Callable, Sequence
from enum import Flag, auto
from time import perf_counter
from typing import Final, Protocol

from websockets.asyncio.connection import Connection
from websockets.frames import CloseCode as WebSocketCode
from websockets.frames import Frame, Opcode
from websockets.protocol import CLOSED, CLOSING, CONNECTING, OPEN, SERVER, Event

from transports.fair_scheduler import LARGE_BYTES, FairScheduler
from transports.held_bytes import HeldBytes
from transports.send_progress import SendProgress, untaken_bytes
from transports.tls_stream import TlsStream

_FED_BYTES: Final = 512
"""How much the library is given at a time: of its smallest messages so many that their
handling takes some milliseconds (B2). Where it has the beginning of a larger one, it is
given as much as it has."""
_READ_BYTES: Final = 16 * 1024
_TURN_S: Final = 0.001
_REQUEST_BYTES: Final = 16 * 1024
"""The most that a client may write before it is answered. The library would take 128
lines of 8 KiB, and keep them."""
_CONT: Final = Opcode.CONT
_TEXT: Final = Opcode.TEXT
_BINARY: Final = Opcode.BINARY
_ENDING: Final = (CLOSING, CLOSED)
_FIN: Final = 0x80
_LENGTH_IN_2_BYTES: Final = 126
_LENGTH_IN_8_BYTES: Final = 127


class PauseReason(Flag):
    """Why nothing is read; several reasons may hold at a time."""

    QUEUE = auto()
    """Nobody receives what was read."""
    UNSENT = auto()
    """The peer does not take what is written: pongs, which nobody waits for."""
    HELD = auto()
    """All connections together hold too much."""
    CROWD = auto()
    """Many connections read parts of large messages."""
    TURN = auto()
    """Others have a turn before the rest of what was read is looked at."""


class MessageHandler(Protocol):
    """Who is given what a connection reads."""

    def messages_received(self, messages: Sequence[bytes]) -> None:
        """Take whole messages, at least one."""
        ...

    def connection_ended(self) -> None:
        """Take note that no more will come; ``protocol`` knows why."""
        ...

    def resume_writing(self) -> None:
        """Take note that the peer takes what is written again."""
        ...


class BoundedConnection(Connection):
    """Reads in small pieces, and stops where its peer makes it hold much (B1, B2).

    It also notes when its peer last showed life (S5): each byte that is read shows it,
    pongs of the protocol among them. Stands before a side's own class.

    Messages go to a handler, and are written at once, without the library's coroutines
    and its queue: those would cost more than all the rest.
    """

    intake: FairScheduler | None = None
    unsent_bytes = 64 * 1024
    opened_s = 0.0
    _taking: SendProgress
    _pauses = PauseReason(0)
    _is_reading = True
    _heard_s = 0.0
    _asked_bytes = 0
    _unfed = b""
    _held: HeldBytes
    _handler: MessageHandler | None = None
    _messages: list[bytes]
    _parts: list[bytes]
    _is_text = False
    _pinging: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.BaseProtocol``."""
        super().connection_made(transport)
        self.opened_s = self._heard_s = self.loop.time()
        if hasattr(transport, "max_size"):
            # asyncio's own way to say how much it reads at once; uvloop has none, and
            # reads up to 256 KiB.
            transport.max_size = _READ_BYTES
        self._taking = SendProgress(self.loop)
        self._held = HeldBytes()
        self._messages, self._parts = [], []

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.BaseProtocol``."""
        super().connection_lost(exc)
        if self._pinging is not None:
            self._pinging.cancel()
        if self._handler is not None:
            self._hand_over()
            self._handler.connection_ended()

    def start_keepalive(self) -> None:
        """See ``websockets.asyncio.connection.Connection``: by a timer, since the task
        that the library has for it holds more than 1 KiB. Any byte is life to us, so
        nobody waits for the pong.
        """
        if self.ping_interval is not None:
            self._pinging = self.loop.call_later(self.ping_interval, self._ping)

    def _ping(self) -> None:
        if self.protocol.state is OPEN and not self.transport.is_closing():
            self.protocol.send_ping(b"")
            self.send_data()
            self.start_keepalive()

    def start(self, handler: MessageHandler) -> None:
        """Give all that is read to this one from now on."""
        self._handler = handler
        self.loop.call_soon(self._start)

    def _start(self) -> None:
        self._hand_over()
        if self.protocol.state is CLOSED and self._handler is not None:
            self._handler.connection_ended()
        self.resume(PauseReason.QUEUE)

    def _hand_over(self) -> None:
        if not self._messages:
            return
        if self._handler is None:
            self.pause(PauseReason.QUEUE)
            return
        messages, self._messages = self._messages, []
        self._handler.messages_received(messages)

    # ---- reading

    def process_event(self, event: Event) -> None:
        """See ``websockets.asyncio.connection.Connection``; of data makes messages."""
        if not isinstance(event, Frame):
            super().process_event(event)
            return
        opcode = event.opcode
        if opcode is _BINARY or opcode is _TEXT:
            self._is_text = opcode is _TEXT
            if event.fin:
                self._take(bytes(event.data))
                return
        elif opcode is not _CONT:
            super().process_event(event)
            return
        self._parts.append(bytes(event.data))
        if event.fin:
            parts, self._parts = self._parts, []
            self._take(b"".join(parts))

    def _take(self, message: bytes) -> None:
        """Take a whole message; text that is not UTF-8 ends the connection."""
        if self._is_text and not message.isascii():
            try:
                message.decode()
            except UnicodeDecodeError as error:
                # As the library does it when it decodes (RFC 6455, 8.1).
                reason = f"{error.reason} at position {error.start}"
                self.protocol.fail(WebSocketCode.INVALID_DATA, reason)
                self.send_data()
                return
        self._messages.append(message)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        self._heard_s = self.loop.time()
        protocol = self.protocol
        if protocol.state is CONNECTING:
            self._asked_bytes += len(data)
            if self._asked_bytes > _REQUEST_BYTES:
                self.transport.abort()
                return
        if self._unfed:
            self._unfed += data
        else:
            self._feed(data)
        if (
            self.intake is not None
            and len(protocol.reader.buffer) > LARGE_BYTES
            and not self.intake.admits(lambda: self.resume(PauseReason.CROWD))
        ):
            self.pause(PauseReason.CROWD)
        self.note_held()

    def _feed(self, data: bytes) -> None:
        """Give the library a piece after the other, until others have their turn."""
        if self.protocol.state in _ENDING:
            super().data_received(data)  # which throws it away
            return
        if len(data) <= _FED_BYTES:
            self._feed_piece(data)
        else:
            self._feed_pieces(data)
        self._hand_over()
        if self._unfed and not self._pauses:
            self._give_way()

    def _feed_pieces(self, data: bytes) -> None:
        """Feed as much as the time allows; what is left is unfed."""
        reader = self.protocol.reader
        ends_s = perf_counter() + _TURN_S
        start = 0
        while start < len(data):
            piece_bytes = max(_FED_BYTES, len(reader.buffer))
            self._feed_piece(data[start : start + piece_bytes])
            start += piece_bytes
            if self.transport.is_closing():
                return  # whatever else it said
            if self._pauses or perf_counter() >= ends_s:
                break
        self._unfed = data[start:]

    def _feed_piece(self, piece: bytes) -> None:
        """Do what the library does with what arrives; most often there is nothing to
        answer, and the connection stays open.
        """
        protocol = self.protocol
        if protocol.state is not OPEN:
            super().data_received(piece)
        else:
            protocol.receive_data(piece)
            if protocol.writes or protocol.state is not OPEN:
                super().data_received(b"")  # which sees to all that follows
            else:
                for event in protocol.events_received():
                    self.process_event(event)
        if self.transport.get_write_buffer_size() > self.unsent_bytes:
            self.pause(PauseReason.UNSENT)

    def _give_way(self) -> None:
        """Go on with what is left after all others."""
        self.pause(PauseReason.TURN)
        self.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._pauses &= ~PauseReason.TURN
        if self._pauses or self.transport.is_closing():
            return
        unfed, self._unfed = self._unfed, b""
        self._feed(unfed)
        if not self._pauses:
            self._read()

    def pause(self, why: PauseReason) -> None:
        """Read no more, for this reason too."""
        self._pauses |= why
        if self._is_reading and not self.transport.is_closing():
            self._is_reading = False
            self.transport.pause_reading()

    def resume(self, why: PauseReason) -> None:
        """Read on, unless another reason holds."""
        if why not in self._pauses:
            return
        self._pauses &= ~why
        if self._pauses:
            return
        if self._unfed:
            # Not at once: whoever receives would have no end of it.
            self._give_way()
        else:
            self._read()

    def _read(self) -> None:
        if not self._is_reading and not self.transport.is_closing():
            self._is_reading = True
            self.transport.resume_reading()

    def eof_received(self) -> None:
        """See ``asyncio.Protocol``; what was read before comes first."""
        unfed, self._unfed = self._unfed, b""
        if unfed:
            super().data_received(unfed)
            self._hand_over()
        super().eof_received()

    # ---- writing

    def write(self, messages: Sequence[bytes], *, is_text: bool) -> None:
        """Write messages; on a connection that ends they are lost."""
        protocol = self.protocol
        if protocol.state is not OPEN or self.transport.is_closing():
            return
        if protocol.side is SERVER and not (protocol.extensions or protocol.debug):
            # Neither masked nor changed, a whole message is a head and itself. On the
            # library's way to that are an object, its checks, and a buffer.
            opcode = _TEXT if is_text else _BINARY
            parts: list[bytes] = []
            for message in messages:
                parts += (_head(opcode, len(message)), message)
            stream = b"".join(parts)
            self._taking.wrote(len(stream))
            self.transport.write(stream)
            return
        send = protocol.send_text if is_text else protocol.send_binary
        for message in messages:
            send(message)
        self.send_data()

    def send_data(self) -> None:
        """Write what the library has to say."""
        writes = self.protocol.writes
        if len(writes) > 1 and all(writes):  # an empty one says that no more come
            # A hundred pongs are one call of the system.
            writes[:] = [b"".join(writes)]
        self._taking.wrote(sum(map(len, writes)))
        super().send_data()

    def pause_writing(self) -> None:
        """See ``asyncio.BaseProtocol``: the peer does not read as fast as we write."""
        super().pause_writing()
        self.note_held()

    def resume_writing(self) -> None:
        """See ``asyncio.BaseProtocol``: a clogged link took more."""
        self._heard_s = self.loop.time()
        super().resume_writing()
        self.note_held()
        self.resume(PauseReason.UNSENT)
        if self._handler is not None:
            self._handler.resume_writing()

    # ---- what the link asks

    @property
    def active_s(self) -> float:
        """See ``transports.base.Link``."""
        self._taking.look(untaken_bytes(self.transport))
        return max(self._heard_s, self._taking.progress_s)

    @property
    def taken_s(self) -> float:
        """See ``transports.base.Link``."""
        self._taking.look(untaken_bytes(self.transport))
        return self._taking.taken_s

    def allow(self, frame_bytes: int) -> None:
        """See ``transports.base.Link``."""
        self.protocol.max_message_size = frame_bytes

    def hold_reading(self, *, on: bool) -> None:
        """See ``transports.base.Link``."""
        if on:
            self.pause(PauseReason.HELD)
        else:
            self.resume(PauseReason.HELD)

    def report_held(self, report: Callable[[int], None]) -> None:
        """See ``transports.base.Link``."""
        self._held.tell(report)

    def note_held(self) -> None:
        """Take note that what is held has changed."""
        read_bytes = len(self._unfed) + len(self.protocol.reader.buffer)
        if isinstance(self.transport, TlsStream):
            read_bytes += self.transport.unread_bytes
        self._held.note(
            # A buffer that grows is a quarter larger than what is in it, and copied.
            read_bytes
            + read_bytes // 2
            + (self.protocol.current_size or 0)
            + self.transport.get_write_buffer_size()
        )


def _head(opcode: Opcode, length: int) -> bytes:
    """What stands before a server's whole message (RFC 6455, 5.2)."""
    if length < _LENGTH_IN_2_BYTES:
        return bytes((_FIN | opcode, length))
    if length < 1 << 16:
        return struct.pack("!BBH", _FIN | opcode, _LENGTH_IN_2_BYTES, length)
    return struct.pack("!BBQ", _FIN | opcode, _LENGTH_IN_8_BYTES, length)
