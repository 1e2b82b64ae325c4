"""Where a call comes from, out of how gRPC spells its peer (B3)."""

from ipaddress import IPv6Address, ip_address
from urllib.parse import unquote


def address_of(peer: str) -> str:
    """The network address of a peer, without port, brackets and zone.

    A peer is ``ipv4:192.0.2.1:5``, ``ipv6:%5B2001:db8::1%5D:5``, or has no such address
    (``unix:``): then it is empty. IPv4 within IPv6 is spelled as IPv4, so that a peer
    has one address whichever socket it comes in by.
    """
    family, _, rest = peer.partition(":")
    if family not in {"ipv4", "ipv6"}:
        return ""
    host = unquote(rest).rpartition(":")[0].strip("[]").partition("%")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
