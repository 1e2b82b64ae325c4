"""What all connections of a server hold together, and who has to go (B1).

Each driver tells how much its connection holds: bytes that were read and not carried
out, and that were written and not taken. When all of them hold too much, nothing is
read any more of those that hold most; when that does not help within a while, they are
ended.
"""

import asyncio
from heapq import nlargest
from typing import Final, Protocol

_GRACE_S: Final = 1.0
_ENDED_AT_ONCE: Final = 4
_BETWEEN_ENDS_S: Final = 0.005


class BudgetMember(Protocol):
    """One connection, as the sum sees it."""

    def hold_reading(self, *, on: bool) -> None:
        """Read nothing of its peer while on."""
        ...

    def end_overloaded(self) -> None:
        """End the connection, and let go of what it holds."""
        ...


class MemoryBudget:
    """The sum over all connections of a server.

    Over the limit a connection that holds more than its equal share is stopped when it
    grows; those that hold most are ended when the sum is still over it after a while,
    and at once when it is over it by a sixteenth.

    Args:
        most_bytes: what they may hold together.

    Attributes:
        held_bytes: what they hold now.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._ceiling_bytes = most_bytes + most_bytes // 16
        self._held: dict[BudgetMember, int] = {}
        self._stopped: dict[BudgetMember, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.held_bytes = 0

    def update(self, member: BudgetMember, held_bytes: int) -> None:
        """Take note of what a connection holds now."""
        before = self._held.get(member, 0)
        self._held[member] = held_bytes
        self.held_bytes += held_bytes - before
        if self.held_bytes <= self._most_bytes:
            if self._stopped:
                self._go_on()
        elif held_bytes > before:
            self._relieve(member, held_bytes)

    def leave(self, member: BudgetMember) -> None:
        """Take note that a connection has gone."""
        self.held_bytes -= self._held.pop(member, 0)
        self._stopped.pop(member, None)
        if self._stopped and self.held_bytes <= self._most_bytes:
            self._go_on()

    def _relieve(self, member: BudgetMember, held_bytes: int) -> None:
        """Stop one that has grown, or end those that hold most."""
        if self.held_bytes > self._ceiling_bytes:
            self._end_largest()
            return
        if held_bytes > self._most_bytes // len(self._held):
            self._stopped[member] = None
            member.hold_reading(on=True)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_GRACE_S, self._end_largest)

    def _end_largest(self) -> None:
        """End those without which the rest is within the limit, the largest first.

        A few at a time: each takes a while to be taken down, and others wait (B2).
        """
        largest = nlargest(_ENDED_AT_ONCE, self._held, key=self._held.__getitem__)
        for member in largest:
            if self.held_bytes <= self._most_bytes:
                break
            self.held_bytes -= self._held.pop(member)
            self._stopped.pop(member, None)
            member.end_overloaded()
        if self.held_bytes <= self._most_bytes:
            self._go_on()
            return
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_BETWEEN_ENDS_S, self._end_largest)

    def _go_on(self) -> None:
        """Read of all again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        stopped, self._stopped = self._stopped, {}
        for member in stopped:
            member.hold_reading(on=False)
