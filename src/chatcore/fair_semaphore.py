"""Taking turns, where many would do the same at once (B2)."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from chatcore.ports import Clock, Latch

_FOR_EVER_S: Final = 3600.0


class FairSemaphore:
    """A semaphore that is fair: who waits goes on in the order of coming."""

    def __init__(self, clock: Clock, *, at_once: int) -> None:
        self._clock = clock
        self._free = at_once
        self._waiting: deque[Latch] = deque()

    @asynccontextmanager
    async def acquired(self) -> AsyncIterator[None]:
        """Hold one of the places while the block runs; who gives up waiting holds up
        nobody.
        """
        if self._free:
            self._free -= 1
        else:
            await self._wait()
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self) -> None:
        latch = self._clock.latch()
        self._waiting.append(latch)
        try:
            while not await latch.wait(_FOR_EVER_S):
                pass
        except BaseException:
            if latch in self._waiting:
                self._waiting.remove(latch)
            else:
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        if self._waiting:
            self._waiting.popleft().open()
        else:
            self._free += 1
