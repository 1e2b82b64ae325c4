"""Webhooks in the file, a row for each message and target.

They are written and read beside the journal: nothing here has to do with the tables
that it is applied to, so it stays as it is.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Final

import apsw

from chatcore.ids import AccountId
from chatcore.outbox import QueuedWebhook, Retry
from chatstores.sqlite.values import Row, Value, fetch_int

WEBHOOKS_SINCE: Final = 7
"""The first schema that has the table."""

_CHUNKS: Final = (16, 4, 1)
"""Rows to a statement, as in ``write_batch``."""

_INSERT: Final = (
    "INSERT INTO webhook (target, due_at_ms, sender, sender_name, recipient, "
    "recipient_name, position, sent_at_ms, body) VALUES "
)
_VALUES: Final = "(?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DUE: Final = (
    "SELECT number, attempts, sender, sender_name, recipient, recipient_name, "
    "position, sent_at_ms, body FROM webhook WHERE failed = 0 AND target = ? "
)
_DUE_NOW: Final = f"{_DUE} AND due_at_ms <= ? ORDER BY due_at_ms, number LIMIT ?"
_DUE_NEVER: Final = f"{_DUE} AND due_at_ms > ? ORDER BY due_at_ms, number LIMIT ?"


class WebhookTable:
    """The table, and how much is in it. Used by the thread that has the file.

    Attributes:
        targets: for whom rows are written with each message; for nobody before
            ``begin``.
        waiting: how many rows have not failed, by the last commit.
        failed: how many have.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.targets: Sequence[str] = ()
        self._with_body = False
        self.waiting = self.failed = 0
        self._waiting = self._failed = 0
        self.recall()

    def recall(self) -> None:
        """Count what is there, outside of a transaction or before it changes any."""
        self._count()
        self.committed()

    def _count(self) -> None:
        count = "SELECT count(*) FROM webhook WHERE failed = "
        self._waiting = fetch_int(self._connection, f"{count} 0")
        self._failed = fetch_int(self._connection, f"{count} 1")

    def committed(self) -> None:
        """What was changed holds."""
        self.waiting, self.failed = self._waiting, self._failed

    def rolled_back(self) -> None:
        """What was changed does not."""
        self._waiting, self._failed = self.waiting, self.failed

    def begin(
        self, targets: Sequence[str], *, with_body: bool, retry_failed: bool
    ) -> None:
        """Keep webhooks from now on."""
        self.targets = tuple(targets)
        self._with_body = with_body
        named = ", ".join("?" * len(targets))
        if retry_failed:
            self._write(
                "UPDATE webhook SET failed = 0, attempts = 0, due_at_ms = 0 "  # noqa: S608  # as many places as targets
                f"WHERE failed = 1 AND target IN ({named})",
                *targets,
            )
        self._write(
            "UPDATE webhook SET failed = 1 "  # noqa: S608  # as above
            f"WHERE failed = 0 AND target NOT IN ({named})",
            *targets,
        )
        self._count()

    def keep(self, stored: Sequence[tuple[Value, ...]]) -> None:
        """Write rows for messages that are being stored.

        Each is its sender, that one's name, its recipient, that one's name, position,
        time and body.
        """
        rows = [
            (target, it[5], *it) if self._with_body else (target, it[5], *it[:6], None)
            for it in stored
            for target in self.targets
        ]
        start = 0
        for chunk in _CHUNKS:
            sql = _INSERT + ", ".join([_VALUES] * chunk)
            while len(rows) - start >= chunk:
                bindings = chain.from_iterable(rows[start : start + chunk])
                self._connection.execute(sql, tuple(bindings))
                start += chunk
        self._waiting += len(rows)

    def due(
        self, target: str, *, now_ms: int, longest_ms: int, limit: int
    ) -> Sequence[QueuedWebhook]:
        """What a target is to be told now."""
        execute = self._connection.execute
        rows: list[Row] = execute(_DUE_NOW, (target, now_ms, limit)).fetchall()
        if len(rows) < limit:
            never = (target, now_ms + longest_ms, limit - len(rows))
            rows += execute(_DUE_NEVER, never).fetchall()
        return [QueuedWebhook(*row) for row in rows]

    def settle(
        self, *, sent: Sequence[int], again: Sequence[Retry], failed: Sequence[int]
    ) -> None:
        """Take note of what became of some."""
        for number in sent:
            gone = self._write(
                "DELETE FROM webhook WHERE number = ? AND failed = 0", number
            )
            self._waiting -= gone
        for number, due_at_ms in again:
            self._write(
                "UPDATE webhook SET due_at_ms = ?, attempts = attempts + 1 "
                "WHERE number = ? AND failed = 0",
                due_at_ms,
                number,
            )
        for number in failed:
            changed = self._write(
                "UPDATE webhook SET failed = 1 WHERE number = ? AND failed = 0", number
            )
            self._waiting -= changed
            self._failed += changed

    def drop_bodies(self, account: AccountId, *, sent: bool) -> None:
        """Tell no body of a message to this account; with ``sent``, nor from it."""
        drop = "UPDATE webhook SET body = NULL WHERE body IS NOT NULL AND "
        self._write(f"{drop} recipient = ?", account)
        if sent:
            self._write(f"{drop} sender = ?", account)

    def forget(self, before_ms: int) -> None:
        """Drop those that have failed whose messages are older."""
        self._failed -= self._write(
            "DELETE FROM webhook WHERE failed = 1 AND sent_at_ms < ?", before_ms
        )

    def _write(self, sql: str, *bindings: Value) -> int:
        self._connection.execute(sql, bindings)
        return self._connection.changes()
