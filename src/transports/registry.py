"""Which transport a URL scheme stands for: ours, and those that others register."""

from collections.abc import Mapping
from typing import Final

from chatsystem.schemes import SchemeRegistry
from transports.base import Address, Transport
from transports.codec import Codec
from transports.codec import codec as codec_of
from transports.errors import BadUrl

SCHEMES: Final[Mapping[str, str]] = {
    "tcp": "tcp",
    "websocket": "ws",
    "grpc": "grpc",
    "http": "http",
}
"""The schemes of URLs by the names that people know our transports by, in the order in
which they are shown.
"""

# A transport is a module, or any object, with ``listen`` and ``dial``.
TRANSPORTS: Final = SchemeRegistry[Transport](
    "chatcore.transports",
    {
        "grpc": "transports.grpc",
        "grpcs": "transports.grpc",
        "http": "transports.http",
        "https": "transports.http",
        "loopback": "transports.loopback",
        "tcp": "transports.tcp",
        "tcps": "transports.tcp",
        "ws": "transports.websocket",
        "wss": "transports.websocket",
    },
)
"""The process's own table, like the system's table of ports."""


def register_transport(scheme: str, transport: Transport) -> None:
    """Let ``scheme://`` URLs use a transport, in this process.

    An installed package does the same with an entry point of the group
    ``chatcore.transports``, named by the scheme, that loads such a transport.
    """
    TRANSPORTS.register(scheme, transport)


def transport_for(scheme: str) -> Transport:
    """The transport of a scheme, imported when it is first asked for.

    Raises:
        BadUrl: nobody serves this scheme; the error names those that are served.
    """
    transport = TRANSPORTS.find(scheme)
    if transport is None:
        known = ", ".join(TRANSPORTS.schemes())
        raise BadUrl(f"{scheme}:", f"known schemes are {known}")
    return transport


def codec_on(address: Address, asked: str | None) -> Codec:
    """The codec of frames on this URL: what is asked for, or what its transport carries
    best.

    Raises:
        BadUrl: nobody serves the scheme, or its transport does not carry the codec.
        UnknownCodec: there is none of this name.
    """
    carried = transport_for(address.scheme).codecs
    if asked is None:
        return codec_of(carried[0])
    found = codec_of(asked)
    if asked not in carried:
        raise BadUrl(address.text, f"it carries {', '.join(carried)}, not {asked}")
    return found
