"""TLS on a stream, at either end, with a bound on all that it holds (B1, B3).

asyncio's own keeps 256 KiB for each connection, reads up to as much again while the
protocol above has paused it, tells of a connection only after its handshake, and has
no half close. This one is a protocol to the socket's transport, and a transport to the
protocol above, which is told of a connection once the handshake is done.
"""

import asyncio
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final, cast

from transports.tls_handshakes import Turns

READ_BYTES: Final = 16 * 1024
_HANDSHAKE_BYTES: Final = 32 * 1024
"""The most that a peer may write before its handshake is done: chains of certificates
have a few KiB."""
_UNSENT_BYTES: Final = 64 * 1024


class TlsStream(asyncio.Transport, asyncio.BufferedProtocol):
    """One connection.

    An end of the socket's stream without TLS's own end is a lost connection, which
    somebody on the way can bring about (RFC 8446, 6.1).

    Args:
        context: with its certificate or its authorities.
        protocol: what is above.
        server_hostname: whom a client expects; None on a server.
        handshake_s: how long a handshake may take.
        buffer: to read into, which streams of one event loop may share.
        turns: lets so many handshakes go on in one turn of the event loop.

    Attributes:
        opened: done with the handshake, or has why it failed.
        waits_its_turn: whether a handshake would go on if there were not others.
        failure: what ended it, where that was a fault of TLS.
    """

    def __init__(  # as its Args
        self,
        context: ssl.SSLContext,
        protocol: asyncio.BaseProtocol,
        *,
        handshake_s: float,
        server_hostname: str | None = None,
        buffer: bytearray | None = None,
        turns: Turns | None = None,
    ) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._context = context
        self._server_hostname = server_hostname
        self._tls: ssl.SSLObject | None = None
        self._protocol = protocol
        self._handshake_s = handshake_s
        self._buffer = buffer if buffer is not None else bytearray(READ_BYTES)
        self._turns = turns
        self._socket: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._handshake_bytes = 0
        self._is_open = False
        self._is_closing = False
        self._has_finished = False
        self._peer_has_finished = False
        self.waits_its_turn = False
        self._is_paused = False
        self._is_clogged = False
        self._is_reading = True
        self.opened: asyncio.Future[None] = self._loop.create_future()
        self.failure: ssl.SSLError | None = None

    # ---- asyncio.BufferedProtocol, to the socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._socket = cast("asyncio.Transport", transport)
        self._deadline = self._loop.call_later(self._handshake_s, self._give_up)
        if self._server_hostname is not None:
            self.begin_handshake()
            self._shake_hands()

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002  # what a read may take is ours to say
        """See ``asyncio.BufferedProtocol``."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Decrypt what arrived."""
        self._incoming.write(memoryview(self._buffer)[:nbytes])
        if self._is_open:
            self._decrypt()
            return
        if self._tls is None:
            self.begin_handshake()
        self._handshake_bytes += nbytes
        if self._handshake_bytes > _HANDSHAKE_BYTES:
            self.abort()
        elif self._turns is None or self._turns.admits(self._take_turn):
            self._shake_hands()
        else:
            self.waits_its_turn = True
            self._read_or_pause()

    def eof_received(self) -> bool:
        """The socket has no more; TLS's own end came before, or the link is lost."""
        return self._peer_has_finished

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._is_closing = True
        if self._deadline is not None:
            self._deadline.cancel()
        if self._is_open:
            self._protocol.connection_lost(self.failure or exc)
        elif not self.opened.done():
            gone = ConnectionResetError("The handshake was not finished.")
            self.opened.set_exception(self.failure or exc or gone)
            self.opened.exception()  # seen, where nobody waits for it
        # The protocol may be kept for longer, and this with it.
        self._tls = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()

    def pause_writing(self) -> None:
        """See ``asyncio.BaseProtocol``."""
        if self._is_open:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._is_clogged = False
        if self._is_open:
            self._protocol.resume_writing()
        self._read_or_pause()

    # ---- the handshake

    def begin_handshake(self) -> None:
        """Have OpenSSL keep what it needs, at a server once a peer says something."""
        self._tls = self._context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=self._server_hostname is None,
            server_hostname=self._server_hostname,
        )

    def _take_turn(self) -> None:
        self.waits_its_turn = False
        self._shake_hands()
        self._read_or_pause()

    def _shake_hands(self) -> None:
        if self._tls is None or self.is_closing():
            return
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return
        except ssl.SSLError as error:
            self._fail(error)
            return
        self._flush()
        if self._deadline is not None:
            self._deadline.cancel()
        self._is_open = True
        self._protocol.connection_made(self)
        if not self.opened.done():
            self.opened.set_result(None)
        self._decrypt()

    def _give_up(self) -> None:
        if not self.opened.done():
            self.opened.set_exception(TimeoutError())
            self.opened.exception()
        self.abort()

    def _fail(self, error: ssl.SSLError) -> None:
        """Tell the peer by TLS's alert, and end."""
        self.failure = error
        self._flush()
        self._is_closing = True
        if self._socket is not None:
            self._socket.close()

    # ---- reading

    def _decrypt(self) -> None:
        """Give the protocol what is there, until it pauses."""
        try:
            while not self._is_paused and not self.is_closing():
                if not self._decrypt_some():
                    break
        except ssl.SSLError as error:
            self._fail(error)
            return
        if self._outgoing.pending:  # TLS's own answers, as to an update of keys
            self._flush()
            self._is_clogged = self.get_write_buffer_size() > _UNSENT_BYTES
        self._read_or_pause()

    def _decrypt_some(self) -> bool:
        """Whether more may be there; records are joined, of which each may be small."""
        protocol, tls = self._protocol, self._tls
        assert tls is not None  # noqa: S101  # the stream is open
        room = (
            memoryview(protocol.get_buffer(-1))
            if isinstance(protocol, asyncio.BufferedProtocol)
            else memoryview(bytearray(READ_BYTES))
        )
        filled = 0
        has_more, has_ended = True, False
        try:
            while filled < len(room):
                count = cast(int, tls.read(len(room) - filled, room[filled:]))
                if not count:
                    has_ended = True
                    break
                filled += count
        except ssl.SSLWantReadError:
            has_more = False
        except ssl.SSLZeroReturnError:
            has_ended = True
        if filled and isinstance(protocol, asyncio.BufferedProtocol):
            protocol.buffer_updated(filled)
        elif filled and isinstance(protocol, asyncio.Protocol):
            protocol.data_received(bytes(room[:filled]))
        if has_ended:
            self._end_reading()
        return has_more and not has_ended

    def _end_reading(self) -> None:
        if self._peer_has_finished:
            return
        self._peer_has_finished = True
        protocol = self._protocol
        assert isinstance(protocol, asyncio.Protocol | asyncio.BufferedProtocol)  # noqa: S101  # those that streams have
        if not protocol.eof_received():
            self.close()

    def _read_or_pause(self) -> None:
        socket = self._socket
        forbidden = self._is_paused or self.waits_its_turn or self._is_clogged
        if socket is None or socket.is_closing() or self._is_reading is not forbidden:
            return
        self._is_reading = not forbidden
        if forbidden:
            socket.pause_reading()
        else:
            socket.resume_reading()

    def is_reading(self) -> bool:
        """See ``asyncio.ReadTransport``."""
        return not self._is_paused and not self.is_closing()

    def pause_reading(self) -> None:
        """See ``asyncio.ReadTransport``: the socket is not read either."""
        self._is_paused = True
        self._read_or_pause()

    def resume_reading(self) -> None:
        """See ``asyncio.ReadTransport``."""
        if self._is_paused:
            self._is_paused = False
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if not self._is_paused and not self.is_closing():
            self._decrypt()

    @property
    def unread_bytes(self) -> int:
        """What was read from the socket and is not decrypted."""
        return self._incoming.pending

    # ---- writing

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        """See ``asyncio.WriteTransport``."""
        tls = self._tls
        if self._has_finished or tls is None or self.is_closing():
            return
        left = memoryview(data)
        try:
            while left:
                left = left[tls.write(left) :]
        except ssl.SSLError as error:
            self._fail(error)
            return
        self._flush()

    def writelines(
        self, list_of_data: Iterable[bytes | bytearray | memoryview]
    ) -> None:
        """See ``asyncio.WriteTransport``."""
        self.write(b"".join(list_of_data))

    def _flush(self) -> None:
        if self._outgoing.pending and self._socket is not None:
            encrypted = self._outgoing.read()
            if not self._socket.is_closing():
                self._socket.write(encrypted)

    def can_write_eof(self) -> bool:
        """See ``asyncio.WriteTransport``: TLS says that nothing follows, and reads on
        (RFC 8446, 6.1).
        """
        return True

    def write_eof(self) -> None:
        """See ``asyncio.WriteTransport``."""
        if self._has_finished or self._tls is None or not self._is_open:
            return
        self._has_finished = True
        with suppress(ssl.SSLError):  # it wants to read the peer's end too: later
            self._tls.unwrap()
        self._flush()

    def get_write_buffer_size(self) -> int:
        """See ``asyncio.WriteTransport``."""
        return 0 if self._socket is None else self._socket.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """See ``asyncio.WriteTransport``."""
        return (
            (0, 0) if self._socket is None else self._socket.get_write_buffer_limits()
        )

    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None:
        """See ``asyncio.WriteTransport``."""
        if self._socket is not None:
            self._socket.set_write_buffer_limits(high, low)

    # ---- asyncio.BaseTransport

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401  # as asyncio's
        """See ``asyncio.BaseTransport``."""
        if name == "ssl_object":
            return self._tls or default
        if self._socket is None:
            return default
        return self._socket.get_extra_info(name, default)

    def is_closing(self) -> bool:
        """See ``asyncio.BaseTransport``."""
        return self._is_closing or self._socket is None or self._socket.is_closing()

    def close(self) -> None:
        """See ``asyncio.BaseTransport``: what was written goes out first."""
        if not self._is_closing:
            self.write_eof()
            self._is_closing = True
            if self._socket is not None:
                self._socket.close()

    def abort(self) -> None:
        """See ``asyncio.WriteTransport``."""
        self._is_closing = True
        if self._socket is not None:
            self._socket.abort()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """See ``asyncio.BaseTransport``."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """See ``asyncio.BaseTransport``."""
        return self._protocol
