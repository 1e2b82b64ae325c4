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
from chatcore.model import CleanUp, DeletionReceipt, NewMail
from chatstores.bounces import Chunk, look_ahead, next_chunks
from chatstores.sqlite.database import Database
from chatstores.sqlite.deletions import RECEIPT, receipt_of
from chatstores.sqlite.mailboxes import put_bounce
from chatstores.sqlite.pagination import END, PAGE_ROWS, Cursor, page_end

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
    database: Database, account: AccountId, rows: int, bounce_messages: int, at_ms: int
) -> CleanUp:
    """Take the next ``rows`` messages out, or walk the next page."""
    row = database.batch.row(
        "SELECT decision, finished, inbox_finished FROM deletion WHERE account = ?",
        account,
    )
    if not row:
        return CleanUp(account=account, receipt=DeletionReceipt(), finished=True)
    decision, finished, inbox_finished = row
    deliveries: Sequence[NewMail] = ()
    if not finished:
        left = rows
        if not inbox_finished:
            chunks, inbox_finished = _next(
                database, account, decision, rows, bounce_messages
            )
            deliveries = _discard(database, account, decision, chunks, at_ms)
            left -= sum(len(positions) for _, positions in chunks)
        if inbox_finished and left:
            finished = _walk_outbox(database, account, decision, left)
        _mark(database, account, inbox_finished=inbox_finished, finished=finished)
    receipt = database.batch.row(
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
    database: Database,
    account: AccountId,
    decision: int,
    rows: int,
    bounce_messages: int,
) -> tuple[Sequence[Chunk], bool]:
    """The chunks of the inbox to discard now, and whether they are its last."""
    limit = look_ahead(rows=rows, bounce_messages=bounce_messages)
    inbox = database.batch.rows(_OWN_INBOX, account, decision, limit)
    chunks = next_chunks(inbox, rows=rows, bounce_messages=bounce_messages)
    return chunks, len(inbox) == sum(len(positions) for _, positions in chunks)


def _discard(
    database: Database,
    account: AccountId,
    decision: int,
    chunks: Sequence[Chunk],
    at_ms: int,
) -> Sequence[NewMail]:
    heads: dict[AccountId, Position] = {}
    bounces = discarded = 0
    for sender, positions in chunks:
        discarded += len(positions)
        if database.cache.account(sender) is not None:
            heads[sender] = put_bounce(database, sender, account, positions, at_ms)
            bounces += 1
        elif database.batch.deletions_run:
            _count_kept(database, account, decision, sender, positions)
        database.batch.remove_messages(
            "DELETE FROM message WHERE account = ? AND position = ?",
            [(account, position) for position in positions],
        )
    database.batch.write(
        "UPDATE deletion SET discarded = discarded + ?, bounces = bounces + ? "
        "WHERE account = ?",
        discarded,
        bounces,
        account,
    )
    return [NewMail(account=it, head=head) for it, head in heads.items()]


def _count_kept(
    database: Database,
    account: AccountId,
    decision: int,
    sender: AccountId,
    positions: tuple[Position, ...],
) -> None:
    """An earlier deletion of the sender has kept them, but not walked by yet."""
    row = database.batch.row(
        "SELECT walked_account, walked_position FROM deletion "
        "WHERE account = ? AND finished = 0 AND decision < ?",
        sender,
        decision,
    )
    if row:
        walked = Cursor(*row)
        database.batch.write(
            "UPDATE deletion SET kept = kept + ? WHERE account = ?",
            sum(Cursor(account, position) > walked for position in positions),
            sender,
        )


def _walk_outbox(
    database: Database, account: AccountId, decision: int, left: int
) -> bool:
    """Take out or count what is on the next page; whether the walk is done."""
    batch = database.batch
    retract, *walked = batch.row(
        "SELECT retract, walked_account, walked_position FROM deletion "
        "WHERE account = ?",
        account,
    )
    end = page_end(batch, Cursor(*walked))
    limit = left if retract else PAGE_ROWS
    found = batch.rows(_SENT, *walked, PAGE_ROWS, account, decision, limit)
    if len(found) == limit:
        end = Cursor(*found[-1])
    if retract:
        _take_out(database, found)
    batch.write(
        "UPDATE deletion SET kept = kept + ?, retracted = retracted + ?, "
        "walked_account = ?, walked_position = ? WHERE account = ?",
        0 if retract else len(found),
        len(found) if retract else 0,
        *end,
        account,
    )
    return end == END


def _take_out(database: Database, found: Sequence[tuple[AccountId, Position]]) -> None:
    """Remove retracted messages; their positions stay used (M3)."""
    tops = dict(found)  # sorted by position, so that the highest one stays
    database.batch.remove_messages(
        "DELETE FROM message WHERE account = ? AND position = ?", found
    )
    database.batch.write_each(
        "UPDATE mailbox SET removed = max(removed, ?2) WHERE account = ?1",
        list(tops.items()),
    )


def _mark(
    database: Database, account: AccountId, *, inbox_finished: bool, finished: bool
) -> None:
    database.batch.write(
        "UPDATE deletion SET inbox_finished = ?, finished = ? WHERE account = ?",
        inbox_finished,
        finished,
        account,
    )
    if inbox_finished:
        database.batch.remove_messages(
            "DELETE FROM message WHERE account = ? AND bounced = 1", [(account,)]
        )
    if finished:
        database.batch.recall_deletions()
