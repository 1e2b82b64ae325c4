"""Putting mail into mailboxes, reading it and letting go of it, as work of the writer.

The judgement of a deposit is made from the caches, and validates before it
posts anything: a deposit that is declined leaves nothing to undo.
"""

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from chatcore.ids import (
    BEFORE_FIRST,
    NO_KEY,
    AccountId,
    Epoch,
    IdempotencyKey,
    Position,
    Username,
)
from chatcore.keys import key_from_ms
from chatcore.model import (
    BOUNCE_POSITION_BYTES,
    Bounce,
    Chunk,
    Deposit,
    Mail,
    Mailbox,
    Message,
    NewMail,
    Place,
    SenderShare,
    SentPage,
    SentPlace,
)
from chatcore.store import Declined, DepositResult, KeySpan, MailboxRoom, Stored
from chatcore.tuples import new_tuple
from chatstores.sqlite.cache import VISIBLE, MailboxRow
from chatstores.sqlite.database import Database
from chatstores.sqlite.pagination import END, Cursor, page_end
from chatstores.sqlite.values import Value

DIGEST_BYTES: Final = 16
"""Of BLAKE2b: nobody finds another body for a digest, and it is all that a repeat
is compared with."""

AHEAD_MS: Final = 10_000
"""A key whose time is later than its message's by so much is marked ``ahead``. Clients
make keys of the server's time as they were told it, so that theirs are earlier."""

_READ: Final = (
    "SELECT position, bounced, sender, body, octet_length(body), sent_at_ms "
    "FROM message WHERE account = ? AND position > ? "
)
_READ_ALL: Final = f"{_READ} ORDER BY position LIMIT ?"
_READ_VISIBLE: Final = f"{_READ} AND {VISIBLE} ORDER BY position LIMIT ?"

_LEAVING: Final = (
    "SELECT sender, bounced, count(*) FROM message "  # noqa: S608 (a constant)
    f"WHERE account = ? AND position <= ? AND {VISIBLE} GROUP BY sender, bounced"
)

_SHARES: Final = (
    # The length stands before the body, which is not read for it.
    "SELECT sender, deleted, count(*) FILTER (WHERE bounced = 0), "  # noqa: S608 (a constant)
    "count(*) FILTER (WHERE bounced = 1), "
    "coalesce(sum(octet_length(body)) FILTER (WHERE bounced = 0), 0), min(sent_at_ms) "
    "FROM message JOIN account ON account.id = sender "
    f"WHERE message.account = ? AND {VISIBLE} GROUP BY sender ORDER BY sender"
)

_SENT: Final = (
    "SELECT username, message.account, position "
    "FROM message JOIN account ON account.id = message.account AND deleted = 0 "
    "WHERE (message.account, position) > (?, ?) "
    "AND (message.account, position) <= (?, ?) "
    "AND sender = ? AND bounced = 0 AND message.account <> sender "
    "ORDER BY message.account, position LIMIT ?"
)


def deposit(
    database: Database,
    deposits: Sequence[Deposit],
    room: MailboxRoom,
    keys: KeySpan,
) -> Sequence[DepositResult]:
    """Judge each deposit by itself, and post those that nothing speaks against.

    What is so of nearly all is seen here, without a call; the rest is ``_judge``'s.
    """
    cache = database.cache
    crowded = min(room.crowded, room.full)
    span = KeySpan(max(keys.oldest, cache.horizon), keys.newest)
    oldest, newest = span
    ahead_of_ms = -1
    ahead_from = NO_KEY
    results: list[DepositResult] = []
    for it in deposits:
        sender_id, epoch, recipient, body, _, key, sent_at_ms = it
        pair = cache.pair(sender_id, recipient)
        digest = _digest(body) if key else b""
        if (
            pair is None
            or pair.sender.epoch != epoch
            or (key and not (pair.highest < key and oldest <= key <= newest))
            or pair.box.messages >= crowded
        ):
            result = _judge(database, it, digest, room, crowded, span)
            if result is not None:
                results.append(result)
                continue
            assert pair is not None  # noqa: S101  # judged to be two live accounts
        box = pair.box
        recipient_id = pair.recipient_id
        box.head = position = Position(box.head + 1)
        box.messages += 1
        if box.sender_counts is not None:
            box.sender_counts.add(sender_id)
        ahead = False
        if key:
            if sent_at_ms != ahead_of_ms:
                ahead_of_ms = sent_at_ms
                ahead_from = key_from_ms(sent_at_ms + AHEAD_MS)
            ahead = key >= ahead_from
            if key > pair.highest:
                cache.raise_highest_key(pair, key, ahead=ahead)
        message = (recipient_id, position, sender_id, sent_at_ms, body)
        database.batch.post_deposit((*message, recipient, key, digest, ahead))
        results.append(Stored(recipient_id, position, sent_at_ms, True))  # noqa: FBT003  # a positional row on the hot path
    if database.webhooks.targets:
        _keep_webhooks(database, deposits, results)
    return results


