"""The open file: its transactions, and the rows that wait to be written.

Deposits and acknowledgements, the many, are not written one by one: they are *posted*,
and written together before the commit, or before anything else looks into the file.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from time import perf_counter
from typing import Final

import apsw

from chatcore.counters import StoreCounters
from chatcore.errors import OutcomeUnknown
from chatcore.ids import AccountId, Position
from chatstores.sqlite.values import Row, Value

_CHUNKS: Final = (16, 4, 1)
"""Rows to a statement. Each statement lets go of the interpreter's lock and has to get
it back; beyond 16 rows there was no more to gain."""

_MESSAGE: Final = (
    "INSERT INTO message (account, position, sender, sent_at_ms, body) VALUES ",
    "(?, ?, ?, ?, ?)",
)
_COUNT_MESSAGES: Final = "SELECT count(*) FROM message"
_KEY: Final = (
    "INSERT INTO send_key VALUES ",
    "(?, ?, ?, ?, ?, ?, ?, ?)",
)
_FIND_KEY: Final = (
    "SELECT body_digest, recipient_id, position, sent_at_ms FROM send_key "
    "WHERE key = ? AND sender = ? AND recipient = ?"
)

_COUNT_BEFORE_REMOVAL: Final = """
    WITH gone (decision, messages) AS (
        SELECT decision, count(*)
        FROM message JOIN deletion ON deletion.account = message.sender
        WHERE message.account = ?1 AND position <= ?2 AND bounced = 0
            AND finished = 0
            AND (message.account, position) > (walked_account, walked_position)
        GROUP BY decision
    )
    UPDATE deletion
    SET kept = kept + iif(retract, 0, messages),
        retracted = retracted + iif(retract, messages, 0)
    FROM gone WHERE gone.decision = deletion.decision
