"""An application's functions that are told what becomes of messages.

What the chat tells is queued, and one task calls the functions, one at a time and in
the order of what happened, with as much as waits of one kind. So a function that is
slow holds up the others and nobody else: the queue is bounded, and what does not fit
is dropped, counted and logged. What a function raises is logged, and the next is told
as ever.
"""

import asyncio
import inspect
import logging
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple, TypeAlias, cast

from chatcore.message_events import (
    MailWaiting,
    MessageAcknowledged,
    MessageDelivered,
    MessageEvent,
    MessageStored,
)
from chatsystem.calling_thread import CallingThread

_log = logging.getLogger(__name__)

HELD_BYTES: Final = 16 * 1024 * 1024
"""What may wait for functions, the bodies of messages included."""

EVENT_BYTES: Final = 256
"""What an event takes besides its body, about."""

MOST_AT_ONCE: Final = 1000
"""So many events a function is told in one call, unless one batch has more."""

FINISH_S: Final = 5.0
"""How long functions are waited for when the chat stops."""

_FAILURES_LOGGED_EVERY_S: Final = 10.0

_Function: TypeAlias = Callable[[Sequence[MessageEvent]], object]


class _Batch(NamedTuple):
    """Events of one kind, and what they take."""

    events: list[MessageEvent]
    held_bytes: int


class Handlers:
    """Functions that are told what becomes of messages, after the commit::

        async def push(waiting):
            for it in waiting:
                await phones.notify(it.username)

        chat = Chat(store, handlers=Handlers(waiting=push))

    Each is called with a list of events, and may be a coroutine function, which runs in
    the chat's event loop, or a plain one, which runs in a thread of its own. One chat
    at a time has them.

    They are told at most once: what happened while they were slower than the chat for
    long, while the process ended, or where a commit was not answered, they never hear
    of. Who must not miss a message takes webhooks.

    Args:
        stored: is told of new messages (``MessageStored``).
        delivered: of messages that were given to a link (``MessageDelivered``).
        acknowledged: of messages that were acknowledged (``MessageAcknowledged``).
        waiting: of accounts that are offline and have mail (``MailWaiting``), each once
            until it has been online again.
        held_bytes: how much may wait for them.

    Attributes:
        wanted: see ``chatcore.ports.MessageHandlers``.
        dropped: likewise.
    """

    def __init__(
        self,
        *,
        stored: Callable[[Sequence[MessageStored]], object] | None = None,
        delivered: Callable[[Sequence[MessageDelivered]], object] | None = None,
        acknowledged: Callable[[Sequence[MessageAcknowledged]], object] | None = None,
        waiting: Callable[[Sequence[MailWaiting]], object] | None = None,
        held_bytes: int = HELD_BYTES,
    ) -> None:
        given: dict[type[MessageEvent], object] = {
            MessageStored: stored,
            MessageDelivered: delivered,
            MessageAcknowledged: acknowledged,
            MailWaiting: waiting,
        }
        self._functions = {
            kind: cast("_Function", function)
            for kind, function in given.items()
            if function is not None
        }
        self.wanted = frozenset(self._functions)
        self.dropped = 0
        self._most_bytes = held_bytes
        self._held_bytes = 0
        self._queue: deque[_Batch] = deque()
        self._dropping = 0
        self._log_failure_at_s = 0.0
        self._thread = CallingThread("chatcore-handlers")
        self._added = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def tell(self, events: Sequence[MessageEvent]) -> None:
        """See ``chatcore.ports.MessageHandlers``."""
        taken = [*events]
        size = EVENT_BYTES * len(taken)
        if isinstance(taken[0], MessageStored):
            size += sum(
                sys.getsizeof(it.body) for it in cast("list[MessageStored]", taken)
            )
        if self._queue and self._held_bytes + size > self._most_bytes:
            if not self._dropping:
                _log.warning("Handlers are too slow: what they cannot take is dropped")
            self._dropping += len(taken)
            self.dropped += len(taken)
            return
        self._held_bytes += size
        self._queue.append(_Batch(taken, size))
        self._idle.clear()
        self._added.set()

    async def run(self) -> None:
        """See ``chatcore.ports.MessageHandlers``."""
        # Of this event loop, whichever there was before.
        self._added, self._idle = asyncio.Event(), asyncio.Event()
        try:
            while True:
                while self._queue:
                    await self._call(self._next())
                self._tell_dropped()
                self._idle.set()
                self._added.clear()
                await self._added.wait()
        finally:
            self._thread.stop()

    async def finish(self) -> None:
        """See ``chatcore.ports.MessageHandlers``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISH_S):
                await self._idle.wait()
        if self._queue:
            left = sum(len(it.events) for it in self._queue)
            self.dropped += left
            _log.warning("Handlers did not come to %d events before the end", left)
            self._queue.clear()
            self._held_bytes = 0

    def _next(self) -> list[MessageEvent]:
        """What waits next, together with what follows of the same kind."""
        events, size = self._queue.popleft()
        queue, kind = self._queue, type(events[0])
        while (
            queue
            and type(queue[0].events[0]) is kind
            and len(events) + len(queue[0].events) <= MOST_AT_ONCE
        ):
            more = queue.popleft()
            events += more.events
            size += more.held_bytes
        self._held_bytes -= size
        return events

    async def _call(self, events: list[MessageEvent]) -> None:
        function = self._functions[type(events[0])]
        try:
            if inspect.iscoroutinefunction(function):
                await function(events)
                return
            answer = await self._thread.call(lambda: function(events))
            if inspect.isawaitable(answer):  # of an object whose __call__ is async
                await cast("Awaitable[object]", answer)
        except BaseException as error:  # an application's fault ends nothing
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            self._log_failure(function, error)

    def _log_failure(self, function: _Function, error: BaseException) -> None:
        """Tell of a fault of the application's; of many in a while, of one."""
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._log_failure_at_s:
            self._log_failure_at_s = now_s + _FAILURES_LOGGED_EVERY_S
            name = getattr(function, "__qualname__", type(function).__name__)
            _log.error("The handler %s failed", name, exc_info=error)

    def _tell_dropped(self) -> None:
        if self._dropping:
            _log.warning("Handlers have caught up: %d events dropped", self._dropping)
            self._dropping = 0
