"""What is being done for one link, at once or in tasks, until the link is over."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context

from transports.eager import run_at_once

_log = logging.getLogger(__name__)


class LinkWork:
    """Runs coroutines, as far as they go at once and the rest in tasks.

    None is ever cancelled: each sees that the link is over, and returns. A fault in one
    ends the link.

    Args:
        on_over: called by the event loop once it is over.

    Attributes:
        is_over: nothing more is read or written.
    """

    __slots__ = ("_context", "_loop", "_on_idle", "_on_over", "_tasks", "is_over")

    def __init__(self, on_over: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        # Of whoever serves the link, and not of the socket's reader: it names the
        # connection for the log.
        self._context = copy_context()
        self._on_over = on_over
        self._on_idle: Callable[[], None] | None = None
        self._tasks: set[asyncio.Task[None]] | None = None  # an idle link has none
        self.is_over = False

    def finish(self) -> None:
        """Have nothing more done: the link is gone, or has been closed."""
        if not self.is_over:
            self.is_over = True
            self._loop.call_soon(self._on_over, context=self._context)

    def call_when_idle(self, call: Callable[[], None]) -> None:
        """Call this once nothing runs any more, which may be now."""
        if self._tasks:
            self._on_idle = call
        else:
            call()

    def begin(self, work: Coroutine[object, None, None]) -> bool:
        """Run this as far as it goes, the rest in a task; whether it has ended.

        It may ask for no current task until it first waits.
        """
        try:
            rest = run_at_once(work)
        except Exception as error:  # noqa: BLE001  # a fault of ours ends one link, not all
            self._fail(error)
            return True
        if rest is not None:
            self.spawn(rest)
        return rest is None

    def spawn(self, work: Awaitable[None]) -> None:
        """Run this in a task."""
        if self._tasks is None:
            self._tasks = set()
        guarded = self._guard(work)
        self._tasks.add(self._loop.create_task(guarded, context=self._context))

    async def _guard(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  # as above
            self._fail(error)
        finally:
            task = asyncio.current_task()
            if task is not None and self._tasks is not None:
                self._tasks.discard(task)
                if not self._tasks:
                    self._tasks = None
                    if self._on_idle is not None:
                        self._on_idle()

    def _fail(self, error: Exception) -> None:
        _log.error("A link ended by a fault of the server", exc_info=error)
        self.finish()
