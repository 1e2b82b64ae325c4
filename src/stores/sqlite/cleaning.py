"""Working a decided deletion off, a bounded step to a commit, as work of the writer.

First the inbox, sender by sender, with bounces; then a walk over all messages for what
the account has sent, to take it out or only to count it. All progress is in the rows,
so that a step may come after a restart.

Deletions that overlap are counted as if each had been done wholly at its decision:
a message belongs to the first deletion that took it away from its mailbox.
"""

from collections.abc import Sequence
from typing import Final

from chatcore.ids import AccountId, Position
from chatcore.model import CleanUp, DeletionReceipt, Delivery
from stores.bounces import Chunk, look_ahead, next_chunks
from stores.sqlite.books import Books
from stores.sqlite.deletions import RECEIPT, receipt_of
from stores.sqlite.mailboxes import put_bounce
from stores.sqlite.walk import END, PAGE_ROWS, Place, page_end

_OWN_INBOX: Final = """
    SELECT sender, position FROM message
    WHERE account = ?1 AND bounced = 0 AND sender NOT IN (
        SELECT account FROM deletion
        WHERE finished = 0 AND retract = 1 AND decision < ?2
    )
    ORDER BY sender, position LIMIT ?3
"""
"""What had been retracted by the decision is not in the inbox any more."""

_SENT: Final = """
    SELECT account, position FROM (
        SELECT account, position, sender, bounced FROM message
        WHERE (account, position) > (?1, ?2) ORDER BY account, position LIMIT ?3
    )
    WHERE sender = ?4 AND bounced = 0 AND account <> ?4
        AND account NOT IN (SELECT account FROM deletion WHERE decision < ?5)
    LIMIT ?6
"""
"""What had been discarded by the decision was not in a mailbox any more."""


def clean_up(
    books: Books, account: AccountId, rows: int, bounce_messages: int, at_ms: int
) -> CleanUp:
    """Take the next ``rows`` messages out, or walk the next page."""
    row = books.ledger.row(
        "SELECT decision, finished, inbox_finished FROM deletion WHERE account = ?",
        account,
    )
    if not row:
        return CleanUp(account=account, receipt=DeletionReceipt(), finished=True)
    decision, finished, inbox_finished = row
    deliveries: Sequence[Delivery] = ()
    if not finished:
        left = rows
        if not inbox_finished:
            chunks, inbox_finished = _next(
                books, account, decision, rows, bounce_messages
            )
            deliveries = _discard(books, account, decision, chunks, at_ms)
            left -= sum(len(positions) for _, positions in chunks)
        if inbox_finished and left:
            finished = _walk_outbox(books, account, decision, left)
        _mark(books, account, inbox_finished=inbox_finished, finished=finished)
    receipt = books.ledger.row(
        f"SELECT {RECEIPT} FROM deletion WHERE account = ?",  # noqa: S608 (a constant)
        account,
    )
    return CleanUp(
        account=account,
        receipt=receipt_of(receipt),
        finished=bool(finished),
        deliveries=tuple(deliveries),
    )


def _next(
    books: Books, account: AccountId, decision: int, rows: int, bounce_messages: int
) -> tuple[Sequence[Chunk], bool]:
    """The chunks of the inbox to discard now, and whether they are its last."""
    limit = look_ahead(rows=rows, bounce_messages=bounce_messages)
    inbox = books.ledger.rows(_OWN_INBOX, account, decision, limit)
    chunks = next_chunks(inbox, rows=rows, bounce_messages=bounce_messages)
    return chunks, len(inbox) == sum(len(positions) for _, positions in chunks)


def _discard(
    books: Books,
    account: AccountId,
    decision: int,
    chunks: Sequence[Chunk],
    at_ms: int,
) -> Sequence[Delivery]:
    heads: dict[AccountId, Position] = {}
    bounces = discarded = 0
    for sender, positions in chunks:
        discarded += len(positions)
        if books.known.account(sender) is not None:
            heads[sender] = put_bounce(books, sender, account, positions, at_ms)
            bounces += 1
        elif books.ledger.deletions_run:
            _count_kept(books, account, decision, sender, positions)
        books.ledger.write_each(
            "DELETE FROM message WHERE account = ? AND position = ?",
            [(account, position) for position in positions],
        )
    books.ledger.write(
        "UPDATE deletion SET discarded = discarded + ?, bounces = bounces + ? "
        "WHERE account = ?",
        discarded,
        bounces,
        account,
    )
    return [Delivery(account=it, head=head) for it, head in heads.items()]


def _count_kept(
    books: Books,
    account: AccountId,
    decision: int,
    sender: AccountId,
    positions: tuple[Position, ...],
) -> None:
    """An earlier deletion of the sender has kept them, but not walked by yet."""
    row = books.ledger.row(
        "SELECT walked_account, walked_position FROM deletion "
        "WHERE account = ? AND finished = 0 AND decision < ?",
        sender,
        decision,
    )
    if row:
        walked = Place(*row)
        books.ledger.write(
            "UPDATE deletion SET kept = kept + ? WHERE account = ?",
            sum(Place(account, position) > walked for position in positions),
            sender,
        )


def _walk_outbox(books: Books, account: AccountId, decision: int, left: int) -> bool:
    """Take out or count what is on the next page; whether the walk is done."""
    ledger = books.ledger
    retract, *walked = ledger.row(
        "SELECT retract, walked_account, walked_position FROM deletion "
        "WHERE account = ?",
        account,
    )
    end = page_end(ledger, Place(*walked))
    limit = left if retract else PAGE_ROWS
    found = ledger.rows(_SENT, *walked, PAGE_ROWS, account, decision, limit)
    if len(found) == limit:
        end = Place(*found[-1])
    if retract:
        _take_out(books, found)
    ledger.write(
        "UPDATE deletion SET kept = kept + ?, retracted = retracted + ?, "
        "walked_account = ?, walked_position = ? WHERE account = ?",
        0 if retract else len(found),
        len(found) if retract else 0,
        *end,
        account,
    )
    return end == END


def _take_out(books: Books, found: Sequence[tuple[AccountId, Position]]) -> None:
    """Remove retracted messages; their positions stay used (M3)."""
    tops = dict(found)  # sorted by position, so that the highest one stays
    books.ledger.write_each(
        "DELETE FROM message WHERE account = ? AND position = ?", found
    )
    books.ledger.write_each(
        "UPDATE mailbox SET removed = max(removed, ?2) WHERE account = ?1",
        list(tops.items()),
    )


def _mark(
    books: Books, account: AccountId, *, inbox_finished: bool, finished: bool
) -> None:
    books.ledger.write(
        "UPDATE deletion SET inbox_finished = ?, finished = ? WHERE account = ?",
        inbox_finished,
        finished,
        account,
    )
    if inbox_finished:
        books.ledger.write(
            "DELETE FROM message WHERE account = ? AND bounced = 1", account
        )
    if finished:
        books.ledger.recall_deletions()
