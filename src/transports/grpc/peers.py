"""Where a call comes from: out of how gRPC spells its peer, or a proxy's word (B3)."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv6Address, ip_address
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from grpc.aio import ServicerContext

from transports.base import authority
from transports.proxies import Proxies

_FORWARDED: Final = "x-forwarded-for"
_AUTHORIZATION: Final = "authorization"


class Caller(NamedTuple):
    """Who makes a call: as a log has it, its address, and what it says of itself."""

    peer: str
    address: str
    metadata: Sequence[tuple[str, str]]


def address_of(peer: str) -> str:
    """The network address of a peer, without port, brackets and zone.

    A peer is ``ipv4:192.0.2.1:5``, ``ipv6:%5B2001:db8::1%5D:5``, or has no such address
    (``unix:``): then it is empty. IPv4 within IPv6 is spelled as IPv4, so that a peer
    has one address whichever socket it comes in by.
    """
    return _taken_apart(peer)[0]


def spelled(peer: str, client: str) -> str:
    """A peer as the other transports spell it in logs: ``192.0.2.1:5``,
    ``[2001:db8::1]:5``, with whom it speaks for before it, if it is a proxy.
    """
    address, port = _taken_apart(peer)
    name = authority(address, port) if address else peer
    return name if client == address else f"{client} by {name}"


def _taken_apart(peer: str) -> tuple[str, int]:
    family, _, rest = peer.partition(":")
    if family not in {"ipv4", "ipv6"}:
        return "", 0
    host, _, port = unquote(rest).rpartition(":")
    try:
        address = ip_address(host.strip("[]").partition("%")[0])
        number = int(port)
    except ValueError:
        return "", 0
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address), number


def metadata_of(context: "ServicerContext[Any, Any]") -> list[tuple[str, str]]:
    """What a call says of itself beside its request, as far as it is text."""
    metadata = context.invocation_metadata() or ()
    return [(key, value) for key, value in metadata if isinstance(value, str)]


def bearer_of(metadata: Iterable[tuple[str, str]]) -> str:
    """The proof that a call shows (RFC 6750, 2.1); empty for none."""
    for key, value in metadata:
        kind, _, token = value.partition(" ")
        if key == _AUTHORIZATION and kind.lower() == "bearer":
            return token.strip()
    return ""


def client_of(context: "ServicerContext[Any, Any]", proxies: Proxies) -> str:
    """The address that a call comes from: its peer's, or whom a proxy has named."""
    address = address_of(context.peer())
    if not proxies.trusts(address):
        return address
    metadata = context.invocation_metadata() or ()
    forwarded = [str(value) for key, value in metadata if key == _FORWARDED]
    return proxies.client_of(address, forwarded)
