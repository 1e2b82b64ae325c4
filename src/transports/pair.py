"""Two ends of a link in one process, each with a bounded queue before it."""

import asyncio
from collections.abc import Sequence
from typing import Final

from chatcore.errors import CloseCode
from transports.base import LinkClosed

_CLOGGED_BYTES: Final = 64 * 1024


class PairedLink:
    """See ``transports.base.Link``."""

    def __init__(self, peer: str, frame_bytes: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._frame_bytes = frame_bytes
        self._other: PairedLink | None = None
        self._arrived: list[bytes] = []
        self._arrived_bytes = 0
        self._end: LinkClosed | None = None
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()
        self.peer = peer
        self.active_s = self._loop.time()

    @classmethod
    def make(cls, peer: str, frame_bytes: int) -> "tuple[PairedLink, PairedLink]":
        """A link's two ends; frames have at most ``frame_bytes`` either way."""
        one, other = cls(peer, frame_bytes), cls(peer, frame_bytes)
        one._other, other._other = other, one
        return one, other

    async def receive(self) -> Sequence[bytes]:
        """See ``transports.base.Link``."""
        while not self._arrived:
            if self._end is not None:
                raise self._end
            self._changed.clear()
            await self._changed.wait()
        frames, self._arrived = self._arrived, []
        self._arrived_bytes = 0
        self._taken.set()
        return frames

    async def send(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.Link``."""
        other = self._other
        if other is None:
            raise LinkClosed
        for frame in frames:
            other.take(frame)
        while other.is_clogged:
            await other.wait_taken()
            self.active_s = self._loop.time()
        if self._end is not None or other.has_ended:
            raise LinkClosed

    def take(self, frame: bytes) -> None:
        """Have a frame of the other end arrive."""
        if self._end is not None:
            return
        self.active_s = self._loop.time()
        if len(frame) > self._frame_bytes:
            self._end = LinkClosed(
                CloseCode.FRAME_TOO_LARGE,
                f"A frame has at most {self._frame_bytes} bytes.",
            )
        else:
            self._arrived.append(frame)
            self._arrived_bytes += len(frame)
        self._changed.set()

    @property
    def is_clogged(self) -> bool:
        """Whether the other end has to wait."""
        return self._end is None and self._arrived_bytes > _CLOGGED_BYTES

    @property
    def has_ended(self) -> bool:
        """Whether this end is closed."""
        return self._end is not None

    async def wait_taken(self) -> None:
        """Return once this end took what had arrived, or is gone."""
        self._taken.clear()
        await self._taken.wait()

    async def close(self, code: CloseCode, text: str) -> None:  # noqa: ARG002  # the last frame has told them
        """See ``transports.base.Link``."""
        self.abort()

    def abort(self) -> None:
        """See ``transports.base.Link``; what has arrived can still be received."""
        self.finish()
        if self._other is not None:
            self._other.finish()

    def finish(self) -> None:
        """Take note that no more comes."""
        self._end = self._end or LinkClosed()
        self._changed.set()
        self._taken.set()
