"""The one thread that has the file, and commits for all who wait (group commit).

Callers queue work. The thread takes all that has queued up, does it in order in one
transaction, commits, and hands all results to the event loop in one call: under load
one wait for the disk serves everybody, alone nobody waits for company. Who only reads
mail does not wait for what nobody waits for: a mailbox is drained page by page, each
after the acknowledgement of the one before, and would wait for the disk at each.

When the transaction fails it is rolled back, and each piece of work is done again in a
transaction of its own: one that cannot be done (the disk is full) does not take along
those that can (they only read). Only where the commit itself has no answer is nothing
repeated: everybody is told that the outcome is unknown.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, NamedTuple, Protocol, TypeAlias, TypeVar

import apsw

from chatcore.errors import OutcomeUnknown, StoreUnavailable
from chatstores.sqlite.database import Database
from chatstores.sqlite.disk_monitor import DiskMonitor

T = TypeVar("T")

TELL_WITHIN_S: Final = 0.5
"""How long work that nobody waits for is left alone (M4 allows 1 s)."""

TELL_AT_MOST: Final = 1024
"""So much of it starts a transaction of its own."""

STEP_EVERY_S: Final = 0.005
"""How often a step is done of what runs beside. A backup as fast as it goes fills the
disk's queue, and each commit waits for its sync behind that."""

Work: TypeAlias = Callable[[Database], T]


class Ask(NamedTuple):
    """Work that somebody waits for."""

    work: Work[object]
    answer: "asyncio.Future[object]"


class Tell(NamedTuple):
    """Work that nobody waits for; ``committed`` is called when it changed anything."""

    work: Work[bool]
    committed: Callable[[], None] | None


Entry: TypeAlias = Ask | Tell


class Steps(Protocol):
    """Work outside of transactions, some of it at a time."""

    def step(self) -> bool:
        """Do the next of it; whether that was the last. What raises has ended it."""
        ...

    def abandon(self) -> None:
        """End it as it is."""
        ...


class Beside(NamedTuple):
    """Such work, and who waits for its end."""

    steps: Steps
    ended: "asyncio.Future[None]"


class Wakeup(Enum):
    """Why the thread is woken."""

    WORK = 1
    LAST = 2


class Outcome(NamedTuple):
    """What became of an entry: ``error``, or ``value``."""

    entry: Entry
    value: object
    error: Exception | None


class Writer:
    """The thread and its queue. Its methods are for the event loop's thread.

    The queue is bounded by those who ask, since each waits for its answer, and by
    ``TELL_AT_MOST``.
    """

    def __init__(self, database: Database, monitor: DiskMonitor) -> None:
        self._database = database
        self._monitor = monitor
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Entry] = deque()
        self._looks: deque[Ask] = deque()
        self._is_due = False
        self._beside: deque[Beside] = deque()
        self._step_at_s = 0.0
        self._wakeups: SimpleQueue[Wakeup] = SimpleQueue()
        self._is_awake = False
        self._tells = 0
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
        self._queue.append(Ask(work, answer))  # type: ignore[arg-type]  # T is object
        self._is_due = True
        self._wake_up_later()
        return answer

    def look(self, work: Work[T]) -> "asyncio.Future[T]":
        """As ``ask``, for work that changes nothing, and to which it is all the same
        whether the work that was told has been done.
        """
        if self._closed:
            raise StoreUnavailable(reason="it is closed")
        answer: asyncio.Future[T] = self._loop.create_future()
        self._looks.append(Ask(work, answer))  # type: ignore[arg-type]  # as above
        self._wake_up_later()
        return answer

    @property
    def has_work(self) -> bool:
        """Whether some was asked or told of that the thread has not taken."""
        return bool(self._queue)

    def _wake_up_later(self) -> None:
        if not self._is_awake:
            # After this turn of the loop, in which others may ask as well: the thread
            # takes them along, and does not contend for the interpreter meanwhile.
            self._is_awake = True
            self._loop.call_soon(self._wakeups.put, Wakeup.WORK)

    def tell(
        self, work: Work[bool], committed: Callable[[], None] | None = None
    ) -> None:
        """Queue work for the next transaction, at the latest in ``TELL_WITHIN_S``.

        ``committed`` is called from the event loop, in the order of commits, unless the
        work changed nothing or could not be done.
        """
        if self._closed:
            return
        self._queue.append(Tell(work, committed))
        self._tells += 1
        if self._tells >= TELL_AT_MOST:
            self._wake_up()
        elif self._reminder is None:
            self._reminder = self._loop.call_later(TELL_WITHIN_S, self._remind)

    def beside(self, steps: Steps) -> "asyncio.Future[None]":
        """Have steps done between transactions, one at a time, to the last.

        Raises what they raise, or ``StoreUnavailable`` when the store is closed first.
        """
        if self._closed:
            raise StoreUnavailable(reason="it is closed")
        ended: asyncio.Future[None] = self._loop.create_future()
        self._beside.append(Beside(steps, ended))
        self._wake_up()
        return ended

    async def close(self) -> None:
        """Do what is queued, then give the file back."""
        self._closed = True
        if self._reminder is not None:
            self._reminder.cancel()
        self._wakeups.put(Wakeup.LAST)
        await asyncio.to_thread(self._thread.join)

    def _remind(self) -> None:
        self._reminder = None
        if self._tells:
            self._wake_up()

    def _wake_up(self) -> None:
        self._tells = 0
        self._is_due = True
        if not self._is_awake:
            self._is_awake = True
            self._wakeups.put(Wakeup.WORK)

    # in the thread

    def _run(self) -> None:
        wakeup = Wakeup.WORK
        while wakeup is not Wakeup.LAST:
            wakeup = self._next_wakeup()
            # Before the queue is looked at: what comes later rings again.
            self._is_awake = False
            entries: list[Entry] = []
            if self._is_due or wakeup is Wakeup.LAST:
                self._is_due = False
                entries += [self._queue.popleft() for _ in range(len(self._queue))]
            entries += [self._looks.popleft() for _ in range(len(self._looks))]
            if entries:
                self._hand_over(self._settle(entries))
            if self._beside and time.monotonic() >= self._step_at_s:
                self._step_beside()
            self._monitor.look(self._database.batch.connection)
        while self._beside:
            self._beside[0].steps.abandon()
            self._end_beside(StoreUnavailable(reason="it is closed"))
        self._database.close()

    def _next_wakeup(self) -> Wakeup:
        """Wait to be woken, or for the next step of what runs beside."""
        if not self._beside:
            return self._wakeups.get()
        try:
            return self._wakeups.get(timeout=max(0, self._step_at_s - time.monotonic()))
        except Empty:
            return Wakeup.WORK

    def _step_beside(self) -> None:
        """Do one step of what runs beside."""
        try:
            if self._beside[0].steps.step():
                self._end_beside(None)
        except Exception as error:  # noqa: BLE001 (the thread lives on; the caller gets it)
            self._end_beside(error)
        self._step_at_s = time.monotonic() + STEP_EVERY_S

    def _end_beside(self, error: Exception | None) -> None:
        ended = self._beside.popleft().ended
        with suppress(RuntimeError):  # the event loop is closed
            self._loop.call_soon_threadsafe(_end, ended, error)

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
        database = self._database
        try:
            database.begin()
            outcomes = [Outcome(entry, entry.work(database), None) for entry in entries]
            database.commit()
        except BaseException:
            database.roll_back()
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


def _end(ended: "asyncio.Future[None]", error: Exception | None) -> None:
    if ended.done():  # cancelled
        return
    if error is None:
        ended.set_result(None)
    else:
        ended.set_exception(error)


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
