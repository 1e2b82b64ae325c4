"""Proxies whose word is taken for where a connection comes from (B3 to B5)."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

_Network: TypeAlias = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Proxies:
    """The networks that they are in; none by default, so that nobody is believed."""

    networks: tuple[_Network, ...] = ()

    @classmethod
    def of(cls, names: Iterable[str]) -> "Proxies":
        """Those in networks such as ``10.0.0.0/8``, or at single addresses.

        Raises:
            ValueError: a name is no network.
        """
        return cls(tuple(ip_network(it.strip()) for it in names))

    def trusts(self, address: str) -> bool:
        """Whether one of them has this address."""
        if not self.networks:
            return False
        parsed = _parsed(address)
        return parsed is not None and any(parsed in it for it in self.networks)

    def client_of(self, address: str, forwarded: Iterable[str]) -> str:
        """Whose connection a proxy's is: of what ``X-Forwarded-For`` says, the last
        that is no proxy's.

        Each proxy adds on the right whom it was connected by; what is further to the
        left than the last that is no proxy's, that one may have made up. Where a proxy
        has added nothing that is an address, it is taken for the client itself.

        Args:
            address: whose connection it is to the server, a proxy's.
            forwarded: the header's values, in their order.
        """
        hops = ",".join(forwarded).split(",")
        for hop in reversed(hops):
            parsed = _parsed(_without_port(hop.strip()))
            if parsed is None:
                break
            address = str(parsed)
            if not self.trusts(address):
                break
        return address

    def seen_as(
        self, address: str, peer: str, forwarded: Iterable[str]
    ) -> tuple[str, str]:
        """The address that counts for a connection, and its name for a log: its own, or
        by a proxy that is believed its client's (see ``client_of``).
        """
        if not self.trusts(address):
            return address, peer
        client = self.client_of(address, forwarded)
        return client, f"{client} by {peer}"


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """An address; IPv4 within IPv6 as IPv4, in which networks are named."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _without_port(hop: str) -> str:
    """``192.0.2.1`` of ``192.0.2.1:5``, ``2001:db8::1`` of ``[2001:db8::1]:5``."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
