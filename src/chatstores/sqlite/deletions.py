"""Deciding deletions, and what they touch and were answered, as work of the writer.

A decision is one commit: a tombstone and a row of ``deletion``. What it discards and
retracts stays in the file for ``clean_up`` to take out, but counts no more from the
commit on: the mailbox is gone, and ``cache.VISIBLE`` hides the rest.
"""

from collections.abc import Sequence
from typing import Final

from chatcore.ids import AccountId, Epoch, IdempotencyKey
from chatcore.model import (
    DeletionReceipt,
    Erasure,
    FirstAnswer,
    LoggedErasure,
    LogMark,
)
from chatstores.bounces import bounces_for
from chatstores.sqlite.cache import VISIBLE
from chatstores.sqlite.database import Database
from chatstores.sqlite.mailboxes import acknowledge
from chatstores.sqlite.pagination import END, Cursor, page_end
from chatstores.sqlite.values import Row

RECEIPT: Final = "delivered, discarded, bounces, kept, retracted"
"""The columns of ``deletion`` that ``receipt_of`` takes."""


def receipt_of(row: Row) -> DeletionReceipt:
    """The counts of a deletion so far."""
    return DeletionReceipt(**dict(zip(RECEIPT.split(", "), row, strict=True)))


def decide(
    database: Database,
    account: AccountId,
    epoch: Epoch,
    discard: bool,  # noqa: FBT001
    retract: bool,  # noqa: FBT001
    delivered: int,
    key: IdempotencyKey,
    at_ms: int,
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
    batch.deletions_run = True
    database.closing.discard(account)
    database.cache.forget_account(account, owner.username)
    if retract:
        database.cache.forget_boxes()
    return True


def erase_again(database: Database, logged: LoggedErasure) -> None:
    """Carry out what the erasure log has, and take its mark."""
    if logged.erasure is not None:
        _erase(database, logged.erasure)
    take_mark(database, logged.mark)


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
    decide(
        database,
        it.account,
        owner.epoch,
        it.discard,
        it.retract,
        delivered,
        it.key,
        it.at_ms,
    )


def log_mark(database: Database) -> LogMark:
    """Where the erasure log was with the last deletion that is in here."""
    return LogMark(*database.batch.row("SELECT log_sequence, log_digest FROM state"))


def identity(database: Database) -> bytes:
    """What this database and its copies have in common, and no other has."""
    return bytes(database.batch.row("SELECT chat FROM state")[0])


def take_mark(database: Database, mark: LogMark) -> None:
    """From this commit on the erasure log was here."""
    database.batch.write("UPDATE state SET log_sequence = ?, log_digest = ?", *mark)


def pending(database: Database) -> Sequence[AccountId]:
    """Deleted accounts whose clean-up is not finished, oldest decision first."""
    rows = database.batch.rows(
        "SELECT account FROM deletion WHERE finished = 0 ORDER BY decision"
    )
    return [AccountId(account) for (account,) in rows]


def first_answer(database: Database, key: IdempotencyKey) -> FirstAnswer | None:
    """What the ``create`` or ``delete`` under this key did."""
    request = database.batch.row(
        "SELECT request.account, deletion, username, password_hash "
        "FROM request JOIN account ON account.id = request.account WHERE key = ?",
        key,
    )
    if not request:
        return None
    account, is_deletion, username, password_hash = request
    receipt = None
    if is_deletion:
        counts = database.batch.row(
            f"SELECT {RECEIPT} FROM deletion WHERE account = ?",  # noqa: S608 (a constant)
            account,
        )
        receipt = receipt_of(counts)
    return FirstAnswer(
        account=account,
        username=username,
        password_hash=password_hash,
        receipt=receipt,
    )


def survey_inbox(
    database: Database, account: AccountId, bounce_messages: int
) -> tuple[int, int]:
    """Messages in the inbox, and bounces that a discard would write."""
    rows = database.batch.rows(
        "SELECT sender = message.account OR deleted, count(*) "  # noqa: S608 (a constant)
        "FROM message JOIN account ON account.id = sender "
        f"WHERE message.account = ? AND bounced = 0 AND {VISIBLE} GROUP BY sender",
        account,
    )
    if database.cache.account(account) is None:
        rows = []
    bounces = sum(
        bounces_for(messages, bounce_messages=bounce_messages)
        for gets_none, messages in rows
        if not gets_none
    )
    return sum(messages for _, messages in rows), bounces


def survey_outbox(
    database: Database, account: AccountId, after: Cursor
) -> tuple[Cursor, int]:
    """Where the page after ``after`` ends, and how many messages the account has on it
    in others' mailboxes.
    """
    if database.cache.account(account) is None:
        return END, 0
    end = page_end(database.batch, after)
    (messages,) = database.batch.row(
        "SELECT count(*) FROM message "
        "WHERE (account, position) > (?, ?) AND (account, position) <= (?, ?) "
        "AND sender = ? AND bounced = 0 AND account <> sender "
        "AND EXISTS (SELECT 1 FROM mailbox WHERE mailbox.account = message.account)",
        *after,
        *end,
        account,
    )
    return end, messages
