"""A stream of frames each way as a link: the server's end and the client's."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from grpc import StatusCode
from grpc.aio import AioRpcError, BaseError, Channel, ServicerContext
from grpc.aio import StreamStreamCall as Call

from chatcore.connections import NO_HEADERS
from chatcore.errors import CloseCode
from transports.base import ANY_FRAME_BYTES, FrameHandler, LinkSettings
from transports.errors import LinkClosed, PeerFinished, frame_too_large
from transports.grpc.call_writer import CallWriter
from transports.grpc.options import most_frame_bytes
from transports.grpc.peers import client_of, metadata_of, spelled
from transports.grpc.status import CLOSE_KEY, status_of_closing
from transports.held_bytes import HeldBytes
from transports.request_headers import kept_headers
from transports.task_link import TaskLink
from transports.waiters import wake

_CLOSE_CODES: Final[Mapping[str | bytes, CloseCode]] = {
    str(int(code)): code for code in CloseCode
}


class _StreamLink:
    """What both ends keep."""

    __slots__ = ("_frame_bytes", "_loop", "address", "headers", "opened_s", "peer")

    def __init__(self, peer: str, address: str, frame_bytes: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._frame_bytes = frame_bytes
        self.peer = peer
        self.address = address
        self.headers = NO_HEADERS
        self.opened_s = self._loop.time()

    def allow(self, frame_bytes: int) -> None:
        """See ``transports.base.Link``: gRPC has one limit for all, so a frame that is
        not allowed ends the link only when it is there.
        """
        self._frame_bytes = frame_bytes

    def _allowed(self, frame: bytes) -> Sequence[bytes]:
        if len(frame) > self._frame_bytes:
            raise frame_too_large(self._frame_bytes)
        return [frame]


class ServerLink(_StreamLink):
    """See ``transports.base.Link``; ``read_on`` and ``wait_ended`` are for the call.

    Frames are read in a task that gRPC does not cancel with the call, and written in
    none: both see that it has ended by ``EOF`` and failed writes. Nor can the server
    end a call whose peer does not take what is written: it stays, with the last frame,
    as long as the peer keeps it. So ``abort`` lets go of both: a write is cancelled,
    and a read, which must not be (gRPC writes to its memory), is left to its task.
    """

    __slots__ = (
        "_close_s",
        "_context",
        "_ended",
        "_handler",
        "_heard_s",
        "_is_cut",
        "_is_held",
        "_is_over",
        "_reader",
        "_writer",
        "most_frame_bytes",
    )

    def __init__(
        self, context: "ServicerContext[bytes, bytes]", settings: LinkSettings
    ) -> None:
        address = client_of(context, settings.proxies)
        peer = spelled(context.peer(), address)
        super().__init__(peer, address, settings.frame_bytes)
        self.headers = kept_headers(settings, metadata_of(context))
        self._context = context
        self._close_s = settings.close_s
        self._heard_s = self.opened_s
        self.most_frame_bytes = most_frame_bytes(settings)
        self._handler: FrameHandler | None = None
        self._ended: asyncio.Future[None] | None = None  # an event has a deque
        self._is_over = False
        self._is_cut = False
        self._is_held = False
        self._reader: asyncio.Future[None] | None = None
        self._writer = CallWriter(
            context,
            on_unclogged=self._resume_writing,
            on_failed=self._end_reading,
        )

    # ---- the call

    async def wait_ended(self) -> None:
        """Return once the link was closed from this side."""
        if self._is_over:
            return
        self._ended = self._loop.create_future()
        try:
            await self._ended
        except asyncio.CancelledError:
            self._is_cut = True  # the peer has gone
            self._let_go()
            raise

    async def read_on(self) -> None:
        """Read frames until the call has ended, while somebody takes them."""
        while self._handler is None and not self._is_over:
            await self._wait_to_read()
        handler = self._handler
        if handler is None:
            return
        try:
            while True:
                while self._is_held and not self._is_over:
                    await self._wait_to_read()
                if self._is_over:
                    raise LinkClosed  # noqa: TRY301  # as what comes of a read
                frame: object = await self._context.read()
                if not isinstance(frame, bytes):
                    raise LinkClosed if self._is_cut else PeerFinished
                self._heard_s = self._loop.time()
                handler.frames_received(self._allowed(frame))
        except LinkClosed as end:
            handler.reading_ended(end)
        except BaseError:
            handler.reading_ended(LinkClosed())

    async def _wait_to_read(self) -> None:
        self._reader = self._loop.create_future()
        await self._reader

    def _let_go(self) -> None:
        self._is_over = True
        wake(self._reader)
        self._writer.cut()
        self._loop.call_soon(self._end_reading)

    def _end_reading(self) -> None:
        if self._handler is not None:
            self._handler.reading_ended(LinkClosed())

    def _resume_writing(self) -> None:
        if self._handler is not None:
            self._handler.resume_writing()

    # ---- transports.base.Link

    @property
    def active_s(self) -> float:
        """See ``transports.base.Link``."""
        return max(self._heard_s, self._writer.progress_s)

    @property
    def taken_s(self) -> float:
        """See ``transports.base.Link``: else when the frame that waits was written,
        which is when the one before it was taken.
        """
        since_s = self._writer.waits_since_s
        return self._loop.time() if since_s is None else since_s

    def report_held(self, report: Callable[[int], None]) -> None:
        """See ``transports.base.Link``: frames to be written.

        Beside them gRPC holds up to 128 KiB that are not read, and the frame that is
        coming.
        """
        self._writer.held.tell(report)

    def start(self, handler: FrameHandler) -> None:
        """See ``transports.base.Link``."""
        self._handler = handler
        wake(self._reader)

    def hold_reading(self, *, on: bool) -> None:
        """See ``transports.base.Link``; a read that has begun goes on."""
        self._is_held = on
        if not on:
            wake(self._reader)

    @property
    def is_clogged(self) -> bool:
        """See ``transports.base.Link``."""
        return self._writer.is_clogged

    def write(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.Link``."""
        self._writer.write(frames)

    async def close(self, code: CloseCode, text: str) -> None:
        """See ``transports.base.Link``: the call ends with a status for the code.

        One whose peer had finished ends well: it got all that it is owed.
        """
        await self._writer.finish(self._close_s)
        has_told = code is not CloseCode.LINK_LOST
        if has_told and not self._is_over:
            self._context.set_trailing_metadata(((CLOSE_KEY, str(int(code))),))
            self._context.set_code(status_of_closing(code))
            self._context.set_details(text)
        self.abort()

    def abort(self) -> None:
        """See ``transports.base.Link``."""
        wake(self._ended)
        self._let_go()


