"""How many calls run at a time that are no chat, in all and for each address (B3)."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from chatcore.addresses import network_of
from chatcore.errors import CloseCode
from transports.base import LinkClosed


class CallLimits:
    """CallLimits for calls; addresses count as in ``chatcore.addresses``."""

    def __init__(self, most: int, of_address: int, *, loopback_counts: bool) -> None:
        self._most = most
        self._of_address = of_address
        self._loopback_counts = loopback_counts
        self._taken = 0
        self._by_network: Counter[str] = Counter()

    @contextmanager
    def place(self, address: str) -> Iterator[None]:
        """A place for a call from there while the block runs.

        Raises:
            LinkClosed: there is none, with ``TOO_MANY_CONNECTIONS``.
        """
        network = network_of(address, loopback_counts=self._loopback_counts)
        if self._taken >= self._most or (
            network and self._by_network[network] >= self._of_address
        ):
            raise LinkClosed(
                CloseCode.TOO_MANY_CONNECTIONS,
                f"At most {self._of_address} such calls run for an address, and "
                f"{self._most} in all; try again later.",
            )
        self._taken += 1
        self._by_network[network] += 1
        try:
            yield
        finally:
            self._taken -= 1
            self._by_network[network] -= 1
            if not self._by_network[network]:
                del self._by_network[network]
