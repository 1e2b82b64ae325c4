"""Time that a test has in its hands."""

import asyncio
from collections.abc import Coroutine
from typing import Final, TypeVar
from weakref import WeakSet

from chatsystem.clock import SystemClock

_MS: Final = 1000
_T = TypeVar("_T")


class ManualClock:
    """A ``chatcore.ports.Clock`` that stands still until it is advanced.

    What the chat does by time, it does by this one: times of messages, graces, rates,
    throttles, the lives of keys and invitations, and how long it waits for a peer. What
    belongs to links goes by the event loop's time: pings, the time that a link has for
    its login, and how long a client waits before it dials again.

    Args:
        now_ms: where the wall clock begins; now, when none is given, since keys that an
            application makes of the real time have to be of about the same.
    """

    def __init__(self, *, now_ms: int | None = None) -> None:
        self._began_ms = SystemClock().now_ms() if now_ms is None else now_ms
        self._passed_ms = 0  # whole, so that times add up
        self._latches: WeakSet[ManualLatch] = WeakSet()
        self._system = SystemClock()

    def now_ms(self) -> int:
        """See ``chatcore.ports.Clock``."""
        return self._began_ms + self._passed_ms

    def monotonic_s(self) -> float:
        """See ``chatcore.ports.Clock``."""
        return self._passed_ms / _MS

    def latch(self) -> "ManualLatch":
        """See ``chatcore.ports.Clock``."""
        latch = ManualLatch(self)
        self._latches.add(latch)
        return latch

    async def within(self, timeout_s: float, work: Coroutine[object, None, _T]) -> _T:
        """See ``chatcore.ports.Clock``; the time is the event loop's, since what is
        waited for is code that runs.
        """
        return await self._system.within(timeout_s, work)

    def advance(self, seconds: float) -> None:
        """Let time pass at once, to the millisecond.

        What the chat does by itself when time has passed, such as ending a session
        whose grace is over, it does within half a second. ``RunningChat.advance``
        returns once it is done.
        """
        self._passed_ms += round(seconds * _MS)
        for latch in self._latches:
            latch.look_again()


class ManualLatch:
    """A ``chatcore.ports.Latch`` that waits by a manual clock."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._is_open = False
        self._changed = asyncio.Event()

    def open(self) -> None:
        """See ``chatcore.ports.Latch``."""
        self._is_open = True
        self._changed.set()

    def look_again(self) -> None:
        """Have those who wait look at the clock."""
        self._changed.set()

    async def wait(self, timeout_s: float) -> bool:
        """See ``chatcore.ports.Latch``."""
        ends_s = self._clock.monotonic_s() + timeout_s
        while not self._is_open and self._clock.monotonic_s() < ends_s:
            self._changed.clear()
            await self._changed.wait()
        return self._is_open
