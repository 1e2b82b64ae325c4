"""What the library is told of a connection, at both ends."""

from typing import Final, Literal, TypedDict

from transports.base import Address, LinkSettings

HTTP: Final = "http/1.1"
"""What a WebSocket is asked for in, as TLS calls it (RFC 7301)."""
CODE_HEADER: Final = "Chat-Close-Code"
"""Of an answer that is no upgrade: the code that a link would have been closed with."""
READ_AHEAD: Final = 1
"""Messages that a connection reads before they are asked for: what is not executed
yet is the driver's to count (W8), and each may have a whole frame's size."""


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
