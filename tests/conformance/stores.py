"""A store that commits and does not say so, as one whose connection breaks does."""

from collections.abc import Sequence

from chatcore.errors import OutcomeUnknown
from chatcore.model import Deposit
from chatcore.store import DepositResult, KeySpan, MailboxRoom, Store
from chatstores.memory import MemoryStore


class Forgetful(MemoryStore):
    """Commits the first deposit and raises ``OutcomeUnknown``; then behaves."""

    def __init__(self, _store: Store) -> None:
        super().__init__()
        self._has_forgotten = False

    async def deposit(
        self,
        deposits: Sequence[Deposit],
        *,
        room: MailboxRoom,
        keys: KeySpan,
    ) -> Sequence[DepositResult]:
        """See ``chatcore.store.Store``."""
        results = await super().deposit(deposits, room=room, keys=keys)
        if not self._has_forgotten:
            self._has_forgotten = True
            raise OutcomeUnknown
        return results
