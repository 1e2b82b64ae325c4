"""Whether the server can be used now, and how late its event loop is.

*Alive* is whoever answers. *Ready* is a server whose store answers and has not failed
of late, whose listeners accept, and that is not stopping.
"""

import asyncio
from time import perf_counter
from typing import Final

from chatcore import Chat
from chatcore.counters import Histogram
from chatcore.errors import Outage

_DELAY_BOUNDS_S: Final = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
)
_TIMER_S: Final = 0.1


class Health:
    """What is known of one server's health.

    Args:
        ask_every_s: between two questions to the store.
        failing_s: how long a failure of the store counts. One that takes nothing while
            it is not ready could not show otherwise that it works again.
        answer_within_s: a store that has not answered for so long has failed.

    Attributes:
        loop_delay_s: how much later than asked the event loop woke a timer.
    """

    def __init__(
        self,
        *,
        ask_every_s: float = 1.0,
        failing_s: float = 5.0,
        answer_within_s: float = 5.0,
    ) -> None:
        self._ask_every_s = ask_every_s
        self._failing_s = failing_s
        self._answer_within_s = answer_within_s
        self._chat: Chat | None = None
        self._is_stopping = False
        self._failures = 0
        self._failed_s: float | None = None
        self._answered_s = 0.0
        self.loop_delay_s = Histogram(_DELAY_BOUNDS_S)

    def begin(self, chat: Chat) -> None:
        """Take note that the store is open, and the listeners accept."""
        self._chat = chat
        self._failures = chat.counters.store_failures
        self._answered_s = perf_counter()

    def stop(self) -> None:
        """Take note that the server stops."""
        self._is_stopping = True

    @property
    def problem(self) -> str:
        """Why it is not ready, in a few words; empty when it is."""
        if self._is_stopping:
            return "it is stopping"
        if self._chat is None:
            return "it is starting"
        now_s = perf_counter()
        if self._chat.counters.store_failures != self._failures:
            self._note_failure(self._chat)
        if self._failed_s is not None and now_s - self._failed_s < self._failing_s:
            return "the store fails"
        if now_s - self._answered_s > self._ask_every_s + self._answer_within_s:
            return "the store does not answer"
        return ""

    async def watch_store(self) -> None:
        """Ask the store again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._ask_every_s)
            chat = self._chat
            if chat is None or self._is_stopping:
                continue
            try:
                await chat.ask_store()
                self._answered_s = perf_counter()
            except Outage:
                chat.counters.store_failures += 1
            if chat.counters.store_failures != self._failures:
                self._note_failure(chat)

    def _note_failure(self, chat: Chat) -> None:
        self._failures = chat.counters.store_failures
        self._failed_s = perf_counter()

    async def watch_loop(self) -> None:
        """Measure the event loop's delay again and again, until cancelled."""
        while True:
            due_s = perf_counter() + _TIMER_S
            await asyncio.sleep(_TIMER_S)
            # A coarse clock may wake it a little early.
            self.loop_delay_s.observe(max(0.0, perf_counter() - due_s))
