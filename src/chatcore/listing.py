"""Listing accounts: bounded pages along the index of names (L1)."""

from collections.abc import Sequence
from itertools import compress
from typing import Final

from chatcore.commands import List
from chatcore.connections import Connection
from chatcore.errors import InternalError, Refusal
from chatcore.events import Listed
from chatcore.fair_semaphore import FairSemaphore
from chatcore.ids import AccountId, Username
from chatcore.limits import Limits
from chatcore.patterns import Pattern
from chatcore.ports import Clock, ListPolicy
from chatcore.sessions import Sessions
from chatcore.store import Store

_MATCHING_S: Final = 0.0005
"""How long names are held against a pattern before others have a turn (B2)."""
_BETWEEN_LOOKS: Final = 8
"""Names between two looks at the clock: some patterns take long with some names."""
_ENTRY_BYTES: Final = 64
"""More than any codec takes for an entry, beside the bytes of its name."""


class ListNobody:
    """A ``chatcore.ports.ListPolicy`` under which a list is empty."""

    async def visible(
        self,
        asker: Username,  # noqa: ARG002  # whoever it is
        names: Sequence[Username],
    ) -> Sequence[bool]:
        """See ``chatcore.ports.ListPolicy``."""
        return [False] * len(names)


class Listing:
    """Streams the names that match a pattern, one page in memory at a time."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        limits: Limits,
        clock: Clock,
        policy: ListPolicy | None,
    ) -> None:
        self._policy = policy
        self._store = store
        self._sessions = sessions
        self._limits = limits
        self._clock = clock
        self._turns = FairSemaphore(clock, at_once=1)

    async def stream(
        self,
        connection: Connection,
        asker: Username,
        command_id: int,
        command: List,
        pattern: Pattern,
    ) -> None:
        """Write page after page, each once the one before has been written.

        An outage of the store, a refusal of the application's policy or a fault in it
        ends the list with a refusal of the same id.
        """
        try:
            await self._walk(connection, asker, command_id, command.after, pattern)
        except Refusal as refusal:
            connection.refuse_later(command_id, refusal)
        except Exception as error:  # noqa: BLE001  # one command's fault ends no other
            connection.sink.report(error)
            connection.refuse_later(command_id, InternalError())

    async def _walk(
        self,
        connection: Connection,
        asker: Username,
        command_id: int,
        after: str,
        pattern: Pattern,
    ) -> None:
        limits = self._limits
        page_bytes = limits.frame_bytes // 2
        names: list[Username] = []
        online: list[bool] = []
        while not connection.is_over:
            # All lists of a chat share one turn, and one place before the store: in a
            # turn of the others one of them goes on, however many there are (B2).
            async with self._turns.acquired():
                page = await self._store.names(
                    prefix=pattern.prefix, after=after, limit=limits.walk_names
                )
            matched = 0
            while matched < len(page):
                seen = len(names)
                async with self._turns.acquired():
                    matched = self._match(page, matched, pattern, names, online)
                    await connection.sink.give_way()
                if self._policy is not None:
                    await self._hide(self._policy, asker, names, online, seen)
            complete = len(page) < limits.walk_names
            while len(names) >= limits.page_names or complete:
                size = _fitting(names[: limits.page_names], page_bytes)
                last = complete and len(names) <= size
                listed = Listed(
                    command_id, tuple(names[:size]), tuple(online[:size]), last
                )
                del names[:size], online[:size]
                connection.emit(listed)
                if last or not await connection.sink.drained():
                    return
            after = page[-1][1]

    @staticmethod
    async def _hide(
        policy: ListPolicy,
        asker: Username,
        names: list[Username],
        online: list[bool],
        start: int,
    ) -> None:
        """Drop those from ``start`` on whom the application does not let him see."""
        found = names[start:]
        if not found:
            return
        visible = await policy.visible(asker, found)
        if len(visible) != len(found):
            text = f"visible() answered {len(visible)} of {len(found)} names"
            raise ValueError(text)
        names[start:] = compress(found, visible)
        online[start:] = compress(online[start:], visible)

    def _match(
        self,
        page: Sequence[tuple[AccountId, Username]],
        start: int,
        pattern: Pattern,
        names: list[Username],
        online: list[bool],
    ) -> int:
        """Match names of a page from ``start`` on for a while; how far it came."""
        most = min(len(page), start + self._limits.turn_commands)
        ends_s = self._clock.monotonic_s() + _MATCHING_S
        for number in range(start, most):
            account, name = page[number]
            if pattern.matches(name):
                session = self._sessions.of_account(account)
                names.append(name)
                online.append(session is not None and session.is_attached)
            if number % _BETWEEN_LOOKS == 0 and self._clock.monotonic_s() >= ends_s:
                return number + 1
        return most


def _fitting(names: Sequence[Username], page_bytes: int) -> int:
    """How many of these names go into a page of so many bytes; at least one."""
    left = page_bytes
    for number, name in enumerate(names):
        left -= _ENTRY_BYTES + len(name.encode())
        if left < 0:
            return max(1, number)
    return max(1, len(names))
