"""Listening on TCP."""

import asyncio
import logging
import sys
from functools import partial

from transports.base import Address, LinkSettings, ServeLink, Spawn, authority
from transports.connection_names import name_connection
from transports.entry import Entry
from transports.errors import CannotListen, reason_of
from transports.fair_scheduler import (
    ACCEPTED_AT_ONCE,
    PARTS_AT_ONCE,
    FairScheduler,
    lengthen_backlog,
)
from transports.proxy_header import ProxiedConnection, Source
from transports.rate_limited_log import RateLimitedLog
from transports.served_link import ServedLink
from transports.tcp.handshake import turn_away, welcome_client
from transports.tcp.link import READ_BYTES, TcpLink
from transports.tls_server import TlsAcceptor, acceptor_for

_log = logging.getLogger(__name__)


class TcpListener:
    """See ``transports.base.Listener``; ``greeting`` are links without a codec yet."""

    def __init__(
        self,
        server: asyncio.Server,
        address: Address,
        greeting: set[TcpLink],
        acceptor: TlsAcceptor | None,
    ) -> None:
        self._server = server
        self._greeting = greeting
        self._acceptor = acceptor
        host, port, *_ = server.sockets[0].getsockname()
        self.url = f"{address.scheme}://{authority(host, port)}"

    async def stop_accepting(self) -> None:
        """See ``transports.base.Listener``; who has not greeted yet is sent away."""
        self._server.close()
        if self._acceptor is not None:
            self._acceptor.close()
        for link in list(self._greeting):
            link.abort()

    async def wait_finished(self) -> None:
        """See ``transports.base.Listener``: each link has its own socket."""


async def listen(
    address: Address, serve_link: ServeLink, settings: LinkSettings, spawn: Spawn
) -> TcpListener:
    """See ``transports.base.Transport``."""
    greeting: set[TcpLink] = set()

    # Windows' loop fills a buffer while others have their turn.
    shared = None if sys.platform == "win32" else bytearray(READ_BYTES)
    log = RateLimitedLog(_log)
    scheduler = FairScheduler()
    intake = FairScheduler(at_once=PARTS_AT_ONCE)

    async def serve_by_turns(link: TcpLink) -> None:
        name_connection()
        await scheduler.enter()
        await _serve(link, greeting, serve_link, settings, log)

    acceptor = acceptor_for(address, settings)

    class _Accepted(TcpLink):
        __slots__ = ("entry", "source")
        entry: Entry
        source: Source | None

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            if self.source is not None:
                self.come_from(*self.source)
            self.entry.arrive((self.address,))
            if self.entry.is_open:
                greeting.add(self)
                spawn(serve_by_turns(self))
            else:
                turn_away(self, log)

        def connection_lost(self, error: Exception | None) -> None:
            super().connection_lost(error)
            self.entry.leave()

    def make(entry: Entry, source: Source | None) -> asyncio.BaseProtocol:
        link = _Accepted(close_s=settings.close_s, buffer=shared, intake=intake)
        link.entry, link.source = entry, source
        return link if acceptor is None else acceptor.stream(link, entry)

    def accept() -> asyncio.BaseProtocol:
        entry = Entry(settings.admission)
        if not settings.proxies.networks:
            return make(entry, None)
        return ProxiedConnection(
            entry, settings.proxies, settings.handshake_s, partial(make, entry), log
        )

    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(
            accept,
            address.host or None,
            address.port,
            backlog=ACCEPTED_AT_ONCE,
        )
    except OSError as error:
        raise CannotListen(address.text, reason_of(error)) from error
    lengthen_backlog(server.sockets)
    return TcpListener(server, address, greeting, acceptor)


async def _serve(
    link: TcpLink,
    greeting: set[TcpLink],
    serve_link: ServeLink,
    settings: LinkSettings,
    log: RateLimitedLog,
) -> None:
    """Shake hands, then let the driver have the link."""
    try:
        chosen = await welcome_client(link, settings, log)
    finally:
        greeting.discard(link)
    if chosen is not None:
        serving = serve_link(link, chosen)
        if not isinstance(serving, ServedLink):
            await serving
