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
from chatcore.model import Chunk, CleanUp, DeletionReceipt, LeftToDiscard, NewMail
from chatstores.sqlite.database import Database
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


def left_to_discard(
    database: Database, account: AccountId, *, messages: int
) -> LeftToDiscard:
    """What is next to be taken out of a deleted account's mailbox."""
    row = database.batch.row(
        "SELECT decision, discarded, inbox_finished FROM deletion WHERE account = ?",
        account,
    )
    decision, discarded, is_finished = row or (0, 0, True)
    if is_finished:
        return LeftToDiscard(discarded, ())
    found = database.batch.rows(_OWN_INBOX, account, decision, messages)
    return LeftToDiscard(discarded, [(sender, position) for sender, position in found])


def discard(
    database: Database,
    account: AccountId,
    chunks: Sequence[Chunk],
    *,
    discarded: int,
    at_ms: int,
) -> Sequence[NewMail]:
    """Take messages out, and tell those of their senders who live."""
    row = database.batch.row(
        "SELECT decision FROM deletion WHERE account = ? AND discarded = ?",
        account,
        discarded,
    )
    if not row:
        return ()
    (decision,) = row
    bounces: list[NewMail] = []
    for chunk in chunks:
        if database.cache.account(chunk.sender) is not None:
            bounces.append(put_bounce(database, chunk, account, at_ms))
        elif database.batch.deletions_run:
            _count_kept(database, account, decision, chunk)
    taken = [(account, position) for it in chunks for position in it.positions]
    database.batch.remove_messages(
        "DELETE FROM message WHERE account = ? AND position = ?", taken
    )
    database.batch.write(
        "UPDATE deletion SET discarded = discarded + ?, bounces = bounces + ? "
        "WHERE account = ?",
        len(taken),
        len(bounces),
        account,
    )
    return bounces


def clean_up(database: Database, account: AccountId, *, rows: int) -> CleanUp:
    """Take the next ``rows`` retracted messages out, or walk the next page."""
    deletion = database.batch.row(
        "SELECT decision, finished FROM deletion WHERE account = ?", account
    )
    if not deletion:
        return CleanUp(DeletionReceipt(), finished=True)
    decision, finished = deletion
    if not finished and not left_to_discard(database, account, messages=1).messages:
        finished = _walk_outbox(database, account, decision, rows)
        _mark(database, account, finished=finished)
    delivered, discarded, bounces, kept, retracted = database.batch.row(
        "SELECT delivered, discarded, bounces, kept, retracted FROM deletion "
        "WHERE account = ?",
        account,
    )
    receipt = DeletionReceipt(
        delivered=delivered,
        discarded=discarded,
        bounces=bounces,
        kept=kept,
        retracted=retracted,
    )
    return CleanUp(receipt, bool(finished))


def _count_kept(
    database: Database, account: AccountId, decision: int, chunk: Chunk
) -> None:
    """An earlier deletion of the sender has kept them, but not walked by yet."""
    row = database.batch.row(
        "SELECT walked_account, walked_position FROM deletion "
        "WHERE account = ? AND finished = 0 AND decision < ?",
        chunk.sender,
        decision,
    )
    if row:
        walked = Cursor(*row)
        database.batch.write(
            "UPDATE deletion SET kept = kept + ? WHERE account = ?",
            sum(Cursor(account, position) > walked for position in chunk.positions),
            chunk.sender,
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


def _mark(database: Database, account: AccountId, *, finished: bool) -> None:
    """Of the mailbox there are only bounces left; perhaps all is done."""
    database.batch.write(
        "UPDATE deletion SET inbox_finished = 1, finished = ? WHERE account = ?",
        finished,
        account,
    )
    database.batch.remove_messages(
        "DELETE FROM message WHERE account = ? AND bounced = 1", [(account,)]
    )
    if finished:
        database.batch.recall_deletions()
