"""What is being done for one link, at once or in tasks, until the link is over."""

import asyncio
import logging
from collections.abc import Awaitable, Coroutine

from transports.eager import run_at_once

_log = logging.getLogger(__name__)


class LinkWork:
    """Runs coroutines, as far as they go at once and the rest in tasks.

    None is ever cancelled: each sees that the link is over, and returns. A fault in one
    ends the link.

    Attributes:
        is_over: nothing more is read or written.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self.is_over = False

    def finish(self) -> None:
        """Have nothing more done: the link is gone, or has been closed."""
        self.is_over = True
        if not self._over.done():
            self._over.set_result(None)

    async def finished(self) -> None:
        """Return once it is over."""
        await self._over

    async def join(self) -> None:
        """Return once nothing runs any more."""
        while self._tasks:
            await asyncio.wait(self._tasks)

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
        self._tasks.add(self._loop.create_task(self._guard(work)))

    async def _guard(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  # as above
            self._fail(error)
        finally:
            task = asyncio.current_task()
            if task is not None:
                self._tasks.discard(task)

    def _fail(self, error: Exception) -> None:
        _log.error("A link ended by a fault of the server", exc_info=error)
        self.finish()
