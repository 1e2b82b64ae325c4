"""An asynchronous context that lives in a task of its own."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

T = TypeVar("T")


class ContextTask(Generic[T]):
    """Enters a context and leaves it in one task, whoever opens and closes it.

    A context with a task group wants to be left by the task that entered it, and when
    it fails it cancels that task. A plug-in of pytest may set a fixture up in one task
    and tear it down in another, with the test in a third.
    """

    def __init__(self, context: AbstractAsyncContextManager[T]) -> None:
        self._context = context
        self._closing = asyncio.Event()
        self._opened: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> T:
        """Enter the context; what it gives. Raises what entering it raises.

        Once, and ``close`` comes after it, also when it was cancelled.
        """
        self._task = asyncio.get_running_loop().create_task(self._hold())
        return await asyncio.shield(self._opened)

    async def close(self, *, within_s: float | None = None) -> None:
        """Leave the context. Raises what that raises, or what had ended it before.

        Raises ``TimeoutError`` when it took too long; the task was cancelled then.
        """
        self._closing.set()
        if self._task is not None:
            async with asyncio.timeout(within_s):
                await self._task

    async def _hold(self) -> None:
        try:
            async with self._context as entered:
                self._opened.set_result(entered)
                await self._closing.wait()
        except BaseException as error:
            if self._opened.done():
                raise
            self._opened.set_exception(error)
