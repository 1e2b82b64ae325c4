"""A bounded queue in which addresses take turns (B4).

Each address that has something waiting gets one turn, then the next; within one, first
in is first out. So what waits for one address is held up by the number of others, and
not by how much they want.

An address that is alone may fill the queue: nobody is kept out by that, since in a full
queue a newcomer takes the place of the newest item of the address that has most. Beside
others it gets no more than its share. Without this, it would be let in and displaced in
turn; now it is refused at once. Only when all have equally few is a newcomer refused:
then it takes as many addresses to keep it out as there are places.
"""

from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class QueueFull(Exception):
    """There is no place for this address now."""


class FairQueue(Generic[T]):
    """Holds at most ``room`` items, and of an address beside others ``share``.

    It keeps nothing of an address that has nothing in it. Taking costs the same however
    much waits; putting into a full queue looks at each address.
    """

    def __init__(self, *, room: int, share: int) -> None:
        self._room = room
        self._share = share
        # The addresses in the order of their turns; none without an item.
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, address: str, item: T) -> T | None:
        """Let it wait; the item that lost its place for it, if one did.

        Raises:
            QueueFull: nothing was changed.
        """
        own = self._waiting.get(address)
        number = 0 if own is None else len(own)
        if number >= self._share and len(self._waiting) > (own is not None):
            raise QueueFull
        displaced = None
        if self._count >= self._room:
            displaced = self._displace(more_than=number + 1)
        if own is None:
            own = self._waiting[address] = deque()
        own.append(item)
        self._count += 1
        return displaced

    def take(self) -> T:
        """The item whose turn it is; its address comes last from now on.

        Raises:
            LookupError: nothing waits.
        """
        if not self._waiting:
            raise LookupError
        address, items = next(iter(self._waiting.items()))
        item = items.popleft()
        self._count -= 1
        if items:
            self._waiting.move_to_end(address)
        else:
            del self._waiting[address]
        return item

    def discard(self, address: str, item: T) -> None:
        """Free its place, if it still waits."""
        items = self._waiting.get(address)
        if items is None or item not in items:
            return
        items.remove(item)
        self._count -= 1
        if not items:
            del self._waiting[address]

    def turns_before(self, address: str) -> int:
        """At most how many are taken before what this address would put now."""
        own = self._waiting.get(address)
        number = 0 if own is None else len(own)
        return min(self._count, (number + 1) * len(self._waiting))

    def _displace(self, *, more_than: int) -> T:
        """Take out the newest of the address that has most, if it has so many."""
        most = max(self._waiting.values(), key=len, default=None)
        if most is None or len(most) <= more_than:
            raise QueueFull
        self._count -= 1
        return most.pop()
