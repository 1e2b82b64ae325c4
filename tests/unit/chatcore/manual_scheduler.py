"""Runs coroutines by hand: no event loop, no time, the same order in each run.

A coroutine runs until it waits for a ``Wait``, and goes on once that is over. What it
raises comes out of ``ManualScheduler.run``, in the middle of the test that called it.
"""

from collections import deque
from collections.abc import Coroutine, Generator
from typing import TypeAlias

Work: TypeAlias = Coroutine[object, None, None]


class Wait:
    """Something that is over once, with a yes or a no."""

    def __init__(self, scheduler: "ManualScheduler") -> None:
        self._scheduler = scheduler
        self._answer: bool | None = None

    def __await__(self) -> Generator["Wait", None, bool]:
        """Wait for the answer."""
        if self._answer is None:
            yield self
        return self._answer is True

    def end(self, *, answer: bool) -> None:
        """Answer those who wait and those who will; only the first answer counts."""
        if self._answer is None:
            self._answer = answer
            self._scheduler.go_on(self)


class ManualScheduler:
    """Coroutines: those that can go on, in the order in which they could, and those
    that wait.
    """

    def __init__(self) -> None:
        self._ready: deque[Work] = deque()
        self._waiting: dict[Wait, list[Work]] = {}

    def spawn(self, work: Work) -> None:
        """Begin some work at the next run."""
        self._ready.append(work)

    def go_on(self, wait: Wait) -> None:
        """Let those go on that have waited for this."""
        self._ready.extend(self._waiting.pop(wait, ()))

    def run(self) -> None:
        """Give turns until everything is done or waits."""
        while self._ready:
            work = self._ready.popleft()
            try:
                wait = work.send(None)
            except StopIteration:
                continue
            assert isinstance(wait, Wait)
            self._waiting.setdefault(wait, []).append(work)

    def cancel(self, work: Work) -> None:
        """End one that waits where it stands."""
        for works in self._waiting.values():
            if work in works:
                works.remove(work)
        work.close()

    def drop(self) -> None:
        """End everything that waits where it stands, as a crash does."""
        for works in self._waiting.values():
            for work in works:
                work.close()
        self._waiting.clear()
