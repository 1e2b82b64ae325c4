"""Calls of a store that wait for a commit, in the order in which they came.

Whoever commits takes all that has queued up, and hands back what became of it: under
load one commit serves everybody, alone nobody waits for company. What a store is told
of and nobody waits for, as acknowledgements are, goes along with the next commit.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from chatcore.errors import Outage, StoreUnavailable

TELL_WITHIN_S: Final = 0.5
"""How long a call that nobody waits for is left alone (M4 allows 1 s)."""

TELL_AT_MOST: Final = 1024
"""So many of them are committed without waiting for another."""

Call = TypeVar("Call")


class Ask(NamedTuple, Generic[Call]):
    """A call that somebody waits for."""

    call: Call
    answer: "asyncio.Future[Any]"


class Tell(NamedTuple, Generic[Call]):
    """A call that nobody waits for; ``committed`` is called when its value is true."""

    call: Call
    committed: Callable[[], None] | None


Entry: TypeAlias = Ask[Call] | Tell[Call]


class Outcome(NamedTuple, Generic[Call]):
    """What became of an entry: ``error``, or ``value``."""

    entry: Entry[Call]
    value: object
    error: Exception | None


class CallQueue(ABC, Generic[Call]):
    """The queue. Its methods are for the event loop's thread.

    It is bounded by those who ask, since each waits for its answer, and by
    ``TELL_AT_MOST``.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Entry[Call]] = deque()
        self._tells = 0
        self._reminder: asyncio.TimerHandle | None = None
        self._closed = False

    @abstractmethod
    def _wake_up(self) -> None:
        """Have the queue taken; called again and again until it is."""

    def ask(self, call: Call) -> "asyncio.Future[Any]":
        """Queue a call; the answer comes once it is committed.

        Raises ``StoreUnavailable`` or ``OutcomeUnknown``. Cancelling the future does
        not undo the call, nor touch any other.
        """
        if self._closed:
            raise closed()
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._queue.append(Ask(call, answer))
        self._wake_up()
        return answer

    def tell(self, call: Call, committed: Callable[[], None] | None = None) -> None:
        """Queue a call for the next commit, at the latest in ``TELL_WITHIN_S``.

        ``committed`` is called from the event loop, in the order of commits, unless the
        call changed nothing or could not be done.
        """
        if self._closed:
            return
        self._queue.append(Tell(call, committed))
        self._tells += 1
        if self._tells >= TELL_AT_MOST:
            self._tells = 0
            self._wake_up()
        elif self._reminder is None:
            self._reminder = self._loop.call_later(TELL_WITHIN_S, self._remind)

    def _remind(self) -> None:
        self._reminder = None
        if self._tells:
            self._tells = 0
            self._wake_up()

    def _stop(self) -> None:
        """Take no more calls."""
        self._closed = True
        if self._reminder is not None:
            self._reminder.cancel()

    def _settle(self, outcomes: Iterable[Outcome[Call]]) -> None:
        """Tell all who wait what became of their calls, in the order of commits."""
        for entry, value, error in outcomes:
            match entry:
                case Ask(_, answer):
                    if answer.done():  # cancelled
                        continue
                    if error is None:
                        answer.set_result(value)
                    else:
                        answer.set_exception(error)
                case Tell(_, committed):
                    if value and committed is not None:
                        # On its own, so that what it raises is its own affair.
                        self._loop.call_soon(committed)


def closed() -> StoreUnavailable:
    """Why a closed store takes no calls."""
    return StoreUnavailable(reason="it is closed")


def another(outage: Outage) -> Outage:
    """The same again: each that is raised collects its own traceback."""
    same = type(outage)(**outage.fields)
    same.__cause__ = outage.__cause__
    return same
