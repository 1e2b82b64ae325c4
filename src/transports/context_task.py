"""An asynchronous context that lives in a task of its own."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

T = TypeVar("T")


class ContextTask(Generic[T]):
    """Enters a context and leaves it in one task, whoever opens and closes it.

    A context with a task group wants to be left by the task that entered it, and when
    it fails it cancels that task. A plug-in of pytest may set a fixture up in one task
    and tear it down in another, with the test in a third; and a program that does not
    await opens and closes from outside the event loop.
    """

    def __init__(self, context: AbstractAsyncContextManager[T]) -> None:
        self._context = context
        self._closing = asyncio.Event()
        self._opened: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None
        self._ends_with: BaseException | None = None

    async def open(self) -> T:
        """Enter the context; what it gives. Raises what entering it raises.

        Once, and ``close`` comes after it, also when it was cancelled.
        """
        self._task = asyncio.get_running_loop().create_task(self._hold())
        return await asyncio.shield(self._opened)

    async def close(
        self, *, error: BaseException | None = None, within_s: float | None = None
    ) -> None:
        """Leave the context, with this error if there is one. Raises what that raises,
        or what had ended it before, but for that error.

        Raises ``TimeoutError`` when it took too long; the task was cancelled then.
        """
        self._ends_with = error
        self._closing.set()
        if self._task is not None:
            async with asyncio.timeout(within_s):
                await self._task

    async def _hold(self) -> None:
        try:
            async with self._context as entered:
                self._opened.set_result(entered)
                await self._until_closing()
        except BaseException as error:
            if not self._opened.done():
                self._opened.set_exception(error)
            elif error is not self._ends_with:
                raise

    async def _until_closing(self) -> None:
        await self._closing.wait()
        if self._ends_with is not None:
            raise self._ends_with
