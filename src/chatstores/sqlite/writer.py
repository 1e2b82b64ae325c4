"""The one thread that has the file, and commits for all who wait (group commit).

Callers queue work. The thread takes all that has queued up, does it in order in one
transaction, commits, and hands all results to the event loop in one call: under load
one wait for the disk serves everybody, alone nobody waits for company. Who only reads
mail does not wait for what nobody waits for: a mailbox is drained page by page, each
after the acknowledgement of the one before, and would wait for the disk at each.

When the transaction fails it is rolled back, and each piece of work is done again in a
transaction of its own: one that cannot be done (the disk is full) does not take along
those that can (they only read). Only where the commit itself has no answer, or what it
is shipped to cannot be reached, is nothing repeated: everybody is told.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias, TypeVar

import apsw

from chatcore.errors import Outage, StoreUnavailable
from chatstores.call_queue import Ask, CallQueue, Entry, Outcome, another, closed
from chatstores.sqlite.database import Database
from chatstores.sqlite.disk_monitor import DiskMonitor

T = TypeVar("T")

STEP_EVERY_S: Final = 0.005
"""How often a step is done of what runs beside. A backup as fast as it goes fills the
disk's queue, and each commit waits for its sync behind that."""

Work: TypeAlias = Callable[[Database], T]
_Entry: TypeAlias = Entry[Work[object]]
_Outcome: TypeAlias = Outcome[Work[object]]


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


class Writer(CallQueue[Work[object]]):
    """The thread and its queue. Its methods are for the event loop's thread."""

    def __init__(self, database: Database, monitor: DiskMonitor) -> None:
        super().__init__()
        self._database = database
        self._monitor = monitor
        self._looks: deque[Ask[Work[object]]] = deque()
        self._is_due = False
        self._beside: deque[Beside] = deque()
        self._step_at_s = 0.0
        self._wakeups: SimpleQueue[Wakeup] = SimpleQueue()
        self._is_awake = False
        self._thread = Thread(target=self._run, name="chatcore-sqlite", daemon=True)
        self._thread.start()

    if TYPE_CHECKING:

        def ask(self, call: Work[T]) -> "asyncio.Future[T]":
            """The answer is of the type that the work returns."""

    def look(self, work: Work[T]) -> "asyncio.Future[T]":
        """As ``ask``, for work that changes nothing, and to which it is all the same
        whether the work that was told has been done.
        """
        if self._closed:
            raise closed()
        answer: asyncio.Future[T] = self._loop.create_future()
        self._looks.append(Ask(work, answer))
        self._wake_thread()
        return answer

    @property
    def has_work(self) -> bool:
        """Whether some was asked or told of that the thread has not taken."""
        return bool(self._queue)

    def _wake_up(self) -> None:
        self._is_due = True
        if not self._is_awake:
            # After this turn of the loop, in which others may ask as well: the thread
            # takes them along, and does not contend for the interpreter meanwhile.
            self._is_awake = True
            self._loop.call_soon(self._wakeups.put, Wakeup.WORK)

    def _wake_thread(self) -> None:
        """As ``_wake_up``, for what is not queued."""
        if not self._is_awake:
            self._is_awake = True
            self._loop.call_soon(self._wakeups.put, Wakeup.WORK)

    def beside(self, steps: Steps) -> "asyncio.Future[None]":
        """Have steps done between transactions, one at a time, to the last.

        Raises what they raise, or ``StoreUnavailable`` when the store is closed first.
        """
        if self._closed:
            raise closed()
        ended: asyncio.Future[None] = self._loop.create_future()
        self._beside.append(Beside(steps, ended))
        self._wake_thread()
        return ended

    async def close(self) -> None:
        """Do what is queued, then give the file back."""
        self._stop()
        self._wakeups.put(Wakeup.LAST)
        await asyncio.to_thread(self._thread.join)

    # in the thread

    def _run(self) -> None:
        wakeup = Wakeup.WORK
        while wakeup is not Wakeup.LAST:
            wakeup = self._next_wakeup()
            # Before the queue is looked at: what comes later rings again.
            self._is_awake = False
            entries: list[_Entry] = []
            if self._is_due or wakeup is Wakeup.LAST:
                self._is_due = False
                entries += [self._queue.popleft() for _ in range(len(self._queue))]
            entries += [self._looks.popleft() for _ in range(len(self._looks))]
            if entries:
                self._hand_over(self._carry_out(entries))
            if self._beside and time.monotonic() >= self._step_at_s:
                self._step_beside()
            self._monitor.look(self._database.batch.connection)
        while self._beside:
            self._beside[0].steps.abandon()
            self._end_beside(closed())
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

    def _carry_out(self, entries: list[_Entry]) -> list[_Outcome]:
        try:
            return self._transact(entries)
        except Outage as error:
            return [Outcome(it, None, another(error)) for it in entries]
        except Exception as error:  # noqa: BLE001 (the thread lives on; the caller gets it)
            if len(entries) > 1:
                return [it for entry in entries for it in self._carry_out([entry])]
            return [Outcome(entries[0], None, _translated(error))]

    def _transact(self, entries: list[_Entry]) -> list[_Outcome]:
        database = self._database
        try:
            database.begin()
            outcomes = [Outcome(entry, entry.call(database), None) for entry in entries]
            database.commit()
        except BaseException:
            database.roll_back()
            raise
        return outcomes

    def _hand_over(self, outcomes: list[_Outcome]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._settle, outcomes)
        except RuntimeError:
            # The event loop is closed: nobody waits for these any more.
            return


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
