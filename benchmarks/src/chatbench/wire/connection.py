"""A connection that moves frames by callbacks: what the three wires share.

There is no task, queue or pause between the socket and the callback, and what the
socket does not take at once asyncio buffers.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeAlias, cast

from transports.base import Address
from transports.certificates import client_context
from transports.errors import reason_of
from transports.tls import SYSTEM_TRUST

_OPEN_S: Final = 10.0

OnFrames: TypeAlias = Callable[[Sequence[bytes]], None]
"""Given all frames that one read of the socket completed, at least one."""

OnEnd: TypeAlias = Callable[[str], None]
"""Told once why the connection ended, in a sentence; not if ``abort`` ended it."""


class CannotOpen(Exception):
    """No session came to be; the text is a sentence that says why."""


class Wire(Protocol):
    """A connection after its handshake."""

    def write(self, frames: Sequence[bytes]) -> None:
        """Write frames, in one write to the socket."""
        ...

    def abort(self) -> None:
        """Drop the connection at once; nobody is told."""
        ...


class WireConnection(asyncio.Protocol):
    """The socket's side of a wire; a subclass speaks one transport over it.

    Attributes:
        opened: done once the handshake is.
        transport: set while there is a connection.
    """

    transport: asyncio.Transport

    def __init__(self, on_frames: OnFrames, on_end: OnEnd) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.on_frames = on_frames
        self._on_end = on_end
        self._is_over = False

    def greeting(self) -> bytes:
        """What this side writes first."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self.transport = cast("asyncio.Transport", transport)
        # asyncio and uvloop do so themselves; here it is said, since it is a condition
        # of the comparison.
        connected: socket.socket = transport.get_extra_info("socket")
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.transport.write(self.greeting())

    def connection_lost(self, error: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        reason = f" ({error})" if error is not None else ""
        self.end(f"The link was lost{reason}.")

    def welcome(self) -> None:
        """The handshake is done."""
        if not self.opened.done():
            self.opened.set_result(None)

    def end(self, sentence: str) -> None:
        """Drop the connection, and tell why; a second time does nothing."""
        if self._is_over:
            return
        self._is_over = True
        self.transport.abort()
        if self.opened.done():
            self._on_end(sentence)
        else:
            self.opened.set_exception(CannotOpen(sentence))

    def abort(self) -> None:
        """See ``Wire``."""
        self._is_over = True
        self.transport.abort()


async def shake_hands(address: Address, connection: WireConnection) -> None:
    """Connect, and return once the handshake is done.

    Raises:
        CannotOpen: nobody is there, or it is none of ours.
    """
    loop = asyncio.get_running_loop()
    is_open = False
    try:
        async with asyncio.timeout(_OPEN_S):
            await loop.create_connection(
                lambda: connection, address.host, address.port, ssl=_tls(address)
            )
            try:
                await connection.opened
                is_open = True
            finally:
                if not is_open:
                    connection.abort()
    except OSError as error:  # TimeoutError is one
        raise CannotOpen(
            f"{address.text} cannot be reached: {reason_of(error)}."
        ) from error


def _tls(address: Address) -> ssl.SSLContext | None:
    """What a URL that stands for TLS is connected to with."""
    if not address.is_secure:
        return None
    return client_context(SYSTEM_TRUST, ("http/1.1", "h2"))
