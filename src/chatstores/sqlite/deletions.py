"""Deciding deletions, and what is known of their requests, as work of the writer.

A decision is one commit: a tombstone and a row of ``deletion``. What it discards and
retracts stays in the file for ``clean_up`` to take out, but counts no more from the
commit on: the mailbox is gone, and ``cache.VISIBLE`` hides the rest.
"""

from collections.abc import Sequence

from chatcore.ids import AccountId, Epoch, IdempotencyKey
from chatcore.model import Erasure, FirstUse, LoggedErasure, LogMark
from chatstores.sqlite.database import Database
from chatstores.sqlite.mailboxes import acknowledge


def delete_account(  # noqa: PLR0913  # the port's, and what it works on
    database: Database,
    account: AccountId,
    epoch: Epoch,
    *,
    discard: bool,
    retract: bool,
    delivered: int,
    key: IdempotencyKey,
    at_ms: int,
    mark: LogMark | None = None,
) -> bool:
    """Delete the account; False when its epoch or its waiting mail forbids it."""
    owner = database.cache.account(account)
    if owner is None or owner.epoch != epoch:
        return False
    box = database.cache.box(account)
    if (box.messages or box.bounces) and not discard:
        return False
    batch = database.batch
    batch.write("UPDATE account SET deleted = 1 WHERE id = ?", account)
    batch.write("DELETE FROM session WHERE account = ?", account)
    batch.write("DELETE FROM known_address WHERE account = ?", account)
    batch.write("DELETE FROM mailbox WHERE account = ?", account)
    batch.write(
        "INSERT INTO deletion "
        "(account, decided_at_ms, retract, delivered, inbox_finished) "
        "VALUES (?, ?, ?, ?, ?)",
        account,
        at_ms,
        retract,
        delivered,
        not discard,
    )
    if key:
        batch.write("INSERT OR IGNORE INTO request VALUES (?, ?, 1)", key, account)
    database.webhooks.drop_bodies(account, sent=retract)
    batch.deletions_run = True
    database.cache.forget_account(account, owner.username)
    if retract:
        database.cache.forget_boxes()
    if mark is not None:
        _take_mark(database, mark)
    return True


def erase_again(database: Database, logged: LoggedErasure) -> None:
    """Carry out what the erasure log has, and take its mark."""
    if logged.erasure is not None:
        _erase(database, logged.erasure)
    _take_mark(database, logged.mark)


def _erase(database: Database, it: Erasure) -> None:
    owner = database.cache.account(it.account)
    if owner is None:
        # It was made after this copy was: its id is not to be another's.
        changed = database.batch.write(
            "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'account'",
            it.account,
        )
        if not changed:
            database.batch.write(
                "INSERT INTO sqlite_sequence VALUES ('account', ?)", it.account
            )
        return
    delivered = 0
    if not it.discard:
        box = database.cache.box(it.account)
        delivered = box.messages
        acknowledge(database, it.account, owner.epoch, box.head)
    delete_account(
        database,
        it.account,
        owner.epoch,
        discard=it.discard,
        retract=it.retract,
        delivered=delivered,
        key=it.key,
        at_ms=it.at_ms,
    )


def log_mark(database: Database) -> LogMark:
    """Where the erasure log was with the last deletion that is in here."""
    return LogMark(*database.batch.row("SELECT log_sequence, log_digest FROM state"))


def identity(database: Database) -> bytes:
    """What this database and its copies have in common, and no other has."""
    return bytes(database.batch.row("SELECT chat FROM state")[0])


def _take_mark(database: Database, mark: LogMark) -> None:
    """From this commit on the erasure log was here."""
    database.batch.write("UPDATE state SET log_sequence = ?, log_digest = ?", *mark)


def pending_deletions(database: Database) -> Sequence[AccountId]:
    """Deleted accounts whose clean-up is not finished, oldest decision first."""
    rows = database.batch.rows(
        "SELECT account FROM deletion WHERE finished = 0 ORDER BY decision"
    )
    return [AccountId(account) for (account,) in rows]


def first_use(database: Database, key: IdempotencyKey) -> FirstUse | None:
    """What the first ``create`` or ``delete`` under this key was about."""
    row = database.batch.row(
        "SELECT request.account, username, password_hash, deletion "
        "FROM request JOIN account ON account.id = request.account WHERE key = ?",
        key,
    )
    if not row:
        return None
    account, username, password_hash, is_deletion = row
    return FirstUse(account, username, password_hash, bool(is_deletion))
