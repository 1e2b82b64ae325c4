"""How many connections there may be, in all and for each address (B3)."""

from collections import Counter

from chatcore.addresses import network_of
from chatcore.limits import Limits


class Admission:
    """Counts the connections of one chat, over all its transports."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_network: Counter[str] = Counter()
        self._all = 0

    def enter(self, address: str) -> bool:
        """Count one more; False, and nothing is counted, when there are too many."""
        limits = self._limits
        network = network_of(address, loopback_counts=limits.loopback_counts)
        if self._all >= limits.connections or (
            network and self._by_network[network] >= limits.address_connections
        ):
            return False
        self._all += 1
        if network:
            self._by_network[network] += 1
        return True

    def leave(self, address: str) -> None:
        """Count one less, that ``enter`` has let in."""
        limits = self._limits
        network = network_of(address, loopback_counts=limits.loopback_counts)
        self._all -= 1
        if network:
            self._by_network[network] -= 1
            if not self._by_network[network]:
                del self._by_network[network]
