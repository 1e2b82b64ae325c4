"""gRPC: unary calls, server streams, and one stream of frames each way (W1, W4).

A client imports nothing of the server's, which with the standard services takes long.
"""

from typing import Final

from transports.base import Address, LinkSettings, Listener, ServeLink, Spawn
from transports.grpc.client import dial

__all__ = ["codecs", "dial", "listen"]

codecs: Final = ("protobuf",)
"""See ``transports.base.Transport``."""


async def listen(
    address: Address, serve_link: ServeLink, settings: LinkSettings, spawn: Spawn
) -> Listener:
    """See ``transports.base.Transport``."""
    from transports.grpc import server  # noqa: PLC0415  # see the module

    return await server.listen(address, serve_link, settings, spawn)
