"""Connecting over TCP."""

import asyncio

from transports.base import (
    Address,
    CannotConnect,
    LinkClosed,
    LinkSettings,
    reason_of,
)
from transports.codec import Codec
from transports.tcp.greeting import MAX_LINE_BYTES, framing_for, greet, read_welcome
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
            link.write_line(greet(codec.name))
            read_welcome(await link.read_line(MAX_LINE_BYTES))
    except OSError as error:
        if link is not None:
            link.abort()
        raise CannotConnect(address.text, reason_of(error)) from error
    except LinkClosed:
        if link is not None:
            link.abort()
        raise
    link.frame_with(framing_for(codec, settings.frame_bytes))
    return link
