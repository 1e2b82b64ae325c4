"""Putting mail into mailboxes, reading it and letting go of it (M1 to M6)."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import islice
from operator import attrgetter

from chatcore.ids import BEFORE_FIRST, AccountId, Epoch, Position
from chatcore.model import Bounce, Deposit, Mail, Mailbox, Message
from chatcore.store import Declined, DepositResult, KeySpan, MailboxRoom, Stored
from chatstores.bounces import POSITION_BYTES
from chatstores.memory.rows import KnownKey, Rows, StoredMessage


def deposit(
    rows: Rows, it: Deposit, *, room: MailboxRoom, keys: KeySpan
) -> DepositResult:
    """Judge one deposit, and store it when nothing speaks against it.

    A mailbox of ``room`` is crowded before it is full, and ``keys`` are above the
    horizon.
    """
    sender = rows.accounts.get(it.sender_id)
    if sender is None or sender.epoch != it.epoch:
        return Declined.FENCED
    pair = (it.sender_id, it.recipient)
    if it.key:
        known = rows.keys.get(pair, {}).get(it.key)
        if known is not None:
            same = known[:2] == (hash(it.body), it.body_bytes)
            return known.result if same else Declined.OTHER_BODY
        if not keys.oldest <= it.key <= keys.newest:
            expired = it.key < keys.oldest
            return Declined.KEY_EXPIRED if expired else Declined.KEY_AHEAD
    recipient = rows.by_name.get(it.recipient)
    if recipient is None:
        return Declined.NO_SUCH_ACCOUNT
    if recipient.id in rows.closing:
        return Declined.MAILBOX_CLOSING
    box = rows.boxes[recipient.id]
    if box.messages >= room.crowded:
        if box.messages >= room.full:
            return Declined.MAILBOX_FULL
        if box.share_of(sender) >= room.share:
            return Declined.MAILBOX_SHARE
    position = box.put(sender, it)
    if it.key:
        rows.keys.setdefault(pair, {})[it.key] = KnownKey(
            hash(it.body),
            it.body_bytes,
            Stored(recipient.id, position, it.sent_at_ms, new=False),
        )
    return Stored(recipient.id, position, it.sent_at_ms, new=True)


def acknowledge(
    rows: Rows, account: AccountId, epoch: Epoch, position: Position
) -> bool:
    """Remove mail up to ``position``, but not beyond the head; whether it changed."""
    row = rows.accounts.get(account)
    if row is None or row.epoch != epoch:
        return False
    box = rows.boxes[account]
    position = min(position, box.head)
    if position <= box.acknowledged:
        return False
    box.remove_to(position)
    return True


def mailbox(rows: Rows, account: AccountId) -> Mailbox:
    """What the mailbox holds; empty for an account that is gone."""
    box = rows.boxes.get(account)
    if box is None:
        return Mailbox(acknowledged=BEFORE_FIRST, head=BEFORE_FIRST, queued=0)
    return Mailbox(acknowledged=box.acknowledged, head=box.head, queued=len(box.mail))


def read(
    rows: Rows, account: AccountId, *, after: Position, messages: int, body_bytes: int
) -> Sequence[Mail]:
    """A page of mail above ``after``."""
    box = rows.boxes.get(account)
    if box is None:
        return ()
    start = bisect_right(box.mail, after, key=attrgetter("position"))
    page: list[Mail] = []
    for it in islice(box.mail, start, start + messages):
        page.append(_shown(it))
        body_bytes -= (
            it.body_bytes
            if isinstance(it, StoredMessage)
            else POSITION_BYTES * len(it.positions)
        )
        if body_bytes <= 0:
            break
    return page


def _shown(it: StoredMessage | Bounce) -> Mail:
    if isinstance(it, Bounce):
        return it
    position, sender, body, body_bytes, sent_at_ms = it
    return Message(
        position,
        sender.username,
        sender.id,
        sender.deleted,
        body,
        body_bytes,
        sent_at_ms,
    )
