"""The one thread that has the file, and commits for all who wait (group commit).

Callers queue work. The thread takes all that has queued up, does it in order in one
transaction, commits, and hands all results to the event loop in one call: under load
one wait for the disk serves everybody, alone nobody waits for company.

When the transaction fails it is rolled back, and each piece of work is done again in a
transaction of its own: one that cannot be done (the disk is full) does not take along
those that can (they only read). Only where the commit itself has no answer is nothing
repeated: everybody is told that the outcome is unknown.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum
from queue import SimpleQueue
from threading import Thread
from typing import Final, NamedTuple, TypeAlias, TypeVar

import apsw

from chatcore.errors import OutcomeUnknown, StoreUnavailable
from stores.sqlite.books import Books

T = TypeVar("T")

TOLD_WITHIN_S: Final = 0.5
"""How long work that nobody waits for is left alone (M4 allows 1 s)."""

TOLD_AT_MOST: Final = 1024
"""So much of it starts a transaction of its own."""

Work: TypeAlias = Callable[[Books], T]


class Asked(NamedTuple):
    """Work that somebody waits for."""

    work: Work[object]
    answer: "asyncio.Future[object]"


class Told(NamedTuple):
    """Work that nobody waits for; ``committed`` is called when it changed anything."""

    work: Work[bool]
    committed: Callable[[], None] | None


Entry: TypeAlias = Asked | Told


class Ring(Enum):
    """Why the thread is woken."""

    FOR_WORK = 1
    FOR_THE_LAST_TIME = 2


class Outcome(NamedTuple):
    """What became of an entry: ``error``, or ``value``."""

    entry: Entry
    value: object
    error: Exception | None


class Writer:
    """The thread and its queue. Its methods are for the event loop's thread.

    The queue is bounded by those who ask, since each waits for its answer, and by
    ``TOLD_AT_MOST``.
    """

    def __init__(self, books: Books) -> None:
        self._books = books
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Entry] = deque()
        self._bell: SimpleQueue[Ring] = SimpleQueue()
        self._rung = False
        self._told = 0
        self._reminder: asyncio.TimerHandle | None = None
        self._closed = False
        self._thread = Thread(target=self._run, name="chatcore-sqlite", daemon=True)
        self._thread.start()

    def ask(self, work: Work[T]) -> "asyncio.Future[T]":
        """Queue work; the answer comes once it is committed.

        Raises ``StoreUnavailable`` or ``OutcomeUnknown``. Cancelling the future does
        not undo the work.
        """
        if self._closed:
            raise StoreUnavailable(reason="it is closed")
        answer: asyncio.Future[T] = self._loop.create_future()
        self._queue.append(Asked(work, answer))  # type: ignore[arg-type]  # T is object
        self._ring()
        return answer

    def tell(
        self, work: Work[bool], committed: Callable[[], None] | None = None
    ) -> None:
        """Queue work for the next transaction, at the latest in ``TOLD_WITHIN_S``.

        ``committed`` is called from the event loop, in the order of commits, unless the
        work changed nothing or could not be done.
        """
        if self._closed:
            return
        self._queue.append(Told(work, committed))
        self._told += 1
        if self._told >= TOLD_AT_MOST:
            self._ring()
        elif self._reminder is None:
            self._reminder = self._loop.call_later(TOLD_WITHIN_S, self._remind)

    async def close(self) -> None:
        """Do what is queued, then give the file back."""
        self._closed = True
        if self._reminder is not None:
            self._reminder.cancel()
        self._bell.put(Ring.FOR_THE_LAST_TIME)
        await asyncio.to_thread(self._thread.join)

    def _remind(self) -> None:
        self._reminder = None
        if self._told:
            self._ring()

    def _ring(self) -> None:
        self._told = 0
        if not self._rung:
            self._rung = True
            self._bell.put(Ring.FOR_WORK)

    # in the thread

    def _run(self) -> None:
        ring = Ring.FOR_WORK
        while ring is not Ring.FOR_THE_LAST_TIME:
            ring = self._bell.get()
            # Before the queue is looked at: what comes later rings again.
            self._rung = False
            entries = [self._queue.popleft() for _ in range(len(self._queue))]
            if entries:
                self._hand_over(self._settle(entries))
        self._books.close()

    def _settle(self, entries: list[Entry]) -> list[Outcome]:
        try:
            return self._transact(entries)
        except OutcomeUnknown as error:
            return [Outcome(it, None, _one_for_each(error)) for it in entries]
        except Exception as error:  # noqa: BLE001 (the thread lives on; the caller gets it)
            if len(entries) > 1:
                return [it for entry in entries for it in self._settle([entry])]
            return [Outcome(entries[0], None, _translated(error))]

    def _transact(self, entries: list[Entry]) -> list[Outcome]:
        books = self._books
        try:
            books.begin()
            outcomes = [Outcome(entry, entry.work(books), None) for entry in entries]
            books.commit()
        except BaseException:
            books.roll_back()
            raise
        return outcomes

    def _hand_over(self, outcomes: list[Outcome]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._deliver, outcomes)
        except RuntimeError:
            # The event loop is closed: nobody waits for these any more.
            return

    # in the event loop again

    def _deliver(self, outcomes: list[Outcome]) -> None:
        for entry, value, error in outcomes:
            match entry:
                case Asked(_, answer):
                    if answer.done():  # cancelled
                        continue
                    if error is None:
                        answer.set_result(value)
                    else:
                        answer.set_exception(error)
                case Told(_, committed):
                    if value and committed is not None:
                        # On its own, so that what it raises is its own affair.
                        self._loop.call_soon(committed)


def _translated(error: Exception) -> Exception:
    """An error of SQLite as the port's; any other is a fault, and shown as it is."""
    if not isinstance(error, apsw.Error):
        return error
    refusal = StoreUnavailable(reason=str(error) or type(error).__name__)
    refusal.__cause__ = error
    return refusal


def _one_for_each(unknown: OutcomeUnknown) -> OutcomeUnknown:
    """Another of these, since each that is raised collects its own traceback."""
    another = OutcomeUnknown()
    another.__cause__ = unknown.__cause__
    return another
