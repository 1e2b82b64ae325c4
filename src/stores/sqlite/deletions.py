"""Deciding deletions, and what they touch and were answered, as work of the writer.

A decision is one commit: a tombstone and a row of ``deletion``. What it discards and
retracts stays in the file for ``cleaning`` to take out, but counts no more from the
commit on: the mailbox is gone, and ``known.VISIBLE`` hides the rest.
"""

from collections.abc import Sequence
from typing import Final

from chatcore.ids import AccountId, Epoch, IdempotencyKey
from chatcore.model import DeletionReceipt, FirstAnswer
from stores.bounces import bounces_for
from stores.sqlite.books import Books
from stores.sqlite.known import VISIBLE
from stores.sqlite.values import Row
from stores.sqlite.walk import END, Place, page_end

RECEIPT: Final = "delivered, discarded, bounces, kept, retracted"
"""The columns of ``deletion`` that ``receipt_of`` takes."""


def receipt_of(row: Row) -> DeletionReceipt:
    """The counts of a deletion so far."""
    delivered, discarded, bounces, kept, retracted = row
    return DeletionReceipt(
        delivered=delivered,
        discarded=discarded,
        bounces=bounces,
        kept=kept,
        retracted=retracted,
    )


def decide(
    books: Books,
    account: AccountId,
    epoch: Epoch,
    discard: bool,  # noqa: FBT001
    retract: bool,  # noqa: FBT001
    delivered: int,
    key: IdempotencyKey,
    at_ms: int,
) -> bool:
    """Delete the account; False when its epoch or its waiting mail forbids it."""
    owner = books.known.account(account)
    if owner is None or owner.epoch != epoch:
        return False
    box = books.known.box(account)
    if (box.messages or box.bounces) and not discard:
        return False
    ledger = books.ledger
    ledger.write("UPDATE account SET deleted = 1 WHERE id = ?", account)
    ledger.write("DELETE FROM session WHERE account = ?", account)
    ledger.write("DELETE FROM known_address WHERE account = ?", account)
    ledger.write("DELETE FROM mailbox WHERE account = ?", account)
    ledger.write(
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
        ledger.write("INSERT OR IGNORE INTO request VALUES (?, ?, 1)", key, account)
    ledger.deletions_run = True
    books.closing.discard(account)
    books.known.forget_account(account, owner.username)
    if retract:
        books.known.forget_boxes()
    return True


def pending(books: Books) -> Sequence[AccountId]:
    """Deleted accounts whose clean-up is not finished, oldest decision first."""
    rows = books.ledger.rows(
        "SELECT account FROM deletion WHERE finished = 0 ORDER BY decision"
    )
    return [AccountId(account) for (account,) in rows]


def first_answer(books: Books, key: IdempotencyKey) -> FirstAnswer | None:
    """What the ``create`` or ``delete`` under this key did."""
    request = books.ledger.row(
        "SELECT request.account, deletion, username, password_hash "
        "FROM request JOIN account ON account.id = request.account WHERE key = ?",
        key,
    )
    if not request:
        return None
    account, is_deletion, username, password_hash = request
    receipt, finished = None, True
    if is_deletion:
        done, *counts = books.ledger.row(
            f"SELECT finished, {RECEIPT} FROM deletion WHERE account = ?",  # noqa: S608 (a constant)
            account,
        )
        receipt, finished = receipt_of(tuple(counts)), bool(done)
    return FirstAnswer(
        account=account,
        username=username,
        password_hash=password_hash,
        receipt=receipt,
        finished=finished,
    )


def survey_inbox(
    books: Books, account: AccountId, bounce_messages: int
) -> tuple[int, int, int]:
    """Messages in the inbox, their senders, and bounces that a discard would write."""
    rows = books.ledger.rows(
        "SELECT sender = message.account OR deleted, count(*) "  # noqa: S608 (a constant)
        "FROM message JOIN account ON account.id = sender "
        f"WHERE message.account = ? AND bounced = 0 AND {VISIBLE} GROUP BY sender",
        account,
    )
    if books.known.account(account) is None:
        rows = []
    bounces = sum(
        bounces_for(messages, bounce_messages=bounce_messages)
        for gets_none, messages in rows
        if not gets_none
    )
    return sum(messages for _, messages in rows), len(rows), bounces


def survey_outbox(
    books: Books, account: AccountId, after: Place
) -> tuple[Place, list[tuple[AccountId, int]]]:
    """What the account has in others' mailboxes on the page after ``after``.

    Answers where the page ends, and for each mailbox how many messages.
    """
    if books.known.account(account) is None:
        return END, []
    end = page_end(books.ledger, after)
    rows = books.ledger.rows(
        "SELECT account, count(*) FROM message "
        "WHERE (account, position) > (?, ?) AND (account, position) <= (?, ?) "
        "AND sender = ? AND bounced = 0 AND account <> sender "
        "AND EXISTS (SELECT 1 FROM mailbox WHERE mailbox.account = message.account) "
        "GROUP BY account",
        *after,
        *end,
        account,
    )
    return end, [(AccountId(recipient), messages) for recipient, messages in rows]
