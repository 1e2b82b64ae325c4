"""Calls that can wait a little, so that they may not be needed any more."""

import asyncio
from collections.abc import Callable


class DeferredCalls:
    """Calls what it is given, in order, after a while: one timer for all.

    Args:
        wait_s: how long a call waits at the most.
    """

    __slots__ = ("_calls", "_loop", "_wait_s")

    def __init__(self, wait_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._wait_s = wait_s
        self._calls: list[Callable[[], None]] = []

    def add(self, call: Callable[[], None]) -> None:
        """Call this within ``wait_s``."""
        if not self._calls:
            self._loop.call_later(self._wait_s, self._run)
        self._calls.append(call)

    def _run(self) -> None:
        calls, self._calls = self._calls, []
        for call in calls:
            call()
