"""How many calls run at a time, in all and from each address (B3)."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chatcore.errors import CloseCode
from transports.base import LinkClosed
from transports.grpc.peers import address_of, counted_as


class Places:
    """Places for calls of one kind.

    Those of one IPv6 network (/64) count as one address, and loopback as none unless
    it is told to.
    """

    def __init__(self, most: int, of_address: int, *, loopback_counts: bool) -> None:
        self._most = most
        self._of_address = of_address
        self._loopback_counts = loopback_counts
        self._taken = 0
        self._by_address: Counter[str] = Counter()

    def take(self, peer: str) -> Callable[[], None]:
        """Take a place for a call of this peer; returns what gives it back, once.

        Raises:
            LinkClosed: there is none, with ``TOO_MANY_CONNECTIONS``.
        """
        counted = counted_as(address_of(peer), loopback_counts=self._loopback_counts)
        if self._taken >= self._most:
            raise _no_place("The server has as many calls as it takes at a time.")
        if counted and self._by_address[counted] >= self._of_address:
            raise _no_place(f"At most {self._of_address} calls of an address run.")
        self._taken += 1
        if counted:
            self._by_address[counted] += 1

        def give_back() -> None:
            self._taken -= 1
            if counted:
                self._by_address[counted] -= 1
                if not self._by_address[counted]:
                    del self._by_address[counted]

        return give_back

    @contextmanager
    def place(self, peer: str) -> Iterator[None]:
        """A place while the block runs; raises as ``take``."""
        give_back = self.take(peer)
        try:
            yield
        finally:
            give_back()


def _no_place(text: str) -> LinkClosed:
    return LinkClosed(CloseCode.TOO_MANY_CONNECTIONS, f"{text} Try again later.")
