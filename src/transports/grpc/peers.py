"""Where a call comes from: out of how gRPC spells its peer, or a proxy's word (B3)."""

from ipaddress import IPv6Address, ip_address
from typing import Any, Final
from urllib.parse import unquote

from grpc.aio import ServicerContext

from transports.proxies import Proxies

_FORWARDED: Final = "x-forwarded-for"


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


def client_of(context: "ServicerContext[Any, Any]", proxies: Proxies) -> str:
    """The address that a call comes from: its peer's, or whom a proxy has named."""
    address = address_of(context.peer())
    if not proxies.trusts(address):
        return address
    metadata = context.invocation_metadata() or ()
    forwarded = [str(value) for key, value in metadata if key == _FORWARDED]
    return proxies.client_of(address, forwarded)
