"""A TCP connection as a link: bytes in and out of one asyncio protocol."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, cast

from chatcore.errors import CloseCode
from transports.base import ANY_FRAME_BYTES, FrameHandler, authority
from transports.errors import LinkClosed, PeerFinished, frame_too_large
from transports.fair_scheduler import LARGE_BYTES, FairScheduler
from transports.framing import FrameTooLarge, Framing
from transports.held_bytes import HeldBytes
from transports.send_progress import SendProgress, untaken_bytes
from transports.tcp.greeting import refuse
from transports.tls_stream import TlsStream
from transports.waiters import wake

READ_BYTES: Final = 16 * 1024
"""How much is read at a time, and ahead of what is received: what can be cut into
frames without holding up all others (B2), and be held for a peer (B1)."""


_THROWN_AWAY_BYTES: Final = 64 * 1024


class TcpLink(asyncio.BufferedProtocol):
    """See ``transports.base.Link``; before ``frame_with`` it gives single lines.

    It reads into a buffer of its own choice, since asyncio would read 256 KiB at once.
    Links of one event loop may share one (``buffer``, of ``READ_BYTES``), where that
    loop reads and tells of it without a step between: asyncio's selector loop, uvloop.
    """

    __slots__ = (
        "_active_s",
        "_ahead_bytes",
        "_buffer",
        "_close_s",
        "_early",
        "_end",
        "_finished",
        "_frames",
        "_framing",
        "_gone",
        "_handler",
        "_has_finished",
        "_held",
        "_intake",
        "_is_closed",
        "_is_gone",
        "_is_held",
        "_is_paused",
        "_is_reading",
        "_is_tls",
        "_loop",
        "_readable",
        "_taking",
        "_thrown_away_bytes",
        "_transport",
        "_waits_its_turn",
        "address",
        "opened_s",
        "peer",
    )

    def __init__(
        self,
        *,
        close_s: float,
        buffer: bytearray | None = None,
        intake: FairScheduler | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._close_s = close_s
        self._transport: asyncio.Transport | None = None
        self._framing: Framing | None = None
        self._buffer = buffer if buffer is not None else bytearray()
        self._intake = intake
        self._waits_its_turn = False
        self._thrown_away_bytes = 0
        self._early = b""
        self._frames: list[bytes] = []
        self._ahead_bytes = 0
        self._held = HeldBytes()
        self._is_held = False
        self._is_tls = False
        self._is_reading = True
        self._end: LinkClosed | None = None
        self._handler: FrameHandler | None = None
        self._readable: asyncio.Future[None] | None = None
        self._has_finished = False
        self._is_gone = False
        self._finished: asyncio.Future[None] | None = None
        self._gone: asyncio.Future[None] | None = None
        self._is_closed = False
        self._is_paused = False
        self._active_s = self._loop.time()
        self._taking = SendProgress(self._loop)
        self.peer = "?"
        self.address = ""
        self.opened_s = self._active_s

    # ---- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket that was connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._is_tls = isinstance(transport, TlsStream)
        host, port, *_ = transport.get_extra_info("peername") or ("?", 0)
        self.come_from(str(host), port)

    def come_from(self, host: str, port: int) -> None:
        """Have this peer: the socket's, or whom that one speaks for."""
        self.peer = authority(host, port)
        self.address = host if port else ""

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002  # what a read may take is ours to say
        """See ``asyncio.BufferedProtocol``."""
        if not self._buffer:
            self._buffer = bytearray(READ_BYTES)
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Cut into frames what arrived, and hand them over."""
        self._active_s = self._loop.time()
        if self._end is not None:
            self._throw_away(nbytes)
            return
        received = bytes(memoryview(self._buffer)[:nbytes])
        framing = self._framing
        if framing is None:
            self._early += received
            self._ahead_bytes += nbytes
            self._read_or_pause()
            self._held.note(self._held_bytes)
            wake(self._readable)
            return
        self._cut(framing, received)
        if framing.held_bytes > LARGE_BYTES and self._intake is not None:
            self._waits_its_turn = not self._intake.admits(self._go_on)
            self._read_or_pause()
        handler = self._handler
        if handler is None:
            self._ahead_bytes += nbytes
            self._read_or_pause()
        else:
            self._hand_over(handler)
        if framing.held_bytes or self._held.told_bytes or self._is_tls:
            self._held.note(self._held_bytes)

    def _hand_over(self, handler: FrameHandler) -> None:
        """Give the handler what is cut, and why there is no more."""
        if self._frames:
            frames, self._frames = self._frames, []
            handler.frames_received(frames)
        if self._end is not None:
            handler.reading_ended(self._end)

    def _go_on(self) -> None:
        self._waits_its_turn = False
        self._read_or_pause()

    def _throw_away(self, nbytes: int) -> None:
        """Read what comes after the end, but not all that a flood may bring."""
        self._thrown_away_bytes += nbytes
        if self._thrown_away_bytes >= _THROWN_AWAY_BYTES:
            self._is_held = True
            self._read_or_pause()

    def _cut(self, framing: Framing, received: bytes) -> None:
        try:
            self._frames.extend(framing.feed(received))
        except FrameTooLarge as too_large:
            self._frames.extend(too_large.before)
            self._end = frame_too_large(too_large.limit)

    def eof_received(self) -> bool:
        """The peer writes no more; keep the socket, to write what it is owed."""
        self._stop_reading(PeerFinished())
        self._has_finished = True
        wake(self._finished)
        return True

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002  # LinkClosed tells as much as anyone does with it
        """The socket is gone, and with it what would have become a frame: this link may
        be kept for longer, until cycles are collected.
        """
        self._framing = None
        self._end = None
        self._stop_reading(LinkClosed())
        self._has_finished = self._is_gone = True
        wake(self._finished)
        wake(self._gone)

    def _stop_reading(self, end: LinkClosed) -> None:
        if self._end is None:
            self._end = end
        wake(self._readable)
        if self._handler is not None:
            self._hand_over(self._handler)

    def pause_writing(self) -> None:
        """The peer does not read as fast as we write."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """A clogged peer took some: that is a sign of life."""
        self._is_paused = False
        self._active_s = self._loop.time()
        self._held.note(self._held_bytes)
        if self._handler is not None:
            self._handler.resume_writing()

    # ---- the greeting

    def frame_with(self, framing: Framing) -> None:
        """Cut all that comes after the greeting with this framing."""
        self._framing = framing
        early, self._early = self._early, b""
        # Also when the peer has finished by now: netcat may say all it has at once.
        self._cut(framing, early)

    async def read_line(self, limit: int) -> bytes:
        """The first line, without its end.

        Raises:
            LinkClosed: the link ended before the line did, or the line is too long.
        """
        while b"\n" not in self._early and len(self._early) <= limit:
            if self._end is not None:
                raise self._end
            await self._wait_readable()
        line, _, self._early = self._early.partition(b"\n")
        if len(line) > limit:
            raise LinkClosed(CloseCode.BROKEN_FRAME, "The first line is too long.")
        return line

    def write_line(self, line: bytes) -> None:
        """Write a line of the greeting."""
        if self._transport is not None and not self._is_over(self._transport):
            self._transport.write(line)

    # ---- transports.base.Link

    def start(self, handler: FrameHandler) -> None:
        """See ``transports.base.Link``."""
        self._handler = handler
        # Not at once: it may not be ready to be called.
        self._loop.call_soon(self._start)

    def _start(self) -> None:
        if self._handler is not None:
            self._hand_over(self._handler)
        self._note_received()

    def _note_received(self) -> None:
        """What was read is somebody else's to hold now: go on reading."""
        self._ahead_bytes = 0
        self._read_or_pause()
        self._held.note(self._held_bytes)

    async def _wait_readable(self) -> None:
        self._note_received()
        self._readable = self._loop.create_future()
        try:
            await self._readable
        finally:
            self._readable = None

    @property
    def is_clogged(self) -> bool:
        """See ``transports.base.Link``."""
        return self._is_paused and not self._is_closed

    def write(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.Link``."""
        transport, framing = self._transport, self._framing
        if transport is None or framing is None or self._is_over(transport):
            return
        stream = framing.join(frames)
        self._taking.wrote(len(stream))
        transport.write(stream)
        if self._is_paused:
            self._held.note(self._held_bytes)

    async def close(self, code: CloseCode, text: str) -> None:
        """See ``transports.base.Link``: the last frame has told why, or before the
        handshake was done a line does.

        Closing a socket with unread bytes resets it, and a reset can overtake what was
        written last (RFC 1122, 4.2.2.13): so say that we are done, and read on until
        the peer is too, or has had the time to see it. One that was done before us
        still gets what is buffered.
        """
        transport = self._transport
        if self._framing is None:
            self.write_line(refuse(LinkClosed(code, text)))
        self._end = self._end or LinkClosed()
        self._is_closed = True
        if transport is not None and not transport.is_closing():
            if transport.can_write_eof():
                with suppress(OSError):  # the peer has reset it: we shall hear soon
                    transport.write_eof()
            self._ahead_bytes = 0
            self._is_held = self._thrown_away_bytes >= _THROWN_AWAY_BYTES
            self._read_or_pause()
            if not self._has_finished:
                self._finished = self._finished or self._loop.create_future()
                await asyncio.wait([self._finished], timeout=self._close_s)
            transport.close()
            if not self._is_gone:
                self._gone = self._gone or self._loop.create_future()
                await asyncio.wait([self._gone], timeout=self._close_s)
        self.abort()

    def finish(self) -> None:
        """Close once what was written is out, without waiting for anything."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """See ``transports.base.Link``."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def active_s(self) -> float:
        """See ``transports.base.Link``."""
        self._look()
        return max(self._active_s, self._taking.progress_s)

    @property
    def taken_s(self) -> float:
        """See ``transports.base.Link``."""
        self._look()
        return self._taking.taken_s

    def _look(self) -> None:
        if self._transport is not None:
            self._taking.look(untaken_bytes(self._transport))

    @property
    def most_frame_bytes(self) -> int:
        """See ``transports.base.Link``."""
        return ANY_FRAME_BYTES

    def allow(self, frame_bytes: int) -> None:
        """See ``transports.base.Link``."""
        if self._framing is not None:
            self._framing.allow(frame_bytes)

    def hold_reading(self, *, on: bool) -> None:
        """See ``transports.base.Link``."""
        self._is_held = on
        self._read_or_pause()

    def report_held(self, report: Callable[[int], None]) -> None:
        """See ``transports.base.Link``."""
        self._held.tell(report)

    @property
    def _held_bytes(self) -> int:
        held_bytes = self._ahead_bytes
        if self._framing is not None:
            held_bytes += self._framing.held_bytes
        if self._is_paused and self._transport is not None:
            held_bytes += self._transport.get_write_buffer_size()
        if isinstance(self._transport, TlsStream):
            held_bytes += self._transport.unread_bytes
        return held_bytes

    def _read_or_pause(self) -> None:
        """Read while somebody receives, and nothing forbids it."""
        transport = self._transport
        may_read = not (self._is_held or self._waits_its_turn)
        reads = may_read and self._ahead_bytes < READ_BYTES
        if reads == self._is_reading or transport is None or transport.is_closing():
            return
        self._is_reading = reads
        if reads:
            transport.resume_reading()
        else:
            transport.pause_reading()

    def _is_over(self, transport: asyncio.Transport) -> bool:
        return self._is_closed or transport.is_closing()
