"""A stream of frames each way as a link: the server's end and the client's."""

import asyncio
from collections.abc import Sequence
from typing import Final

from grpc import StatusCode
from grpc.aio import AioRpcError, BaseError, Channel, ServicerContext
from grpc.aio import StreamStreamCall as Call

from chatcore.errors import CloseCode
from transports.base import LinkClosed, PeerFinished
from transports.grpc.status import CLOSE_KEY, status_of_closing

_CLOGGED_S: Final = 0.05


class ServerLink:
    """See ``transports.base.Link``; ``wait_ended`` is for the call's handler.

    The session driver reads and writes in tasks of its own, which gRPC does not cancel
    with the call: they see that it has ended by ``EOF`` and failed writes.
    """

    def __init__(self, context: "ServicerContext[bytes, bytes]") -> None:
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._is_cut = False
        self.peer = context.peer()
        self.active_s = self._loop.time()

    async def wait_ended(self) -> None:
        """Return once the link was closed from this side."""
        try:
            await self._ended.wait()
        except asyncio.CancelledError:
            self._is_cut = True  # the peer has gone
            raise

    async def receive(self) -> Sequence[bytes]:
        """See ``transports.base.Link``."""
        if self._ended.is_set() or self._is_cut:
            raise LinkClosed
        try:
            frame = await self._context.read()
        except BaseError as error:
            raise LinkClosed from error
        if not isinstance(frame, bytes):
            raise LinkClosed if self._is_cut else PeerFinished
        self.active_s = self._loop.time()
        return [frame]

    async def send(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.Link``."""
        try:
            for frame in frames:
                if self._ended.is_set() or self._is_cut:
                    raise LinkClosed
                began_s = self._loop.time()
                await self._context.write(frame)
                now_s = self._loop.time()
                if now_s - began_s > _CLOGGED_S:
                    self.active_s = now_s  # it waited, and then the peer took some
        except BaseError as error:
            raise LinkClosed from error

    async def close(self, code: CloseCode, text: str) -> None:
        """See ``transports.base.Link``: the call ends with a status for the code.

        One whose peer had finished ends well: it got all that it is owed.
        """
        has_told = code is not CloseCode.LINK_LOST
        if has_told and not self._ended.is_set() and not self._is_cut:
            self._context.set_trailing_metadata(((CLOSE_KEY, str(int(code))),))
            self._context.set_code(status_of_closing(code))
            self._context.set_details(text)
        self._ended.set()

    def abort(self) -> None:
        """See ``transports.base.Link``."""
        self._ended.set()


class ClientLink:
    """See ``transports.base.Link``; owns its channel."""

    def __init__(
        self, channel: Channel, call: "Call[bytes, bytes]", first: bytes, peer: str
    ) -> None:
        self._channel = channel
        self._call = call
        self._first: list[bytes] = [first]
        self._loop = asyncio.get_running_loop()
        self.peer = peer
        self.active_s = self._loop.time()

    async def receive(self) -> Sequence[bytes]:
        """See ``transports.base.Link``."""
        if self._first:
            first, self._first = self._first, []
            return first
        try:
            frame = await self._call.read()
        except AioRpcError as error:
            raise link_closed(error) from error
        except asyncio.CancelledError:
            if self._call.cancelled():
                raise LinkClosed from None
            raise
        if not isinstance(frame, bytes):  # the end, which is no frame
            raise LinkClosed
        self.active_s = self._loop.time()
        return [frame]

    async def send(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.Link``."""
        try:
            for frame in frames:
                await self._call.write(frame)
        except AioRpcError as error:
            raise link_closed(error) from error
        except asyncio.InvalidStateError as error:
            raise LinkClosed from error
        except asyncio.CancelledError:
            if self._call.cancelled():
                raise LinkClosed from None
            raise

    async def close(self, code: CloseCode, text: str) -> None:  # noqa: ARG002  # only a server has a code to give
        """See ``transports.base.Link``."""
        self._call.cancel()
        await self._channel.close(None)

    def abort(self) -> None:
        """See ``transports.base.Link``."""
        self._call.cancel()


def link_closed(error: AioRpcError) -> LinkClosed:
    """What the status that ended a stream means to a chat."""
    text = error.details() or ""
    for key, value in error.trailing_metadata() or ():
        if key == CLOSE_KEY and int(value) in set(CloseCode):
            return LinkClosed(CloseCode(int(value)), text)
    match error.code():
        case StatusCode.RESOURCE_EXHAUSTED:
            return LinkClosed(CloseCode.FRAME_TOO_LARGE, text)
        case StatusCode.FAILED_PRECONDITION | StatusCode.UNIMPLEMENTED:
            return LinkClosed(CloseCode.WRONG_VERSION, text)
        case _:
            return LinkClosed(CloseCode.LINK_LOST, text or "The link is gone.")
