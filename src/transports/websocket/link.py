"""A WebSocket connection as a link."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode as WebSocketCode

from chatcore.errors import CloseCode
from transports.base import LinkClosed
from transports.codec import Codec

_REASON_BYTES: Final = 123
"""What fits into a close frame beside its code (RFC 6455, 5.5)."""


class Lively(Protocol):
    """A connection that notes when its peer last showed life."""

    active_s: float


class WebSocketLink:
    """See ``transports.base.Link``."""

    def __init__(self, connection: Connection, codec: Codec, life: Lively) -> None:
        self._connection = connection
        self._is_text = codec.text
        self._life = life
        host, port, *_ = connection.remote_address or ("?", 0)
        self.peer = f"{host}:{port}"

    @property
    def active_s(self) -> float:
        """See ``transports.base.Link``."""
        return self._life.active_s

    async def receive(self) -> Sequence[bytes]:
        """See ``transports.base.Link``."""
        try:
            return [await self._connection.recv(decode=False)]
        except ConnectionClosed as closed:
            raise _link_closed(closed) from closed

    async def send(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.Link``."""
        try:
            for frame in frames:
                await self._connection.send(frame, text=self._is_text)
        except ConnectionClosed as closed:
            raise LinkClosed from closed

    async def close(self, code: CloseCode, text: str) -> None:
        """See ``transports.base.Link``: the close frame has the same code."""
        reason = text.encode()[:_REASON_BYTES].decode(errors="ignore")
        await self._connection.close(int(code), reason)

    def abort(self) -> None:
        """See ``transports.base.Link``."""
        self._connection.transport.abort()


def _link_closed(closed: ConnectionClosed) -> LinkClosed:
    """What a WebSocket's end means to a chat.

    The library itself refuses a message over the limit, as 1009, before it is read.
    """
    ends = [it for it in (closed.rcvd, closed.sent) if it is not None]
    for end in ends:
        if end.code == WebSocketCode.MESSAGE_TOO_BIG:
            return LinkClosed(CloseCode.FRAME_TOO_LARGE, "The frame is over the limit.")
    if closed.rcvd is not None and closed.rcvd.code in set(CloseCode):
        return LinkClosed(CloseCode(closed.rcvd.code), closed.rcvd.reason)
    return LinkClosed()


def loop_time() -> float:
    """Now, on the running loop's clock."""
    return asyncio.get_running_loop().time()
