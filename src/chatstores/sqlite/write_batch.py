"""The open file: its transactions, and the rows that wait to be written.

Deposits and acknowledgements, the many, are not written one by one: they are *posted*,
and go into the ``journal`` with the commit, all in one row. Before anything else looks
into the file, they and the journal are written to the tables.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from time import perf_counter
from typing import Final, Protocol

import apsw

from chatcore.counters import StoreCounters
from chatcore.errors import OutcomeUnknown
from chatcore.ids import AccountId, Position
from chatstores.sqlite.journal import (
    DepositRow,
    Entries,
    Journal,
    KeyName,
    KeyResult,
)
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


class Replica(Protocol):
    """Has the same rows elsewhere, and is told before each commit."""

    def ship(self, *, gives_room: bool) -> None:
        """Write what the transaction has changed; it is to be committed only then."""
        ...

    def catch_up(self) -> None:
        """Change here what was changed there, where that was not known."""
        ...


class WriteBatch:
    """One connection and its transaction. Used by one thread.

    Attributes:
        transactions: how many were committed, for measuring.
        deletions_run: whether any deletion is decided and not worked off.
        counters: what the file holds, and what commits have taken.
        replica: where the rows are kept as well, if anywhere.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self.transactions = 0
        self.deletions_run = False
        self.counters = StoreCounters(has_commits=True)
        self.replica: Replica | None = None
        self._begun_s = 0.0
        self._posted = Entries()
        self._posted_rows = 0
        self._journal = Journal(connection)
        self._is_applied = False
        self._changes_before = 0
        self._changes_by_posted = 0
        self.recall()
        (waiting,) = connection.execute(_COUNT_MESSAGES).fetchone() or (0,)
        self._waiting: int = waiting + self._journal.entries.waiting
        self.counters.waiting = self._waiting
        self.apply_journal()

    # transactions

    def begin(self) -> None:
        """Start a transaction."""
        if self.connection.in_transaction:
            # The last one could not be rolled back when it failed.
            self.connection.execute("ROLLBACK")
        self.connection.execute("BEGIN")
        self._begun_s = perf_counter()
        self._is_applied = False
        self._posted_rows = self._changes_by_posted = 0
        self._changes_before = self.connection.total_changes()

    def commit(self) -> None:
        """End it: it is on disk when this returns.

        Raises ``OutcomeUnknown`` when the commit record may have reached the disk, or
        the replica; any other error means that it has not.
        """
        posted = self._posted
        if posted:
            if self._journal.write(posted, is_empty=self._is_applied):
                self._changes_by_posted += 1
            else:
                self._write_posted()
                posted = self._posted
        if self.replica is not None:
            self.replica.ship(gives_room=self._waiting < self.counters.waiting)
        try:
            self.connection.execute("COMMIT")
        except (apsw.FullError, apsw.BusyError, apsw.ReadOnlyError):
            raise
        except apsw.Error as error:
            if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_WRITE:
                raise  # a record that is not whole is none
            raise OutcomeUnknown from error
        if self._is_applied:
            self._journal.clear()
        if posted:
            self._journal.add(posted)
            self._posted = Entries()
        self.transactions += 1
        self.counters.waiting = self._waiting
        rows = self._changes()
        if rows:
            self.counters.observe_commit(perf_counter() - self._begun_s, rows)

    @property
    def only_reads(self) -> bool:
        """Whether the transaction has changed nothing so far that anybody asked for."""
        return not self._changes()

    def _changes(self) -> int:
        changes = self.connection.total_changes() - self._changes_before
        return changes - self._changes_by_posted + self._posted_rows

    def roll_back(self) -> None:
        """Undo it, and drop what was posted. What fails here is done by ``begin``."""
        self._posted = Entries()
        self._waiting = self.counters.waiting
        # Some errors have ended the transaction already.
        if self.connection.in_transaction:
            with suppress(apsw.Error):
                self.connection.execute("ROLLBACK")

    def recall(self) -> None:
        """Read what is known of the file besides its rows."""
        if self.replica is not None:
            self.replica.catch_up()
        self._journal.read()
        self.recall_deletions()

    def recall_deletions(self) -> None:
        """Read whether deletions are being worked off."""
        self.deletions_run = bool(
            self.connection.execute(
                "SELECT 1 FROM deletion WHERE finished = 0 LIMIT 1"
            ).fetchall()
        )

    def apply_journal(self) -> None:
        """Write the journal to the tables, in a transaction of its own."""
        if self._journal.entries:
            self.begin()
            try:
                self._write_posted()
                self.commit()
            except BaseException:
                self.roll_back()
                raise

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
        before = self.connection.total_changes()
        self.connection.executemany(sql, rows)
        self._waiting -= self.connection.total_changes() - before

    # posting

    def post_deposit(self, row: DepositRow) -> None:
        """Put a message into a mailbox, and keep its key, with the commit."""
        self._posted.deposits.append(row)
        self._posted_rows += 2 if row[6] else 1
        self._waiting += 1

    def key_result(self, name: KeyName) -> KeyResult | None:
        """What the deposit under this key was answered.

        A look-up writes nothing that waits: repeats come between other deposits.
        """
        found = self._posted.result(name)
        if found is None and not self._is_applied:
            found = self._journal.entries.result(name)
        if found is None:
            row = self.connection.execute(_FIND_KEY, name).fetchone()
            found = KeyResult(*row) if row else None
        return found

    def post_acknowledgement(
        self, account: AccountId, position: Position, mails: int
    ) -> None:
        """Remove the mail of a live account up to ``position``, as many as ``mails``
        that are visible, with the commit.
        """
        self._posted.acknowledge(account, position, mails)
        self._posted_rows += 1 + mails
        self._waiting -= mails

    def _write_posted(self) -> None:
        """Write the journal, and what was posted after it, to the tables."""
        posted = self._posted
        journaled = self._journal.entries
        if self._is_applied or not journaled:
            if not posted:
                return
            entries = posted
        else:
            entries = Entries()
            entries.extend(journaled)
            entries.extend(posted)
        self._posted = Entries()
        before = self.connection.total_changes()
        # Deposits first: an acknowledgement may remove them. While a deletion is worked
        # off, those that it is to count have to be there.
        messages = entries.messages(kept=self.deletions_run)
        self._insert(*_MESSAGE, messages)
        self._insert(*_KEY, entries.keys())
        removed = self._remove(entries)
        if journaled and not self._is_applied:
            self.connection.execute("DELETE FROM journal")
        self._is_applied = True
        self._changes_by_posted += self.connection.total_changes() - before
        # What a retraction hides was not counted when it was acknowledged.
        self._waiting += len(messages) - removed - entries.waiting

    def _insert(self, insert: str, values: str, rows: list[Row]) -> None:
        start = 0
        for chunk in _CHUNKS:
            sql = insert + ", ".join([values] * chunk)
            while len(rows) - start >= chunk:
                bindings = chain.from_iterable(rows[start : start + chunk])
                self.connection.execute(sql, tuple(bindings))
                start += chunk

    def _remove(self, entries: Entries) -> int:
        """Take out what was acknowledged; how many rows of ``message`` that were."""
        acknowledged = [
            (account, position)
            for account, (position, _) in entries.acknowledged.items()
        ]
        if self.deletions_run:
            self.connection.executemany(_COUNT_BEFORE_REMOVAL, acknowledged)
        self.connection.executemany(
            "UPDATE mailbox SET acknowledged = ?2 WHERE account = ?1", acknowledged
        )
        before = self.connection.total_changes()
        self.connection.executemany(
            "DELETE FROM message WHERE account = ? AND position <= ?", acknowledged
        )
        return self.connection.total_changes() - before