class ClientLink(_StreamLink, TaskLink):
    """See ``transports.base.Link``; owns its channel."""

    def __init__(
        self,
        channel: Channel,
        call: "Call[bytes, bytes]",
        first: bytes,
        *,
        host: str,
        peer: str,
        frame_bytes: int,
    ) -> None:
        _StreamLink.__init__(self, peer, host, frame_bytes)
        TaskLink.__init__(self)
        self._waits_since_s: float | None = None
        self._unsent_bytes = 0
        self._held = HeldBytes()
        self.active_s = self.opened_s
        self._channel: Channel | None = channel
        self._call: Call[bytes, bytes] | None = call
        self.most_frame_bytes = ANY_FRAME_BYTES
        self._first: list[bytes] = [first]

    @property
    def taken_s(self) -> float:
        """See ``transports.base.Link``, and ``ServerLink.taken_s``."""
        return self._loop.time() if self._waits_since_s is None else self._waits_since_s

    def report_held(self, report: Callable[[int], None]) -> None:
        """See ``transports.base.Link``, and ``ServerLink.report_held``."""
        self._held.tell(report)

    async def receive(self) -> Sequence[bytes]:
        """See ``transports.base.Link``."""
        if self._first:
            first, self._first = self._first, []
            return first
        call = self._call
        if call is None:
            raise LinkClosed
        try:
            frame = await call.read()
        except AioRpcError as error:
            raise link_closed(error) from error
        except asyncio.CancelledError:
            if call.cancelled():
                raise LinkClosed from None
            raise
        if not isinstance(frame, bytes):  # the end, which is no frame
            raise LinkClosed
        self.active_s = self._loop.time()
        return self._allowed(frame)

    async def send(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.Link``."""
        call = self._call
        if call is None:
            raise LinkClosed
        self._unsent_bytes = sum(map(len, frames))
        self._held.note(self._unsent_bytes)
        try:
            for frame in frames:
                self._waits_since_s = self._loop.time()
                await call.write(frame)
                self._unsent_bytes -= len(frame)
        except AioRpcError as error:
            raise link_closed(error) from error
        except asyncio.InvalidStateError as error:
            raise LinkClosed from error
        except asyncio.CancelledError:
            if call.cancelled():
                raise LinkClosed from None
            raise
        finally:
            self._waits_since_s, self._unsent_bytes = None, 0
            self._held.note(0)

    async def close(self, code: CloseCode, text: str) -> None:  # noqa: ARG002  # only a server has a code to give
        """See ``transports.base.Link``."""
        channel = self._channel
        self.abort()
        if channel is not None:
            await channel.close(None)

    def abort(self) -> None:
        """See ``transports.base.Link``."""
        if self._call is not None:
            self._call.cancel()
            self._loop.call_soon(self._tell_gone)
        # Nothing else closes the connection but to let go of both, where the channel's
        # own ``close`` would have to be awaited.
        self._call = self._channel = None
        self._may_receive.set()

    def _tell_gone(self) -> None:
        if self._handler is not None:
            self._handler.reading_ended(LinkClosed())


def link_closed(error: AioRpcError) -> LinkClosed:
    """What the status that ended a stream means to a chat."""
    text = error.details() or ""
    for key, value in error.trailing_metadata() or ():
        # It is the server's to write: it may be anything.
        if key == CLOSE_KEY and value in _CLOSE_CODES:
            return LinkClosed(_CLOSE_CODES[value], text)
    match error.code():
        case StatusCode.RESOURCE_EXHAUSTED:
            return LinkClosed(CloseCode.FRAME_TOO_LARGE, text)
        case StatusCode.FAILED_PRECONDITION | StatusCode.UNIMPLEMENTED:
            return LinkClosed(CloseCode.WRONG_VERSION, text)
        case _:
            return LinkClosed(CloseCode.LINK_LOST, text or "The link is gone.")
