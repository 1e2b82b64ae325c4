"""What keys are remembered for, and until when (M2, D6)."""

from chatcore.ids import IdempotencyKey
from chatcore.keys import ms_of_key
from chatcore.model import FirstUse
from chatstores.memory.outbox import MemoryOutbox
from chatstores.memory.rows import Rows


class Retention:
    """The part of ``chatcore.store.Store`` that is about keys."""

    _rows: Rows
    outbox: MemoryOutbox

    async def first_use(self, key: IdempotencyKey) -> FirstUse | None:
        """What the first ``create`` or ``delete`` under this key was about."""
        found = self._rows.requests.get(key)
        if found is None:
            return None
        row, is_deletion = found
        return FirstUse(row.id, row.username, row.password_hash, is_deletion)

    async def forget(self, oldest_key: IdempotencyKey) -> None:
        """Drop the keys below ``oldest_key``, and finished deletions without a key."""
        rows = self._rows
        oldest_ms = ms_of_key(oldest_key)
        for code, invitation in list(rows.invitations.items()):
            if invitation.expires_at_ms <= oldest_ms:
                del rows.invitations[code]
        rows.horizon = max(rows.horizon, oldest_key)
        self.outbox.forget(oldest_ms)
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

    async def horizon(self) -> IdempotencyKey:
        """The highest key that ``forget`` was given."""
        return self._rows.horizon
