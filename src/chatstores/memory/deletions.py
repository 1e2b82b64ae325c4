"""Deciding deletions and working them off (D1 to D6)."""

from bisect import bisect_left
from collections.abc import Sequence

from chatcore.ids import AccountId, Epoch, IdempotencyKey, Position
from chatcore.keys import ms_of_key
from chatcore.model import (
    Bounce,
    Chunk,
    CleanUp,
    DeletionReceipt,
    LeftToDiscard,
    LoggedErasure,
    NewMail,
)
from chatstores.memory.rows import (
    AccountRow,
    Deletion,
    KeyedRequest,
    Rows,
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
        inbox=sorted((it.sender.id, it.position) for it in box.stored()),
        to_retract=sum(it.remove_from(owner) for it in rows.boxes.values())
        if retract
        else 0,
    )
    rows.counters.waiting -= deletion.to_retract
    rows.deletions[account] = deletion
    if key:
        rows.requests.setdefault(key, KeyedRequest(owner, is_deletion=True))
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


def left_to_discard(rows: Rows, account: AccountId, messages: int) -> LeftToDiscard:
    """What is next to be taken out of a deleted account's mailbox."""
    deletion = rows.deletions.get(account)
    if deletion is None:
        return LeftToDiscard(0, ())
    return LeftToDiscard(deletion.receipt.discarded, deletion.inbox[:messages])


def discard(
    rows: Rows,
    account: AccountId,
    chunks: Sequence[Chunk],
    *,
    discarded: int,
    at_ms: int,
) -> Sequence[NewMail]:
    """Take messages out, and tell those of their senders who live."""
    deletion = rows.deletions.get(account)
    if deletion is None or deletion.receipt.discarded != discarded:
        return ()
    bounces = [
        _bounce(rows, deletion, it, at_ms) for it in chunks if it.sender in rows.boxes
    ]
    taken = sum(len(it.positions) for it in chunks)
    del deletion.inbox[:taken]
    deletion.count(discarded=taken, bounces=len(bounces))
    return bounces


def clean_up(rows: Rows, account: AccountId, step: int) -> CleanUp:
    """Say of the next ``step`` messages that they are taken out: they were at once."""
    deletion = rows.deletions.get(account)
    if deletion is None:
        return CleanUp(DeletionReceipt(), finished=True)
    if not deletion.inbox:
        retracted = min(step, deletion.to_retract)
        deletion.to_retract -= retracted
        deletion.count(retracted=retracted)
        deletion.finished = not deletion.to_retract
    return CleanUp(deletion.receipt, deletion.finished)


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
    for key in [key for key in rows.requests if key < oldest_key]:
        del rows.requests[key]
    named = {it.account.id for it in rows.requests.values()}
    for account, deletion in list(rows.deletions.items()):
        if deletion.finished and account not in named:
            del rows.deletions[account]


def _bury(rows: Rows, owner: AccountRow) -> None:
    owner.deleted = True
    del rows.accounts[owner.id]
    del rows.by_name[owner.username]
    del rows.names[bisect_left(rows.names, owner.username)]
    if owner.token_hash is not None:
        del rows.by_token[owner.token_hash]
        owner.token_hash = None
    owner.addresses.clear()


def _sent_by(rows: Rows, owner: AccountRow) -> int:
    """How many of its messages are in mailboxes of others."""
    return sum(
        it.sender is owner
        for account, box in rows.boxes.items()
        if account != owner.id
        for it in box.stored()
    )


def _bounce(rows: Rows, deletion: Deletion, chunk: Chunk, at_ms: int) -> NewMail:
    box, owner = rows.boxes[chunk.sender], deletion.account
    box.head = Position(box.head + 1)
    box.mail.append(Bounce(box.head, owner.username, owner.id, chunk.positions, at_ms))
    rows.counters.waiting += 1
    return NewMail(chunk.sender, box.head)
