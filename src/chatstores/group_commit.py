"""What every store over a network needs: calls in order, several to a commit.

The store gives a coroutine function that carries out a batch; this calls it, one batch
at a time, with all that has queued up meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from chatcore.errors import Outage, OutcomeUnknown
from chatstores.call_queue import Call, CallQueue, Entry, Outcome, another

BATCH: Final = 256
"""Calls to a commit, at most: the others wait for the next."""

Commit: TypeAlias = Callable[[Sequence[Call]], Awaitable[Sequence[object]]]
"""Carries calls out in their order, and answers for each its value, or the exception
that it alone has met. What it raises has met them all."""


class GroupCommit(CallQueue[Call]):
    """A task that commits what is asked and told, for as long as it is open.

    An ``Outage`` that ``commit`` raises is told to each of the batch. So is
    ``OutcomeUnknown`` for anything else: a link that was lost before it had answered
    may have been lost after the commit. Whether to connect anew is the store's affair;
    the next batch is tried.
    """

    def __init__(self, commit: Commit[Call]) -> None:
        super().__init__()
        self._commit = commit
        self._woken = asyncio.Event()
        self._task = self._loop.create_task(self._run())

    async def close(self) -> None:
        """Commit what is queued, and end. What comes later is refused."""
        self._stop()
        self._wake_up()
        await self._task

    def _wake_up(self) -> None:
        self._woken.set()

    async def _run(self) -> None:
        while self._queue or not self._closed:
            await self._woken.wait()
            self._woken.clear()
            while self._queue:
                batch = [
                    self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))
                ]
                self._settle(await self._outcomes(batch))

    async def _outcomes(self, batch: Sequence[Entry[Call]]) -> list[Outcome[Call]]:
        try:
            values = await self._commit([it.call for it in batch])
            return [
                Outcome(entry, None, value)
                if isinstance(value, Exception)
                else Outcome(entry, value, None)
                for entry, value in zip(batch, values, strict=True)
            ]
        except Outage as outage:
            return [Outcome(it, None, another(outage)) for it in batch]
        except Exception as error:  # noqa: BLE001 (the task lives on; the callers get it)
            unknown = OutcomeUnknown()
            unknown.__cause__ = error
            return [Outcome(it, None, another(unknown)) for it in batch]
