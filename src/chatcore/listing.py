"""Listing accounts: a bounded walk along the index of names (L1)."""

from chatcore.commands import List
from chatcore.connections import Connection
from chatcore.errors import Outage
from chatcore.events import Listed, Refused
from chatcore.ids import Username
from chatcore.limits import Limits
from chatcore.patterns import Pattern
from chatcore.ports import Store
from chatcore.sessions import Sessions


class Listing:
    """Streams the names that match a pattern, one page in memory at a time."""

    def __init__(self, store: Store, sessions: Sessions, limits: Limits) -> None:
        self._store = store
        self._sessions = sessions
        self._limits = limits

    async def stream(
        self, connection: Connection, command_id: int, command: List, pattern: Pattern
    ) -> None:
        """Write page after page, each once the one before has been written.

        An outage of the store ends the list with a refusal of the same id.
        """
        try:
            await self._walk(connection, command_id, command.after, pattern)
        except Outage as outage:
            connection.emit(Refused(command_id, outage))

    async def _walk(
        self, connection: Connection, command_id: int, after: str, pattern: Pattern
    ) -> None:
        limits = self._limits
        names: list[Username] = []
        online: list[bool] = []
        while not connection.is_over:
            page = await self._store.names(
                prefix=pattern.prefix, after=after, limit=limits.walk_names
            )
            for account, name in page:
                if pattern.matches(name):
                    session = self._sessions.of_account(account)
                    names.append(name)
                    online.append(session is not None and session.is_attached)
            complete = len(page) < limits.walk_names
            while len(names) >= limits.page_names or complete:
                size = limits.page_names
                last = complete and len(names) <= size
                listed = Listed(
                    command_id, tuple(names[:size]), tuple(online[:size]), last
                )
                del names[:size], online[:size]
                connection.emit(listed)
                if last or not await connection.outlet.drained():
                    return
            after = page[-1][1]
