"""Deciding deletions and working them off (D1 to D6)."""

from bisect import bisect_left
from collections import Counter
from dataclasses import replace

from chatcore.ids import AccountId, Epoch, IdempotencyKey, Position
from chatcore.keys import ms_of_key
from chatcore.model import (
    Bounce,
    CleanUp,
    DeletionReceipt,
    FirstAnswer,
    LoggedErasure,
    NewMail,
    Survey,
)
from chatstores.bounces import bounces_for, next_chunks
from chatstores.memory.rows import (
    AccountRow,
    Deletion,
    KeyedAnswer,
    MailboxRow,
    Rows,
    StoredMessage,
)


def survey(rows: Rows, account: AccountId, *, bounce_messages: int) -> Survey:
    """Count what a deletion would touch now."""
    owner = rows.accounts.get(account)
    senders: Counter[AccountRow] = Counter()
    sent = 0
    if owner is not None:
        senders.update(
            it.sender
            for it in rows.boxes[account].mail
            if isinstance(it, StoredMessage)
        )
        sent = _sent_by(rows, owner)
    return Survey(
        inbox_messages=senders.total(),
        bounces=sum(
            bounces_for(messages, bounce_messages=bounce_messages)
            for sender, messages in senders.items()
            if sender is not owner and not sender.deleted
        ),
        outbox_messages=sent,
    )


def decide(
    rows: Rows,
    account: AccountId,
    epoch: Epoch,
    *,
    discard: bool,
    retract: bool,
    delivered: int,
    key: IdempotencyKey,
) -> bool:
    """Delete the account; False when its epoch or its waiting mail forbids it."""
    owner = rows.accounts.get(account)
    if owner is None or owner.epoch != epoch:
        return False
    if rows.boxes[account].mail and not discard:
        return False
    box = rows.boxes.pop(account)
    rows.counters.waiting -= len(box.mail)
    _bury(rows, owner)
    deletion = Deletion(
        account=owner,
        receipt=DeletionReceipt(
            delivered=delivered, kept=0 if retract else _sent_by(rows, owner)
        ),
        inbox=sorted(
            (it.sender.id, it.position)
            for it in box.mail
            if isinstance(it, StoredMessage)
        ),
        to_retract=sum(it.remove_from(owner) for it in rows.boxes.values())
        if retract
        else 0,
    )
    rows.counters.waiting -= deletion.to_retract
    rows.deletions[account] = deletion
    if key:
        rows.answered.setdefault(key, KeyedAnswer(owner, deletion))
    return True


def erase_again(rows: Rows, logged: LoggedErasure) -> None:
    """Carry out what the erasure log has, and take its mark."""
    it = logged.erasure
    rows.log_mark = logged.mark
    if it is None:
        return
    owner = rows.accounts.get(it.account)
    if owner is None:
        # It is not to be another's.
        rows.last_id = max(rows.last_id, it.account)
        return
    box = rows.boxes[it.account]
    delivered = 0 if it.discard else box.messages
    if not it.discard:
        box.remove_to(box.head)
    decide(
        rows,
        it.account,
        owner.epoch,
        discard=it.discard,
        retract=it.retract,
        delivered=delivered,
        key=it.key,
    )


def clean_up(
    rows: Rows, account: AccountId, *, step: int, bounce_messages: int, at_ms: int
) -> CleanUp:
    """Take the next ``step`` messages out, inbox first."""
    deletion = rows.deletions.get(account)
    if deletion is None:
        return CleanUp(account=account, receipt=DeletionReceipt(), finished=True)
    chunks = next_chunks(deletion.inbox, rows=step, bounce_messages=bounce_messages)
    heads: dict[AccountId, Position] = {}
    taken = 0
    for sender, positions in chunks:
        taken += len(positions)
        box = rows.boxes.get(sender)
        if box is not None:
            heads[sender] = _bounce(box, deletion, positions, at_ms)
            rows.counters.waiting += 1
    del deletion.inbox[:taken]
    retracted = 0 if deletion.inbox else min(step - taken, deletion.to_retract)
    deletion.to_retract -= retracted
    deletion.finished = not deletion.inbox and not deletion.to_retract
    before = deletion.receipt
    deletion.receipt = replace(
        before,
        discarded=before.discarded + taken,
        bounces=before.bounces + sum(sender in rows.boxes for sender, _ in chunks),
        retracted=before.retracted + retracted,
    )
    return CleanUp(
        account=account,
        receipt=deletion.receipt,
        finished=deletion.finished,
        deliveries=tuple(
            NewMail(account=sender, head=head) for sender, head in heads.items()
        ),
    )


def first_answer(rows: Rows, key: IdempotencyKey) -> FirstAnswer | None:
    """What the ``create`` or ``delete`` under this key did."""
    answered = rows.answered.get(key)
    if answered is None:
        return None
    account, deletion = answered
    return FirstAnswer(
        account=account.id,
        username=account.username,
        password_hash=account.password_hash,
        receipt=deletion.receipt if deletion else None,
    )


def forget(rows: Rows, oldest_key: IdempotencyKey) -> None:
    """Drop the keys below ``oldest_key``, and finished deletions without a key."""
    oldest_ms = ms_of_key(oldest_key)
    for code, invitation in list(rows.invitations.items()):
        if invitation.expires_at_ms <= oldest_ms:
            del rows.invitations[code]
    rows.horizon = max(rows.horizon, oldest_key)
    for pair, known in list(rows.keys.items()):
        left = {key: it for key, it in known.items() if key >= oldest_key}
        if left:
            rows.keys[pair] = left
        else:
            del rows.keys[pair]
    for key in [key for key in rows.answered if key < oldest_key]:
        del rows.answered[key]
    named = {it.account.id for it in rows.answered.values()}
    for account, deletion in list(rows.deletions.items()):
        if deletion.finished and account not in named:
            del rows.deletions[account]


def _bury(rows: Rows, owner: AccountRow) -> None:
    owner.deleted = True
    del rows.accounts[owner.id]
    del rows.by_name[owner.username]
    del rows.names[bisect_left(rows.names, owner.username)]
    rows.closing.discard(owner.id)
    if owner.token_hash is not None:
        del rows.by_token[owner.token_hash]
        owner.token_hash = None
    owner.addresses.clear()


def _sent_by(rows: Rows, owner: AccountRow) -> int:
    """How many of its messages are in mailboxes of others."""
    return sum(
        isinstance(it, StoredMessage) and it.sender is owner
        for account, box in rows.boxes.items()
        if account != owner.id
        for it in box.mail
    )


def _bounce(
    box: MailboxRow, deletion: Deletion, positions: tuple[Position, ...], at_ms: int
) -> Position:
    box.head = Position(box.head + 1)
    owner = deletion.account
    box.mail.append(Bounce(box.head, owner.username, owner.id, positions, at_ms))
    return box.head
