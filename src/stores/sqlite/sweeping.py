"""Forgetting what only old keys kept, as work of the writer.

``forget_keys`` has the whole effect in one commit; the rest gives room back, a page to
a transaction.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from chatcore.ids import AccountId, IdempotencyKey
from stores.sqlite.books import Books
from stores.sqlite.known import day_of
from stores.sqlite.walk import Place, page_end

SWEEP_ROWS: Final = 5000
"""Keys, or tombstones, that are swept at a time."""

_UNNAMED: Final = (
    "account.id NOT IN (SELECT account FROM request) "
    "AND account.id NOT IN (SELECT account FROM deletion WHERE finished = 0)"
)


def forget_keys(books: Books, oldest_key: IdempotencyKey) -> None:
    """Take the keys below ``oldest_key`` for unknown, and drop what only they kept."""
    ledger = books.ledger
    horizon = max(books.known.horizon, oldest_key)
    ledger.write("UPDATE horizon SET key = ?", horizon)
    books.known.horizon = horizon
    ledger.write("DELETE FROM request WHERE key < ?", oldest_key)
    ledger.write(
        "DELETE FROM deletion WHERE finished = 1 "
        "AND account NOT IN (SELECT account FROM request)"
    )
    ledger.write(
        "UPDATE account SET password_hash = '' "  # noqa: S608 (a constant)
        f"WHERE deleted = 1 AND password_hash <> '' AND {_UNNAMED}"
    )


def sweep_keys(books: Books) -> bool:
    """Remove forgotten keys, whole days of them; whether there may be more.

    Those of the horizon's own day stay in the file until that day is over.
    """
    day = day_of(books.known.horizon)
    bound = books.ledger.row(
        "SELECT day, sender, recipient, key FROM send_key WHERE day < ? "
        "ORDER BY day, sender, recipient, key LIMIT 1 OFFSET ?",
        day,
        SWEEP_ROWS,
    )
    if bound:
        books.ledger.write(
            "DELETE FROM send_key WHERE (day, sender, recipient, key) < (?, ?, ?, ?)",
            *bound,
        )
        return True
    if books.ledger.write("DELETE FROM send_key WHERE day < ?", day):
        books.known.forget_keys()
    return False


def tombstones(books: Books) -> Sequence[AccountId]:
    """Deleted accounts that no key names, and no deletion that is worked off."""
    rows = books.ledger.rows(
        f"SELECT id FROM account WHERE deleted = 1 AND {_UNNAMED} LIMIT ?",  # noqa: S608 (a constant)
        SWEEP_ROWS,
    )
    return [AccountId(account) for (account,) in rows]


def senders(books: Books, after: Place) -> tuple[Place, Iterable[AccountId]]:
    """Whom the mail on the page after ``after`` names, and where the page ends."""
    end = page_end(books.ledger, after)
    rows = books.ledger.rows(
        "SELECT DISTINCT sender FROM message "
        "WHERE (account, position) > (?, ?) AND (account, position) <= (?, ?)",
        *after,
        *end,
    )
    return end, [AccountId(sender) for (sender,) in rows]


def bury(books: Books, unnamed: Iterable[AccountId]) -> None:
    """Remove tombstones that nothing names: nothing can begin to."""
    books.ledger.write_each(
        "DELETE FROM account WHERE id = ? AND deleted = 1", [(it,) for it in unnamed]
    )
