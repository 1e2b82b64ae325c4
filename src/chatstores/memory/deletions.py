"""Deciding deletions and working them off (D1 to D6)."""

from bisect import bisect_left
from collections.abc import Sequence

from chatcore.ids import AccountId, Epoch, IdempotencyKey, Position
from chatcore.model import (
    Bounce,
    Chunk,
    CleanUp,
    DeletionReceipt,
    LeftToDiscard,
    LoggedErasure,
    LogMark,
    NewMail,
)
from chatstores.memory.outbox import MemoryOutbox
from chatstores.memory.rows import AccountRow, Deletion, KeyedRequest, Rows


class StoredDeletions:
    """The part of ``chatcore.store.Store`` that is about them."""

    _rows: Rows
    outbox: MemoryOutbox

    async def delete_account(
        self,
        account: AccountId,
        epoch: Epoch,
        *,
        discard: bool,
        retract: bool,
        delivered: int,
        key: IdempotencyKey,
        at_ms: int,  # noqa: ARG002 (a store without rows on disk has no use for it)
        mark: LogMark | None = None,
    ) -> bool:
        """Decide the deletion, and leave the rest to be cleaned up."""
        rows = self._rows
        owner = rows.accounts.get(account)
        if owner is None or owner.epoch != epoch:
            return False
        if rows.boxes[account].mail and not discard:
            return False
        box = rows.boxes.pop(account)
        rows.counters.waiting -= len(box.mail)
        _bury(rows, owner)
        self.outbox.drop_bodies(account, sent=retract)
        sent = _sent_by(rows, owner)
        rows.deletions[account] = Deletion(
            account=owner,
            receipt=DeletionReceipt(delivered=delivered, kept=0 if retract else sent),
            inbox=sorted((it.sender.id, it.position) for it in box.stored()),
            to_retract=sent if retract else 0,
        )
        if retract:
            for other in rows.boxes.values():
                other.remove_from(owner)
            rows.counters.waiting -= sent
        if key:
            rows.requests.setdefault(key, KeyedRequest(owner, is_deletion=True))
        if mark is not None:
            rows.log_mark = mark
        return True

    async def identity(self) -> bytes:
        """What tells this store from all others."""
        return self._rows.identity

    async def log_mark(self) -> LogMark:
        """Where the erasure log was with the last deletion."""
        return self._rows.log_mark

    async def erase_again(self, logged: LoggedErasure) -> None:
        """Carry out what the erasure log has, and take its mark."""
        rows = self._rows
        rows.log_mark = logged.mark
        it = logged.erasure
        if it is None:
            return
        owner = rows.accounts.get(it.account)
        if owner is None:
            # It is not to be another's.
            rows.last_id = max(rows.last_id, it.account)
            return
        delivered = 0
        if not it.discard:
            box = rows.boxes[it.account]
            delivered = box.messages
            rows.counters.waiting -= len(box.mail)
            box.remove_to(box.head)
        await self.delete_account(
            it.account,
            owner.epoch,
            discard=it.discard,
            retract=it.retract,
            delivered=delivered,
            key=it.key,
            at_ms=it.at_ms,
        )

    async def pending_deletions(self) -> Sequence[AccountId]:
        """Deleted accounts whose clean-up is not finished, oldest decision first."""
        deletions = self._rows.deletions.items()
        return [account for account, it in deletions if not it.finished]

    async def left_to_discard(
        self, account: AccountId, *, messages: int
    ) -> LeftToDiscard:
        """What is next to be taken out of a deleted account's mailbox."""
        deletion = self._rows.deletions.get(account)
        if deletion is None:
            return LeftToDiscard(0, ())
        return LeftToDiscard(deletion.receipt.discarded, deletion.inbox[:messages])

    async def discard(
        self,
        account: AccountId,
        chunks: Sequence[Chunk],
        *,
        discarded: int,
        at_ms: int,
    ) -> Sequence[NewMail]:
        """Take these messages out, with a bounce for each chunk."""
        rows = self._rows
        deletion = rows.deletions.get(account)
        if deletion is None or deletion.receipt.discarded != discarded:
            return ()
        bounces = [
            _bounce(rows, deletion.account, it, at_ms)
            for it in chunks
            if it.sender in rows.boxes
        ]
        taken = sum(len(it.positions) for it in chunks)
        del deletion.inbox[:taken]
        deletion.count(discarded=taken, bounces=len(bounces))
        return bounces

    async def clean_up(self, account: AccountId, *, rows: int) -> CleanUp:
        """Say that the next ``rows`` messages are taken out: they were at once."""
        deletion = self._rows.deletions.get(account)
        if deletion is None:
            return CleanUp(DeletionReceipt(), finished=True)
        if not deletion.inbox:
            retracted = min(rows, deletion.to_retract)
            deletion.to_retract -= retracted
            deletion.count(retracted=retracted)
            deletion.finished = not deletion.to_retract
        return CleanUp(deletion.receipt, deletion.finished)


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


def _bounce(rows: Rows, owner: AccountRow, chunk: Chunk, at_ms: int) -> NewMail:
    box = rows.boxes[chunk.sender]
    box.head = Position(box.head + 1)
    box.mail.append(Bounce(box.head, owner.username, owner.id, chunk.positions, at_ms))
    rows.counters.waiting += 1
    return NewMail(chunk.sender, box.head)
