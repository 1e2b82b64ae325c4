"""Which transport a URL scheme stands for: ours, and those that others register."""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Final, cast

from transports.base import BadUrl, Transport

ENTRY_POINTS: Final = "chatcore.transports"

# A transport is a module, or any object, with ``listen`` and ``dial``.
_BUILT_IN: Final[Mapping[str, str]] = {
    "grpc": "transports.grpc",
    "loopback": "transports.loopback",
    "tcp": "transports.tcp",
    "ws": "transports.websocket",
}

# The process's own table, like the system's table of ports: filled by ``register``.
_REGISTERED: Final[dict[str, Transport]] = {}


def register(scheme: str, transport: Transport) -> None:
    """Let ``scheme://`` URLs use a transport, in this process.

    An installed package does the same with an entry point of the group
    ``chatcore.transports``, named by the scheme, that loads such a transport.
    """
    _REGISTERED[scheme] = transport


def transport_for(scheme: str) -> Transport:
    """The transport of a scheme, imported when it is first asked for.

    Raises:
        BadUrl: nobody serves this scheme; the error names those that are served.
    """
    if scheme in _REGISTERED:
        return _REGISTERED[scheme]
    if scheme in _BUILT_IN:
        return cast("Transport", import_module(_BUILT_IN[scheme]))
    for entry_point in entry_points(group=ENTRY_POINTS, name=scheme):
        return cast("Transport", entry_point.load())
    raise BadUrl(f"{scheme}:", f"known schemes are {', '.join(schemes())}")


def schemes() -> list[str]:
    """Every scheme that can be used now, sorted."""
    found = {*_BUILT_IN, *_REGISTERED}
    found.update(it.name for it in entry_points(group=ENTRY_POINTS))
    return sorted(found)
