"""How many connections there may be, in all and for each address (B3)."""

from collections import Counter
from collections.abc import Callable

from chatcore.addresses import network_of
from chatcore.limits import Limits


class Admission:
    """Counts the connections of one chat, over all its transports.

    Those of an address that nobody has logged in on are fewer than all of them: what a
    stranger makes the server hold, some libraries cannot bound as closely (B1).

    Args:
        limits: the bounds.
        known: how many connections from a network somebody is logged in on.
    """

    def __init__(self, limits: Limits, known: Callable[[str], int]) -> None:
        self._limits = limits
        self._known = known
        self._links: Counter[str] = Counter()
        self._calls: Counter[str] = Counter()
        self._all = 0

    def enter(self, address: str) -> bool:
        """Count one more link; False, without counting, when there are too many."""
        network = self._network(address)
        strangers = self._links[network] - self._known(network)
        if network and strangers >= self._limits.address_strangers:
            return False
        return self._count(self._links, network)

    def leave(self, address: str) -> None:
        """Count one link less, that ``enter`` has let in."""
        self._discount(self._links, self._network(address))

    def enter_call(self, address: str) -> bool:
        """Count one more single call, whose size the transport bounds by itself."""
        return self._count(self._calls, self._network(address))

    def leave_call(self, address: str) -> None:
        """Count one call less, that ``enter_call`` has let in."""
        self._discount(self._calls, self._network(address))

    def _network(self, address: str) -> str:
        return network_of(address, loopback_counts=self._limits.loopback_counts)

    def _count(self, kind: Counter[str], network: str) -> bool:
        limits = self._limits
        there = self._links[network] + self._calls[network]
        if self._all >= limits.connections or (
            network and there >= limits.address_connections
        ):
            return False
        self._all += 1
        kind[network] += 1
        return True

    def _discount(self, kind: Counter[str], network: str) -> None:
        self._all -= 1
        kind[network] -= 1
        if not kind[network]:
            del kind[network]