"""
"""What deleted accounts have sent to a live mailbox was there at their decision. The
walk of a deletion counts what is there when it comes by; what is acknowledged before
that has to be counted as it goes."""


class WriteBatch:
    """One connection and its transaction. Used by one thread.

    Attributes:
        transactions: how many were committed, for measuring.
        deletions_run: whether any deletion is decided and not worked off.
        counters: what the file holds, and what commits have taken.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self.transactions = 0
        self.deletions_run = False
        self.counters = StoreCounters(has_commits=True)
        self._waiting = 0
        self._begun_s = 0.0
        self._rows_before = 0
        self._messages: list[Row] = []
        self._keys: dict[Row, Row] = {}
        self._acknowledged: dict[AccountId, Position] = {}
        self.recall_deletions()
        (self._waiting,) = self.row(_COUNT_MESSAGES)
        self.counters.waiting = self._waiting

    # transactions

    def begin(self) -> None:
        """Start a transaction."""
        if self.connection.in_transaction:
            # The last one could not be rolled back when it failed.
            self.connection.execute("ROLLBACK")
        self.connection.execute("BEGIN")
        self._begun_s = perf_counter()
        self._rows_before = self.connection.total_changes()

    def commit(self) -> None:
        """End it: it is on disk when this returns.

        Raises ``OutcomeUnknown`` when the commit record may have reached the disk; any
        other error means that it has not.
        """
        self._write_posted()
        try:
            self.connection.execute("COMMIT")
        except (apsw.FullError, apsw.BusyError, apsw.ReadOnlyError):
            raise
        except apsw.Error as error:
            if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_WRITE:
                raise  # a record that is not whole is none
            raise OutcomeUnknown from error
        self.transactions += 1
        rows = self.connection.total_changes() - self._rows_before
        if rows:
            self.counters.waiting = self._waiting
            self.counters.observe_commit(perf_counter() - self._begun_s, rows)

    def roll_back(self) -> None:
        """Undo it, and drop what was posted. What fails here is done by ``begin``."""
        self._messages.clear()
        self._keys.clear()
        self._acknowledged.clear()
        self._waiting = self.counters.waiting
        # Some errors have ended the transaction already.
        if self.connection.in_transaction:
            with suppress(apsw.Error):
                self.connection.execute("ROLLBACK")

    def recall_deletions(self) -> None:
        """Read whether deletions are being worked off."""
        self.deletions_run = bool(
            self.rows("SELECT 1 FROM deletion WHERE finished = 0 LIMIT 1")
        )

    # reading and writing

    def rows(self, sql: str, *bindings: Value) -> list[Row]:
        """All rows that ``sql`` answers."""
        self._write_posted()
        return self.connection.execute(sql, bindings).fetchall()

    def each(self, sql: str, *bindings: Value) -> Iterator[Row]:
        """The rows that ``sql`` answers, one at a time: only those taken are read."""
        self._write_posted()
        return self.connection.execute(sql, bindings)

    def row(self, sql: str, *bindings: Value) -> Row:
        """The first row; an empty tuple when there is none."""
        self._write_posted()
        return self.connection.execute(sql, bindings).fetchone() or ()

    def write(self, sql: str, *bindings: Value) -> int:
        """Run a statement that writes; answer how many rows it changed."""
        self._write_posted()
        self.connection.execute(sql, bindings)
        return self.connection.changes()

    def write_each(self, sql: str, rows: Iterable[Row]) -> None:
        """Run a statement that writes, once for each row of bindings."""
        self._write_posted()
        self.connection.executemany(sql, rows)

    def count_bounce(self) -> None:
        """Take note of a bounce that was put into a mailbox."""
        self._waiting += 1

    def remove_messages(self, sql: str, rows: Iterable[Row]) -> None:
        """Run a statement that takes messages out, once for each row of bindings."""
        self._write_posted()
        self._remove_messages(sql, rows)

    def _remove_messages(self, sql: str, rows: Iterable[Row]) -> None:
        before = self.connection.total_changes()
        self.connection.executemany(sql, rows)
        self._waiting -= self.connection.total_changes() - before

    # posting

    def post_message(self, row: Row) -> None:
        """Write a message with the commit: account, position, sender, time, body."""
        self._messages.append(row)

    def post_key(self, key: Row, result: Row) -> None:
        """Write a row of ``send_key`` with the commit: its key, sender and recipient,
        and what was answered.
        """
        self._keys[key] = result

    def key_row(self, key: Row) -> Row:
        """What ``post_key`` was given with this key, also earlier; else an empty tuple.

        A look-up writes nothing that waits: repeats come between other deposits.
        """
        result = self._keys.get(key)
        if result is None:
            result = self.connection.execute(_FIND_KEY, key).fetchone()
        return result or ()

    def post_acknowledgement(self, account: AccountId, position: Position) -> None:
        """Remove the mail of a live account up to ``position`` with the commit."""
        self._acknowledged[account] = position

    def _write_posted(self) -> None:
        # Deposits first: an acknowledgement may remove them.
        if self._messages:
            messages, self._messages = self._messages, []
            self._insert(*_MESSAGE, messages)
            self._waiting += len(messages)
        if self._keys:
            keys = [key + result for key, result in self._keys.items()]
            self._keys.clear()
            self._insert(*_KEY, keys)
        if self._acknowledged:
            acknowledged = list(self._acknowledged.items())
            self._acknowledged.clear()
            self._remove(acknowledged)

    def _insert(self, insert: str, values: str, rows: list[Row]) -> None:
        start = 0
        for chunk in _CHUNKS:
            sql = insert + ", ".join([values] * chunk)
            while len(rows) - start >= chunk:
                bindings = chain.from_iterable(rows[start : start + chunk])
                self.connection.execute(sql, tuple(bindings))
                start += chunk

    def _remove(self, acknowledged: list[tuple[AccountId, Position]]) -> None:
        if self.deletions_run:
            self.connection.executemany(_COUNT_BEFORE_REMOVAL, acknowledged)
        self.connection.executemany(
            "UPDATE mailbox SET acknowledged = ?2 WHERE account = ?1", acknowledged
        )
        self._remove_messages(
            "DELETE FROM message WHERE account = ? AND position <= ?", acknowledged
        )
