"""Forgetting what only old keys kept, as work of the writer.

``expire_keys`` has the whole effect in one commit; the rest gives room back, a page to
a transaction.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from chatcore.ids import AccountId, IdempotencyKey
from chatcore.keys import ms_of_key
from chatstores.sqlite.database import Database
from chatstores.sqlite.pagination import Cursor, page_end

PURGE_ROWS: Final = 5000
"""Keys, or tombstones, that are swept at a time."""

_UNNAMED: Final = (
    "account.id NOT IN (SELECT account FROM request) "
    "AND account.id NOT IN (SELECT account FROM deletion WHERE finished = 0)"
)


def expire_keys(database: Database, oldest_key: IdempotencyKey) -> None:
    """Take the keys below ``oldest_key`` for unknown, and drop what only they kept."""
    batch = database.batch
    reached = max(database.cache.horizon, oldest_key)
    batch.write("UPDATE horizon SET key = ?", reached)
    database.cache.horizon = reached
    batch.write("DELETE FROM request WHERE key < ?", oldest_key)
    batch.write(
        "DELETE FROM deletion WHERE finished = 1 "
        "AND account NOT IN (SELECT account FROM request)"
    )
    batch.write(
        "UPDATE account SET password_hash = '' "  # noqa: S608 (a constant)
        f"WHERE deleted = 1 AND password_hash <> '' AND {_UNNAMED}"
    )


def forget_webhooks(database: Database, oldest_key: IdempotencyKey) -> None:
    """Drop webhooks that have failed and are older than the keys that are kept."""
    database.webhooks.forget(ms_of_key(oldest_key))


def delete_expired_keys(database: Database) -> bool:
    """Remove forgotten keys; whether there may be more."""
    reached = horizon(database)
    bound = database.batch.row(
        "SELECT key, sender, recipient FROM send_key WHERE key < ? "
        "ORDER BY key, sender, recipient LIMIT 1 OFFSET ?",
        reached,
        PURGE_ROWS,
    )
    if bound:
        database.batch.write(
            "DELETE FROM send_key WHERE (key, sender, recipient) < (?, ?, ?)", *bound
        )
    else:
        database.batch.write("DELETE FROM send_key WHERE key < ?", reached)
    return bool(bound)


def tombstones(database: Database) -> Sequence[AccountId]:
    """Deleted accounts that no key names, and no deletion that is worked off."""
    rows = database.batch.rows(
        f"SELECT id FROM account WHERE deleted = 1 AND {_UNNAMED} LIMIT ?",  # noqa: S608 (a constant)
        PURGE_ROWS,
    )
    return [AccountId(account) for (account,) in rows]


def senders(database: Database, after: Cursor) -> tuple[Cursor, Iterable[AccountId]]:
    """Whom the mail on the page after ``after`` names, and where the page ends."""
    end = page_end(database.batch, after)
    rows = database.batch.rows(
        "SELECT DISTINCT sender FROM message "
        "WHERE (account, position) > (?, ?) AND (account, position) <= (?, ?)",
        *after,
        *end,
    )
    return end, [AccountId(sender) for (sender,) in rows]


def purge(database: Database, unnamed: Iterable[AccountId]) -> None:
    """Remove tombstones that nothing names: nothing can begin to."""
    database.batch.write_each(
        "DELETE FROM account WHERE id = ? AND deleted = 1", [(it,) for it in unnamed]
    )


def horizon(database: Database) -> IdempotencyKey:
    """The highest key that ``forget`` was given, also by an earlier run."""
    return database.cache.horizon
