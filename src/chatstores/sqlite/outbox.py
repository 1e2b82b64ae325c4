"""The ``Outbox`` port over one SQLite file, as work of its writer."""

from collections.abc import Sequence
from functools import partial

from chatcore.outbox import QueuedWebhook, Retry
from chatstores.sqlite.database import Database
from chatstores.sqlite.writer import Writer


class SqliteOutbox:
    """See ``chatcore.outbox.Outbox``."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._table = database.webhooks
        self._writer = writer

    @property
    def waiting(self) -> int:
        """How many have not failed for good."""
        return self._table.waiting

    @property
    def failed(self) -> int:
        """How many have."""
        return self._table.failed

    async def begin(
        self, targets: Sequence[str], *, with_body: bool, retry_failed: bool
    ) -> None:
        """Keep webhooks from now on."""
        table = self._table
        begin = partial(
            table.begin, targets, with_body=with_body, retry_failed=retry_failed
        )
        await self._writer.ask(lambda _: begin())

    async def due(
        self, target: str, *, now_ms: int, longest_ms: int, limit: int
    ) -> Sequence[QueuedWebhook]:
        """What a target is to be told now."""
        table = self._table
        due = partial(
            table.due, target, now_ms=now_ms, longest_ms=longest_ms, limit=limit
        )
        return await self._writer.look(lambda _: due())

    async def settle(
        self, *, sent: Sequence[int], again: Sequence[Retry], failed: Sequence[int]
    ) -> None:
        """Take note of what became of some."""
        table = self._table
        settle = partial(table.settle, sent=sent, again=again, failed=failed)
        await self._writer.ask(lambda _: settle())
