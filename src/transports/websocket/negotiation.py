"""What both ends agree on: path, subprotocols, and settings of a connection (W1, W3).

``chat.v1.json`` is version 1 with the codec json.
"""

from collections.abc import Sequence
from typing import Final, Literal, TypedDict

from websockets.typing import Subprotocol

from transports.base import Address, LinkSettings
from transports.codec import CODECS

PATH: Final = "/chat"
HTTP: Final = "http/1.1"
"""What a WebSocket is asked for in, as TLS calls it (RFC 7301)."""
CODE_HEADER: Final = "Chat-Close-Code"
"""Of an answer that is no upgrade: the code that a link would have been closed with."""
READ_AHEAD: Final = 1
"""Messages that a connection reads before they are asked for: what is not executed
yet is the driver's to count (W8), and each may have a whole frame's size."""
_OURS: Final = "chat.v1."
_ANY_VERSION: Final = "chat.v"


def subprotocol_of(codec_name: str) -> Subprotocol:
    """The subprotocol that names a codec, of the version that is spoken here."""
    return Subprotocol(f"{_OURS}{codec_name}")


KNOWN: Final = tuple(map(subprotocol_of, CODECS))
"""What this server speaks."""


def codec_name(subprotocol: str) -> str:
    """The codec that a subprotocol of ``KNOWN`` names."""
    return subprotocol.removeprefix(_OURS)


def choose(offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """The first offered that is ours; else one of another version, to refuse it.

    A browser cannot read a failed upgrade, so another version of our protocol is
    accepted, and closed at once with a code and a reason (W1). None for strangers.
    """
    for subprotocol in offered:
        if subprotocol in KNOWN:
            return subprotocol
    for subprotocol in offered:
        if subprotocol.startswith(_ANY_VERSION):
            return subprotocol
    return None


class ConnectionOptions(TypedDict):
    """What the library is told of each connection, in its own words."""

    compression: Literal["deflate"] | None
    open_timeout: float
    ping_interval: float
    ping_timeout: None
    close_timeout: float
    max_size: int
    max_queue: int


def connection_options(address: Address, settings: LinkSettings) -> ConnectionOptions:
    """Size limits before buffering, pings that keep silent links alive, and deflate
    for a URL with ``?compression=deflate``.
    """
    deflates = address.options.get("compression") == "deflate"
    return ConnectionOptions(
        compression="deflate" if deflates else None,
        open_timeout=settings.handshake_s,
        ping_interval=settings.keepalive_s,
        ping_timeout=None,  # the driver judges silence, the same on each transport
        close_timeout=settings.close_s,
        max_size=settings.frame_bytes,
        max_queue=READ_AHEAD,
    )
