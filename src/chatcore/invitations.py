"""What the operator may do with invitations (A3, A4)."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from chatcore.ids import NO_INVITATION
from chatcore.limits import Limits
from chatcore.model import StoredInvitation
from chatcore.ports import Clock, Entropy
from chatcore.registration import hash_invitation, write_invitation
from chatcore.reports import InvitationStatus, Invite
from chatcore.store import Store

_ID_DIGITS: Final = 16


class Invitations:
    """Makes codes that allow an account, and takes them back.

    The store has only their hashes. Of those the first 16 hexadecimal digits name an
    invitation: nobody can make an account of them.
    """

    def __init__(
        self, store: Store, clock: Clock, entropy: Entropy, limits: Limits
    ) -> None:
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._limits = limits

    async def make(self, *, uses: int, lifetime_ms: int) -> Invite:
        """Make one, for so many accounts and so long; its code is told only here."""
        code = write_invitation(self._entropy.token())
        expires_at_ms = self._clock.now_ms() + lifetime_ms
        await self._store.add_invitation(
            hash_invitation(code), uses=uses, expires_at_ms=expires_at_ms
        )
        return Invite(code=code, uses=uses, expires_at_ms=expires_at_ms)

    async def all(self) -> AsyncIterator[Sequence[InvitationStatus]]:
        """Those that allow an account now, a page at a time; others should have a turn
        after each (B2).
        """
        async for page in self._pages():
            yield [
                InvitationStatus(
                    id=_id_of(it), uses=it.uses, expires_at_ms=it.expires_at_ms
                )
                for it in page
            ]

    async def revoke(self, code_or_id: str) -> bool:
        """Have one allow nothing any more; whether there was one that did."""
        invitation = hash_invitation(code_or_id)
        if invitation:
            return await self._store.revoke_invitation(invitation)
        async for page in self._pages():
            for it in page:
                if _id_of(it) == code_or_id.lower():
                    return await self._store.revoke_invitation(it.invitation)
        return False

    async def _pages(self) -> AsyncIterator[Sequence[StoredInvitation]]:
        after, limit = NO_INVITATION, self._limits.walk_names
        while page := await self._store.invitations(
            after=after, limit=limit, at_ms=self._clock.now_ms()
        ):
            yield page
            after = page[-1].invitation


def _id_of(invitation: StoredInvitation) -> str:
    return invitation.invitation.hex()[:_ID_DIGITS]
