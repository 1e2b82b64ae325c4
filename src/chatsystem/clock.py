"""Time as the machine and the event loop tell it."""

import asyncio
import time


class SystemClock:
    """See ``chatcore.ports.Clock``."""

    def now_ms(self) -> int:
        """See ``chatcore.ports.Clock``."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """See ``chatcore.ports.Clock``."""
        return time.monotonic()

    def latch(self) -> "EventLatch":
        """See ``chatcore.ports.Clock``."""
        return EventLatch()


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
