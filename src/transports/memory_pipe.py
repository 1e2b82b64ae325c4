"""Two ends of a link in one process, each with a bounded queue before it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from chatcore.connections import NO_HEADERS
from chatcore.errors import CloseCode
from transports.base import ANY_FRAME_BYTES, FrameHandler, LinkSettings
from transports.errors import LinkClosed, frame_too_large
from transports.held_bytes import HeldBytes

_CLOGGED_BYTES: Final = 64 * 1024


class MemoryPipe:
    """See ``transports.base.Link``; ``address`` is that of the peer behind it.

    Attributes:
        waiting_bytes: what has arrived at this end and was not handed over.
        headers: see ``transports.base.LinkSettings.keeps_headers``.
        waits_since_s: when the oldest of it arrived; None while there is none.
    """

    def __init__(self, peer: str, address: str, frame_bytes: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._frame_bytes = frame_bytes
        self._other: MemoryPipe | None = None
        self._arrived: list[bytes] = []
        self.waiting_bytes = 0
        self.waits_since_s: float | None = None
        self._held = HeldBytes()
        self._is_held = False
        self._end: LinkClosed | None = None
        self._is_gone = False
        self._handler: FrameHandler | None = None
        self._is_due = False
        self._is_awaited = False
        self.peer = peer
        self.address = address
        self.headers = NO_HEADERS
        self.opened_s = self.active_s = self._loop.time()

    @classmethod
    def make(
        cls, peer: str, settings: LinkSettings, *, address: str = ""
    ) -> "tuple[MemoryPipe, MemoryPipe]":
        """A link's two ends, the server's first.

        It reads frames of ``settings.frame_bytes`` until it is allowed more; the
        client's reads the largest from the start, as on every transport.
        """
        one = cls(peer, address, settings.frame_bytes)
        other = cls(peer, address, settings.largest_frame_bytes)
        one._other, other._other = other, one
        return one, other

    @property
    def taken_s(self) -> float:
        """See ``transports.base.Link``: else when the oldest that waits was written,
        since the other end takes all at once.
        """
        since_s = None if self._other is None else self._other.waits_since_s
        return self._loop.time() if since_s is None else since_s

    def report_held(self, report: Callable[[int], None]) -> None:
        """See ``transports.base.Link``: what waits before both ends."""
        self._held.tell(report)

    def note_held(self) -> None:
        """Take note that what waits before either end has changed."""
        unsent_bytes = 0 if self._other is None else self._other.waiting_bytes
        self._held.note(self.waiting_bytes + unsent_bytes)

    def _note(self) -> None:
        self.note_held()
        if self._other is not None:
            self._other.note_held()

    @property
    def most_frame_bytes(self) -> int:
        """See ``transports.base.Link``."""
        return ANY_FRAME_BYTES

    def allow(self, frame_bytes: int) -> None:
        """See ``transports.base.Link``."""
        self._frame_bytes = frame_bytes

    def start(self, handler: FrameHandler) -> None:
        """See ``transports.base.Link``."""
        self._handler = handler
        self._go_on()

    def hold_reading(self, *, on: bool) -> None:
        """See ``transports.base.Link``; the end of a link is seen all the same."""
        self._is_held = on
        if not on and self._arrived:
            self._go_on()

    @property
    def is_clogged(self) -> bool:
        """See ``transports.base.Link``."""
        return self._is_awaited

    def write(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.Link``."""
        other = self._other
        # An end that is not gone may still tell what was wrong with what it read.
        if other is None or self._is_gone:
            return
        for frame in frames:
            other.take(frame)
        self._is_awaited = other.waiting_bytes > _CLOGGED_BYTES and not other.has_ended

    def take(self, frame: bytes) -> None:
        """Have a frame of the other end arrive."""
        if self._end is not None:
            return
        self.active_s = self._loop.time()
        if len(frame) > self._frame_bytes:
            self._end = frame_too_large(self._frame_bytes)
        else:
            if not self._arrived:
                self.waits_since_s = self._loop.time()
            self._arrived.append(frame)
            self.waiting_bytes += len(frame)
            self._note()
        self._go_on()

    def _go_on(self) -> None:
        """Hand over in the next turn: what an end writes never calls the other one."""
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        """Give the handler what has arrived, and why there is no more."""
        self._is_due = False
        handler = self._handler
        if handler is None or (self._is_held and self._end is None):
            return
        if self._arrived:
            frames, self._arrived = self._arrived, []
            self.waiting_bytes, self.waits_since_s = 0, None
            self._note()
            handler.frames_received(frames)
        if self._other is not None:
            self._other.resume()
        if self._end is not None:
            handler.reading_ended(self._end)
            if self._is_gone and not self._end.is_gone:
                handler.reading_ended(LinkClosed())

    def resume(self) -> None:
        """Take note that the other end took what was written, or takes no more."""
        if self._is_awaited:
            self._is_awaited = False
            self.active_s = self._loop.time()
            if self._handler is not None:
                self._handler.resume_writing()

    @property
    def has_ended(self) -> bool:
        """Whether this end reads no more."""
        return self._end is not None

    async def close(self, code: CloseCode, text: str) -> None:  # noqa: ARG002  # the last frame has told them
        """See ``transports.base.Link``."""
        self.abort()

    def abort(self) -> None:
        """See ``transports.base.Link``; what has arrived is still handed over."""
        self.finish()
        if self._other is not None:
            self._other.finish()

    def finish(self) -> None:
        """Take note that no more comes."""
        self._end = self._end or LinkClosed()
        self._is_gone = True
        self._go_on()
