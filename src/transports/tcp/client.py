"""Connecting over TCP."""

import asyncio
from typing import Final

from chatcore.errors import CloseCode
from transports.base import (
    Address,
    CannotConnect,
    LinkClosed,
    LinkSettings,
    reason_of,
)
from transports.codec import Codec
from transports.port_probe import find_wrong_transport
from transports.tcp.handshake import greet_server
from transports.tcp.link import TcpLink

_UNGREETED: Final = frozenset(
    {CloseCode.LINK_LOST, CloseCode.BROKEN_FRAME, CloseCode.WRONG_VERSION}
)
"""How a handshake ends where the other side is no server of raw TCP."""


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
        if isinstance(error, LinkClosed) and error.code in _UNGREETED:
            wrong = await find_wrong_transport(address)
            if wrong is not None:
                raise wrong from error
        raise
    return link
