"""Time as the machine and the event loop tell it."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any, TypeVar

_T = TypeVar("_T")


class SystemClock:
    """See ``chatcore.ports.Clock``."""

    def __init__(self) -> None:
        # An event loop by itself would let go of a task that nobody holds.
        self._given_up: set[asyncio.Future[Any]] = set()

    def now_ms(self) -> int:
        """See ``chatcore.ports.Clock``."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """See ``chatcore.ports.Clock``."""
        return time.monotonic()

    def latch(self) -> "EventLatch":
        """See ``chatcore.ports.Clock``."""
        return EventLatch()

    async def within(self, timeout_s: float, work: Awaitable[_T]) -> _T:
        """See ``chatcore.ports.Clock``."""
        task = asyncio.get_running_loop().create_task(_result_of(work))
        try:
            done, _ = await asyncio.wait([task], timeout=timeout_s)
        except BaseException:
            self._give_up(task)
            raise
        if not done:
            self._give_up(task)
        if not done or task.cancelled():
            raise TimeoutError
        return task.result()

    def _give_up(self, task: asyncio.Future[_T]) -> None:
        """Cancel what nobody waits for any more."""
        self._given_up.add(task)
        task.add_done_callback(self._see)
        task.cancel()

    def _see(self, task: asyncio.Future[Any]) -> None:
        self._given_up.discard(task)
        if not task.cancelled():
            task.exception()  # nobody else looks at it


async def _result_of(work: Awaitable[_T]) -> _T:
    return await work


class EventLatch:
    """See ``chatcore.ports.Latch``."""

    def __init__(self) -> None:
        self._opened = asyncio.Event()

    def open(self) -> None:
        """See ``chatcore.ports.Latch``."""
        self._opened.set()

    async def wait(self, timeout_s: float) -> bool:
        """See ``chatcore.ports.Latch``."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._opened.wait()
        except TimeoutError:
            return False
        return True
