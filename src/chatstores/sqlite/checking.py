"""Whether a database is what a server of ours leaves: SQLite's view of it, and ours.

Each kind of finding has a stable number. It names ids and positions, never a name or a
body (B8). ``docs/operating.md`` has the table.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw
import msgspec

from chatcore.model import KNOWN_ADDRESSES
from chatstores.errors import WalMissing
from chatstores.sqlite.journal import JOURNAL_SINCE, Journal
from chatstores.sqlite.migrations import steps
from chatstores.sqlite.unserved import open_unserved
from chatstores.sqlite.values import Value, fetch_int
from chatstores.sqlite.wal import STATE_SINCE, refuse_missing_wal, wal_of
from chatstores.sqlite.webhook_table import WEBHOOKS_SINCE

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that should not be: its number, how often, and where at first."""

    code: int
    text: str
    count: int
    examples: Sequence[str]

    def __str__(self) -> str:
        more = ", …" if self.count > len(self.examples) else ""
        return f"[{self.code}] {self.text} ({self.count}): " + (
            ", ".join(self.examples) + more
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """What never holds in a sound database: ``sql`` answers the exceptions.

    ``since`` is the first schema that it can be asked of.
    """

    code: int
    text: str
    sql: str
    since: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What was looked at, and what was found."""

    path: Path
    schema: int
    accounts: int
    messages: int
    findings: Sequence[Finding]


_LIVE: Final = "SELECT id FROM account WHERE deleted = 0"
_UNFINISHED: Final = "SELECT account FROM deletion WHERE finished = 0"

INVARIANTS: Final = (
    Invariant(
        code=804,
        text="a live account has no mailbox",
        sql="SELECT id FROM account WHERE deleted = 0 "
        "AND id NOT IN (SELECT account FROM mailbox)",
    ),
    Invariant(
        code=805,
        text="a mailbox has no live account",
        sql=f"SELECT account FROM mailbox WHERE account NOT IN ({_LIVE})",  # noqa: S608 (a constant)
    ),
    Invariant(
        code=806,
        text="mail is in no mailbox, and no deletion is about to take it out",
        sql="SELECT account, position FROM message "  # noqa: S608 (a constant)
        "WHERE account NOT IN (SELECT account FROM mailbox) "
        f"AND account NOT IN ({_UNFINISHED})",
    ),
    Invariant(
        code=807,
        text="mail is at or below what its mailbox has acknowledged",
        sql="SELECT message.account, position FROM message JOIN mailbox "
        "ON mailbox.account = message.account WHERE position <= acknowledged",
    ),
    Invariant(
        code=808,
        text="mail has a position below the first",
        sql="SELECT account, position FROM message WHERE position < 1 "
        "UNION ALL SELECT account, acknowledged FROM mailbox WHERE acknowledged < 0 "
        "UNION ALL SELECT account, removed FROM mailbox WHERE removed < 0",
    ),
    Invariant(
        code=809,
        text="mail is from an account of which nothing is left",
        sql="SELECT account, position FROM message "
        "WHERE sender NOT IN (SELECT id FROM account)",
    ),
    Invariant(
        code=810,
        text="a bounce cannot be read",
        sql="SELECT account, position FROM message WHERE bounced NOT IN (0, 1) "
        "OR (bounced = 1 AND NOT iif(json_valid(body), json_type(body) = 'array' "
        "AND NOT EXISTS (SELECT 1 FROM json_each(body) WHERE type <> 'integer'), 0))",
    ),
    Invariant(
        code=811,
        text="a session has no live account",
        sql=f"SELECT account FROM session WHERE account NOT IN ({_LIVE})",  # noqa: S608 (a constant)
    ),
    Invariant(
        code=812,
        text="an account has a session, and no login was ever counted",
        sql="SELECT id FROM account WHERE epoch < 0 OR (epoch = 0 "
        "AND id IN (SELECT account FROM session))",
    ),
    Invariant(
        code=813,
        text="an account has an id that could be given again",
        sql="SELECT id FROM account WHERE id > (SELECT coalesce(max(seq), 0) "
        "FROM sqlite_sequence WHERE name = 'account') OR id < 1",
    ),
    Invariant(
        code=814,
        text="a receipt names a position that its mailbox never gave",
        sql="SELECT sender, recipient_id, position FROM send_key JOIN mailbox "
        "ON mailbox.account = recipient_id WHERE position < 1 OR position > "
        "max(acknowledged, removed, coalesce((SELECT max(message.position) "
        "FROM message WHERE message.account = recipient_id), 0))",
    ),
    Invariant(
        code=815,
        text="a key of a send is no key",
        sql="SELECT sender, recipient_id, position FROM send_key "
        "WHERE length(key) <> 16",
    ),
    Invariant(
        code=816,
        text="a request names an account, or a deletion, that is not there",
        sql="SELECT account FROM request WHERE account NOT IN (SELECT id FROM account) "
        "OR (deletion = 1 AND account NOT IN (SELECT account FROM deletion))",
    ),
    Invariant(
        code=817,
        text="a deletion is about an account that is alive, or not there",
        sql="SELECT account FROM deletion WHERE account NOT IN "
        "(SELECT id FROM account WHERE deleted = 1)",
    ),
    Invariant(
        code=818,
        text="a deletion is finished, and its inbox is not",
        sql="SELECT account FROM deletion WHERE finished = 1 AND inbox_finished = 0 "
        "OR min(delivered, discarded, bounces, kept, retracted) < 0",
    ),
    Invariant(
        code=819,
        text="the horizon of keys is not one row",
        sql="SELECT 'horizon' WHERE (SELECT count(*) FROM horizon) <> 1",
    ),
    Invariant(
        code=820,
        text="an account that is not alive is logged in to from somewhere, "
        "or a live one from too many places",
        sql=f"SELECT account FROM known_address GROUP BY account HAVING count(*) > "  # noqa: S608 (constants)
        f"{KNOWN_ADDRESSES} OR account NOT IN ({_LIVE})",
        since=2,
    ),
    Invariant(
        code=821,
        text="what the database knows of itself is not one row",
        sql="SELECT 'state' WHERE (SELECT count(*) FROM state "
        "WHERE length(chat) = 16 AND log_sequence >= 0) <> 1",
        since=STATE_SINCE,
    ),
    Invariant(
        code=823,
        text="a key of a send is said to be ahead of its time, and is not, or is",
        sql="SELECT sender, recipient_id, position FROM send_key "
        "WHERE ahead <> (key > unhex(printf('%012x', sent_at_ms + 10000)))",
        since=5,
    ),
    Invariant(
        code=825,
        text="a webhook tells the body of a message to an account that is not alive",
        sql="SELECT recipient, position FROM webhook WHERE body IS NOT NULL "  # noqa: S608 (a constant)
        f"AND recipient NOT IN ({_LIVE})",
        since=WEBHOOKS_SINCE,
    ),
    Invariant(
        code=826,
        text="a webhook is about no message, or about an account that never was",
        sql="SELECT number FROM webhook WHERE position < 1 OR attempts < 0 "
        "OR failed NOT IN (0, 1) OR target = '' OR max(sender, recipient) > "
        "(SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'account')",
        since=WEBHOOKS_SINCE,
    ),
)


def check(path: Path) -> CheckReport:
    """Look at all of a database that no server has open, and change nothing.

    Raises ``chatstores.errors.OpeningError`` for what is no database of chatcore, or is
    in use.
    """
    had_wal = wal_of(path).exists()
    with open_unserved(path) as connection:
        schema = fetch_int(connection, "PRAGMA user_version")
        findings = list(_of_sqlite(connection))
        findings += _of_schema(connection, schema)
        if not findings:
            findings += _of_wal(connection, path, had_wal=had_wal)
            findings += _of_invariants(connection, schema)
            waiting = 0
            try:
                waiting = _in_journal(connection, schema)
            except msgspec.MsgspecError as error:
                text = "the journal cannot be read"
                findings.append(_finding(824, text, [(type(error).__name__,)]))
            return CheckReport(
                path=path,
                schema=schema,
                accounts=fetch_int(connection, f"SELECT count(*) FROM ({_LIVE})"),  # noqa: S608 (a constant)
                messages=fetch_int(connection, "SELECT count(*) FROM message")
                + waiting,
                findings=findings,
            )
    # What its tables hold means nothing then.
    return CheckReport(
        path=path, schema=schema, accounts=0, messages=0, findings=findings
    )


def _in_journal(connection: apsw.Connection, schema: int) -> int:
    """By how much the journal changes the number of messages when it is applied."""
    if schema < JOURNAL_SINCE:
        return 0
    journal = Journal(connection)
    journal.read()
    return journal.entries.waiting


def _of_sqlite(connection: apsw.Connection) -> Iterator[Finding]:
    try:
        rows = connection.execute("PRAGMA integrity_check(1000)").fetchall()
    except apsw.Error as error:
        rows = [(str(error),)]
    if rows != [("ok",)]:
        yield _finding(801, "SQLite finds the file damaged", rows)
        return
    rows = connection.execute("PRAGMA foreign_key_check").fetchall()
    if rows:
        yield _finding(802, "a foreign key leads nowhere", rows)


def _of_schema(connection: apsw.Connection, schema: int) -> Iterator[Finding]:
    with closing(apsw.Connection(":memory:")) as fresh:
        for step in steps()[:schema]:
            fresh.execute(step)
        expected = _tables(fresh)
    try:
        found = _tables(connection)
    except apsw.CorruptError:
        return  # SQLite has found that already
    if not schema or expected != found:
        other = sorted(name for name, _ in expected ^ found)
        text = f"tables or indexes are not those of schema {schema}"
        yield _finding(803, text, [(it,) for it in dict.fromkeys(other)] or [("all",)])


def _tables(connection: apsw.Connection) -> set[tuple[str, str]]:
    """Tables and indexes as their SQL; SQLite's own and its statistics left out."""
    return {
        (str(name), " ".join(str(sql).split()))
        for name, sql in connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"
        )
    }


def _of_wal(
    connection: apsw.Connection, path: Path, *, had_wal: bool
) -> Iterator[Finding]:
    if had_wal:
        return
    try:
        refuse_missing_wal(connection, path=path)
    except WalMissing:
        text = "the file was copied without its log, or has lost it"
        yield _finding(822, text, [(str(wal_of(path)),)])


def _of_invariants(connection: apsw.Connection, schema: int) -> Iterator[Finding]:
    for it in INVARIANTS:
        if schema >= it.since:
            rows = connection.execute(it.sql).fetchall()
            if rows:
                yield _finding(it.code, it.text, rows)


def _finding(code: int, text: str, rows: Sequence[tuple[Value, ...]]) -> Finding:
    shown = ["/".join(map(str, row)) for row in rows[:_SHOWN]]
    return Finding(code=code, text=text, count=len(rows), examples=shown)
