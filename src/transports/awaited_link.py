"""A link as two coroutines: for who would rather wait than be called."""

import asyncio
from collections.abc import Sequence

from chatcore.errors import CloseCode
from transports.base import Link
from transports.errors import LinkClosed
from transports.waiters import wake


class AwaitedLink:
    """Receives from a link, and sends on it: one coroutine each, at the same time.

    Reading stops between two calls of ``receive``: that is the back-pressure on the
    peer.
    """

    def __init__(self, link: Link) -> None:
        self.link = link
        self._loop = asyncio.get_running_loop()
        self._frames: list[bytes] = []
        self._end: LinkClosed | None = None
        self._is_gone = False
        self._receiver: asyncio.Future[None] | None = None
        self._sender: asyncio.Future[None] | None = None
        link.start(self)

    # ---- transports.base.FrameHandler

    def frames_received(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.FrameHandler``."""
        self._frames.extend(frames)
        if self._receiver is None:
            self.link.hold_reading(on=True)
        wake(self._receiver)

    def reading_ended(self, end: LinkClosed) -> None:
        """See ``transports.base.FrameHandler``."""
        self._end = self._end or end
        self._is_gone = self._is_gone or end.is_gone
        wake(self._receiver)
        wake(self._sender)

    def resume_writing(self) -> None:
        """See ``transports.base.FrameHandler``."""
        wake(self._sender)

    # ---- the coroutines

    async def receive(self) -> Sequence[bytes]:
        """All frames that have arrived, at least one.

        Raises:
            PeerFinished: the peer writes no more, but may still read.
            LinkClosed: the peer has gone, or sent what is no frame.
        """
        while not self._frames:
            if self._end is not None:
                raise self._end.anew()
            self._receiver = self._loop.create_future()
            self.link.hold_reading(on=False)
            try:
                await self._receiver
            finally:
                self._receiver = None
        frames, self._frames = self._frames, []
        return frames

    async def send(self, frames: Sequence[bytes]) -> None:
        """Write frames; returns once the link is not clogged.

        Raises:
            LinkClosed: the link is gone.
        """
        if not self._is_gone:
            self.link.write(frames)
        while self.link.is_clogged and not self._is_gone:
            self._sender = self._loop.create_future()
            try:
                await self._sender
            finally:
                self._sender = None
        if self._is_gone:
            raise LinkClosed

    async def close(self, code: CloseCode, text: str) -> None:
        """See ``transports.base.Link``."""
        await self.link.close(code, text)

    def abort(self) -> None:
        """See ``transports.base.Link``."""
        self.link.abort()
