"""Listening on TCP."""

import asyncio
import logging
from typing import Final

from chatcore.errors import CloseCode
from transports.base import (
    Address,
    CannotListen,
    LinkClosed,
    LinkSettings,
    ServeLink,
    Spawn,
)
from transports.tcp.greeting import (
    MAX_LINE_BYTES,
    WELCOME,
    framing_for,
    read_greeting,
    refuse,
)
from transports.tcp.link import TcpLink

_log = logging.getLogger(__name__)
_BACKLOG: Final = 1024


class TcpListener:
    """See ``transports.base.Listener``."""

    def __init__(self, server: asyncio.Server, address: Address) -> None:
        self._server = server
        host, port, *_ = server.sockets[0].getsockname()
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{address.scheme}://{shown}:{port}"

    async def close(self) -> None:
        """See ``transports.base.Listener``."""
        self._server.close()


async def listen(
    address: Address, serve_link: ServeLink, settings: LinkSettings, spawn: Spawn
) -> TcpListener:
    """See ``transports.base.Transport``."""

    class _Accepted(TcpLink):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            spawn(_serve(self, serve_link, settings))

    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(
            lambda: _Accepted(close_s=settings.close_s),
            address.host or None,
            address.port,
            backlog=_BACKLOG,
        )
    except OSError as error:
        raise CannotListen(address.text, error.strerror or str(error)) from error
    return TcpListener(server, address)


async def _serve(link: TcpLink, serve_link: ServeLink, settings: LinkSettings) -> None:
    """Shake hands, then let the driver have the link."""
    try:
        async with asyncio.timeout(settings.handshake_s):
            line = await link.read_line(MAX_LINE_BYTES)
        chosen = read_greeting(line)
    except TimeoutError:
        link.abort()
        return
    except LinkClosed as refused:
        if refused.code is not CloseCode.LINK_LOST:
            _log.info("Refused %s: %s", link.peer, refused.text)
            link.write_line(refuse(refused))
            await link.close(refused.code, refused.text)
        link.abort()
        return
    link.write_line(WELCOME)
    link.frame_with(framing_for(chosen, settings.frame_bytes))
    await serve_link(link, chosen)
