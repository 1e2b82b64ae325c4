"""Settings of connections and servers, the same at both ends."""

from typing import Literal, TypedDict

from transports.base import Address, LinkSettings
from transports.websocket.subprotocols import READ_AHEAD


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