def _keep_webhooks(
    database: Database, deposits: Sequence[Deposit], results: Sequence[DepositResult]
) -> None:
    """Write down, in the same transaction, who is to be told of what is new."""
    told: list[tuple[Value, ...]] = []
    for it, result in zip(deposits, results, strict=True):
        if isinstance(result, Stored) and result.new:
            name, _ = _name_of(database, it.sender_id)
            recipient_id, position, sent_at_ms, _ = result
            message = (position, sent_at_ms, it.body)
            told.append((it.sender_id, name, recipient_id, it.recipient, *message))
    database.webhooks.keep(told)


def _digest(body: str) -> bytes:
    return blake2b(body.encode(), digest_size=DIGEST_BYTES).digest()


def _judge(
    database: Database,
    it: Deposit,
    digest: bytes,
    room: MailboxRoom,
    crowded: int,
    keys: KeySpan,
) -> DepositResult | None:
    """What speaks against a deposit, in the port's order, or its first result."""
    cache = database.cache
    sender_id, epoch, recipient, _, _, key, _ = it
    sender = cache.account(sender_id)
    if sender is None or sender.epoch != epoch:
        return Declined.FENCED
    if key:
        if key <= cache.highest_key(sender_id, recipient):
            first = _first_result(database, sender_id, recipient, key, digest)
            if first is not None:
                return first
        if not keys.oldest <= key <= keys.newest:
            is_old = key < keys.oldest
            return Declined.KEY_EXPIRED if is_old else Declined.KEY_AHEAD
    recipient_id = cache.account_id(recipient)
    if recipient_id is None:
        return Declined.NO_SUCH_ACCOUNT
    box = cache.box(recipient_id)
    if box.messages >= crowded:
        if box.messages >= room.full:
            return Declined.MAILBOX_FULL
        if cache.sender_counts(recipient_id, box).of(sender_id) >= room.share:
            return Declined.MAILBOX_SHARE
    return None


def _first_result(
    database: Database,
    sender: AccountId,
    recipient: Username,
    key: IdempotencyKey,
    digest: bytes,
) -> DepositResult | None:
    """What this key was answered first; None when it is unknown or forgotten."""
    if key < database.cache.horizon:
        return None
    first = database.batch.key_result((key, sender, recipient))
    if first is None:
        return None
    if first.digest != digest:
        return Declined.OTHER_BODY
    return Stored(first.recipient_id, first.position, first.sent_at_ms, new=False)


def acknowledge(
    database: Database, account: AccountId, epoch: Epoch, position: Position
) -> bool:
    """Remove mail up to ``position``, but not beyond the head; whether it changed."""
    cache = database.cache
    owner = cache.account(account)
    if owner is None or owner.epoch != epoch:
        return False
    box = cache.box(account)
    position = min(position, box.head)
    if position <= box.acknowledged:
        return False
    waiting = box.messages + box.bounces
    if position == box.head:
        box.messages = box.bounces = 0
        box.sender_counts = None
    elif box.sender_counts is None and box.messages == box.head - box.acknowledged:
        # Every position that is not acknowledged has a message: no need to count.
        box.messages = box.head - position
    else:
        _count_out(database, account, box, position)
    mails = waiting - box.messages - box.bounces
    database.batch.post_acknowledgement(account, position, mails)
    box.acknowledged = position
    return True


