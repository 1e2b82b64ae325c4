"""Invitations, as the memory store has them."""

from collections.abc import Sequence

from chatcore.ids import InvitationHash
from chatcore.model import StoredInvitation
from chatstores.memory.rows import Invitation, Rows


class StoredInvitations:
    """The part of ``chatcore.store.Store`` that is about them."""

    _rows: Rows

    async def add_invitation(
        self, invitation: InvitationHash, *, uses: int, expires_at_ms: int
    ) -> None:
        """Have a code allow so many accounts, until then."""
        self._rows.invitations[invitation] = Invitation(uses, expires_at_ms)

    async def allows(self, invitation: InvitationHash, *, at_ms: int) -> bool:
        """Whether the code is known, not spent, and not expired."""
        return self._rows.allows(invitation, at_ms)

    async def invitations(
        self, *, after: InvitationHash, limit: int, at_ms: int
    ) -> Sequence[StoredInvitation]:
        """A page of those that allow an account."""
        rows = self._rows
        known = sorted(it for it in rows.invitations if it > after)
        allowing = [it for it in known if rows.allows(it, at_ms)][:limit]
        return [StoredInvitation(it, *rows.invitations[it]) for it in allowing]

    async def revoke_invitation(self, invitation: InvitationHash) -> bool:
        """Have a code allow nothing any more; whether it was known."""
        return self._rows.invitations.pop(invitation, None) is not None
