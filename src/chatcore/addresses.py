"""Network addresses, as limits count them (B3 to B5).

An IPv4 address counts as it is, an IPv6 address by its /64: whoever has one of those
addresses usually has all of them (RFC 6177). Loopback and links without an address, as
within one process, are left out unless the operator has them count: behind a proxy on
the same machine everybody has that address.
"""

from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from chatcore.ids import NO_ADDRESS, AccountId, AddressHash

_SUBSCRIBER_BITS: Final = 64
_HASH_BYTES: Final = 16


def network_of(address: str, *, loopback_counts: bool) -> str:
    """What limits count an address as; empty for one that they leave out."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address  # no IP address: a transport that has names of its own
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if parsed.is_loopback and not loopback_counts:
        return ""
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(IPv6Network((parsed, _SUBSCRIBER_BITS), strict=False))


def hash_address(account: AccountId, network: str) -> AddressHash:
    """What a store keeps of where an account was logged in to (B4, B8)."""
    if not network:
        return NO_ADDRESS
    return AddressHash(sha256(f"{account} {network}".encode()).digest()[:_HASH_BYTES])
