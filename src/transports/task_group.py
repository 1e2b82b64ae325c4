"""A task group for blocks that end in order, also by an error."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def plain_task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group whose block may fail: what it raised comes out as it was.

    ``asyncio.TaskGroup`` alone would wrap it, and cancel tasks that are at work. Here
    they are waited for, so the block has them end before it does, without waiting: what
    has to be awaited for that may be cancelled, as in ``transports.server.serve``.
    """
    failure: BaseException | None = None
    async with asyncio.TaskGroup() as tasks:
        try:
            yield tasks
        except BaseException as error:  # noqa: BLE001  # raised below, as it came
            failure = error
    if failure is not None:
        raise failure
