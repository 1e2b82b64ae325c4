"""Connecting over TCP."""

import asyncio

from transports.base import Address, CannotConnect, LinkSettings, reason_of
from transports.codec import Codec
from transports.tcp.handshake import greet_server
from transports.tcp.link import TcpLink


async def dial(address: Address, codec: Codec, settings: LinkSettings) -> TcpLink:
    """See ``transports.base.Transport``."""
    loop = asyncio.get_running_loop()
    link: TcpLink | None = None
    try:
        async with asyncio.timeout(settings.handshake_s):
            _, link = await loop.create_connection(
                lambda: TcpLink(close_s=settings.close_s), address.host, address.port
            )
            await greet_server(link, codec, settings)
    except BaseException as error:
        if link is not None:
            link.abort()
        if isinstance(error, OSError):
            raise CannotConnect(address.text, reason_of(error)) from error
        raise
    return link