def _count_out(
    database: Database, account: AccountId, box: MailboxRow, position: Position
) -> None:
    """Take the mail up to ``position`` out of the counts; it is still in the file."""
    for sender, bounced, mails in database.batch.rows(_LEAVING, account, position):
        if bounced:
            box.bounces -= mails
            continue
        box.messages -= mails
        if box.sender_counts is not None:
            box.sender_counts.remove(sender, mails)
    if box.sender_counts is not None and not box.sender_counts.is_worth_keeping(
        box.messages
    ):
        box.sender_counts = None


def mailbox(database: Database, account: AccountId) -> Mailbox:
    """What the mailbox holds; empty for an account that is gone."""
    if database.cache.account(account) is None:
        return Mailbox(acknowledged=BEFORE_FIRST, head=BEFORE_FIRST, queued=0)
    box = database.cache.box(account)
    return Mailbox(
        acknowledged=box.acknowledged,
        head=box.head,
        queued=box.messages + box.bounces,
    )


def shares(database: Database, account: AccountId) -> Sequence[SenderShare]:
    """What the mailbox holds, summed up for each account that it names as sender."""
    if database.cache.account(account) is None:
        return ()
    rows = database.batch.rows(_SHARES, account)
    return [SenderShare(sender, bool(gone), *counts) for sender, gone, *counts in rows]


def sent(
    database: Database, account: AccountId, *, after: Place, messages: int
) -> SentPage:
    """Where a live account has messages on a page of others' mailboxes, and where the
    next one begins.
    """
    if database.cache.account(account) is None:
        return SentPage((), None)
    end = page_end(database.batch, Cursor(*after))
    rows = database.batch.rows(_SENT, *after, *end, account, messages)
    found = [SentPlace(*row) for row in rows]
    if len(found) == messages:
        return SentPage(found, Place(found[-1].recipient_id, found[-1].position))
    return SentPage(found, None if end == END else Place(*end))


def read(
    database: Database,
    account: AccountId,
    after: Position,
    messages: int,
    body_bytes: int,
) -> Sequence[Mail]:
    """A page of mail above ``after``."""
    if database.cache.account(account) is None:
        return ()
    page: list[Mail] = []
    names: dict[AccountId, tuple[Username, bool]] = {}
    batch = database.batch
    sql = _READ_VISIBLE if batch.deletions_run else _READ_ALL
    for row in batch.each(sql, account, after, messages):
        position, bounced, sender, body, size, sent_at_ms = row
        if sender not in names:
            names[sender] = _name_of(database, sender)
        name, gone = names[sender]
        if bounced:
            positions = tuple(json.loads(body))
            size = BOUNCE_POSITION_BYTES * len(positions)
            page.append(Bounce(position, name, sender, positions, sent_at_ms))
        else:
            message = (position, name, sender, gone, body, size, sent_at_ms)
            page.append(new_tuple(Message, message))
        body_bytes -= size
        if body_bytes <= 0:
            break
    return page


def _name_of(database: Database, account: AccountId) -> tuple[Username, bool]:
    """Its name, and whether it is deleted; a tombstone is there while mail names it."""
    live = database.cache.account(account)
    if live is not None:
        return live.username, False
    (name,) = database.batch.row("SELECT username FROM account WHERE id = ?", account)
    return name, True


def put_bounce(
    database: Database, chunk: Chunk, about: AccountId, at_ms: int
) -> NewMail:
    """Tell a live account that its messages to ``about`` were discarded."""
    box = database.cache.box(chunk.sender)
    box.head = Position(box.head + 1)
    box.bounces += 1
    database.batch.count_bounce()
    database.batch.write(
        "INSERT INTO message (account, position, sender, bounced, sent_at_ms, body) "
        "VALUES (?, ?, ?, 1, ?, ?)",
        chunk.sender,
        box.head,
        about,
        at_ms,
        json.dumps(chunk.positions, separators=(",", ":")),
    )
    return NewMail(chunk.sender, box.head)
