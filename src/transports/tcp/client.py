"""Connecting over TCP."""

import asyncio
import ssl
from typing import Final

from chatcore.errors import CloseCode
from transports.base import Address, LinkSettings
from transports.certificates import context_to_dial
from transports.codec import Codec
from transports.errors import CannotConnect, LinkClosed, reason_of
from transports.port_probe import find_fault
from transports.tcp.handshake import greet_server
from transports.tcp.link import TcpLink
from transports.tls_stream import TlsStream

_UNGREETED: Final = frozenset(
    {CloseCode.LINK_LOST, CloseCode.BROKEN_FRAME, CloseCode.WRONG_VERSION}
)
"""How a handshake ends where the other side is no server of raw TCP."""


async def dial(address: Address, codec: Codec, settings: LinkSettings) -> TcpLink:
    """See ``transports.base.Transport``."""
    link = TcpLink(close_s=settings.close_s)
    stream = _stream(link, address, settings)
    try:
        async with asyncio.timeout(settings.handshake_s):
            await asyncio.get_running_loop().create_connection(
                lambda: stream or link, address.host, address.port
            )
            if stream is not None:
                await stream.opened
            await greet_server(link, codec, settings)
    except BaseException as error:
        link.abort()
        if stream is not None:
            stream.abort()
        is_ungreeted = isinstance(error, LinkClosed) and error.code in _UNGREETED
        if is_ungreeted or isinstance(error, ssl.SSLError | ConnectionResetError):
            found = await find_fault(address, settings)
            if found is not None:
                raise found from error
        if isinstance(error, OSError):
            raise CannotConnect(address.text, reason_of(error)) from error
        raise
    return link


def _stream(
    link: TcpLink, address: Address, settings: LinkSettings
) -> TlsStream | None:
    """TLS below the link, where the URL stands for it."""
    if not address.is_secure:
        return None
    return TlsStream(
        context_to_dial(address, settings),
        link,
        server_hostname=address.host,
        handshake_s=settings.handshake_s,
    )
