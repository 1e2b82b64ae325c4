"""Writing frames on a server's call: one write at a time, and no task for it.

A write takes gRPC some time, however small it is. Meanwhile the link is clogged, and
what the chat has for it gathers in the outbox, to be the next frame.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from grpc.aio import BaseError, ServicerContext

from transports.held_bytes import HeldBytes
from transports.waiters import wake

_CLOGGED_S: Final = 0.05
_TAKEN: Final = object()


class CallWriter:
    """Has gRPC write frames; tells when more may come, and when no more can.

    Attributes:
        waits_since_s: when the frame was written that gRPC has not taken, if there is
            one, on the loop's clock.
        progress_s: when gRPC last took one that had waited for a while.
        held: told of what waits.
    """

    __slots__ = (
        "_awaited",
        "_context",
        "_finished",
        "_is_over",
        "_loop",
        "_on_failed",
        "_on_unclogged",
        "_unsent_bytes",
        "_waiting",
        "_write",
        "_write_bytes",
        "held",
        "progress_s",
        "waits_since_s",
    )

    def __init__(
        self,
        context: "ServicerContext[bytes, bytes]",
        *,
        on_unclogged: Callable[[], None],
        on_failed: Callable[[], None],
    ) -> None:
        self._context = context
        self._on_unclogged = on_unclogged
        self._on_failed = on_failed
        self._loop = asyncio.get_running_loop()
        self._waiting: list[bytes] = []
        self._unsent_bytes = 0
        self._write: Iterator[Any] | None = None
        self._write_bytes = 0
        self._awaited: asyncio.Future[Any] | None = None
        self._finished: asyncio.Future[None] | None = None
        self._is_over = False
        self.waits_since_s: float | None = None
        self.progress_s = 0.0
        self.held = HeldBytes()

    @property
    def is_clogged(self) -> bool:
        """Whether gRPC has not taken all that was written."""
        return self._write is not None or bool(self._waiting)

    def write(self, frames: Sequence[bytes]) -> None:
        """Write frames; on a call that is over they are lost."""
        if self._is_over:
            return
        self._waiting += frames
        self._unsent_bytes += sum(map(len, frames))
        self.held.note(self._unsent_bytes)
        if self._write is None:
            self._go_on()

    async def finish(self, within_s: float) -> None:
        """Return once all is written, or nothing can be, or after so long."""
        if self._write is not None:
            self._finished = self._loop.create_future()
            await asyncio.wait([self._finished], timeout=within_s)

    def cut(self) -> None:
        """Write no more, nor what waits; of gRPC's own buffers nothing is taken back.

        A write that has begun is cancelled: gRPC has its own copy of what it writes.
        """
        self._is_over = True
        self._waiting.clear()
        if self._awaited is not None:
            self._awaited.cancel()

    def _go_on(self, _: object = None) -> None:
        """Take the write that has begun a step further, and begin the next."""
        try:
            while self.is_clogged:
                if self._write is None:
                    self._write = self._begin()
                awaited: Any = next(self._write, _TAKEN)
                if awaited is not _TAKEN:
                    self._awaited = awaited
                    awaited.add_done_callback(self._go_on)
                    return
                self._note_taken()
        except (BaseError, asyncio.CancelledError):
            self._fail()
        wake(self._finished)

    def _begin(self) -> Iterator[Any]:
        """Begin to write the next frame."""
        self.waits_since_s = self._loop.time()
        frame = self._waiting.pop(0)
        self._write_bytes = len(frame)
        return iter(self._context.write(frame).__await__())

    def _note_taken(self) -> None:
        now_s = self._loop.time()
        if self.waits_since_s is not None and now_s - self.waits_since_s > _CLOGGED_S:
            self.progress_s = now_s
        self._unsent_bytes -= self._write_bytes
        self._write = self._awaited = self.waits_since_s = None
        self.held.note(self._unsent_bytes)
        if not self.is_clogged:
            # Not at once: whoever is told may write.
            self._loop.call_soon(self._on_unclogged)

    def _fail(self) -> None:
        self._is_over = True
        self._waiting.clear()
        self._unsent_bytes = 0
        self._write = self._awaited = self.waits_since_s = None
        self.held.note(0)
        # Not at once: it may be that it is being called.
        self._loop.call_soon(self._on_failed)
