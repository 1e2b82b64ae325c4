"""Listening for HTTP: the sockets around ``HttpEndpoints``."""

import asyncio
from collections.abc import Awaitable, Coroutine
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from chatcore.errors import CloseCode
from transports.base import Address, LinkSettings, ServeLink, Spawn, authority
from transports.entry import Entry
from transports.errors import CannotListen, reason_of
from transports.fair_scheduler import (
    ACCEPTED_AT_ONCE,
    FairScheduler,
    lengthen_backlog,
)
from transports.http.endpoints import OUR_HEADERS, HttpEndpoints, ending, refuse
from transports.http.negotiation import HTTP, PATH
from transports.http.sockets import HttpSocket, SocketPlace, Sockets
from transports.http_messages import HttpRequest, HttpResponse
from transports.http_owner import HttpLimits, OwnedConnection, shared_buffer
from transports.origins import AllowedOrigins
from transports.tls_server import TlsAcceptor, acceptor_for

_HEADS_AT_ONCE: Final = 4
"""So many requests are looked at in a turn of the event loop (B2)."""


class HttpListener:
    """See ``transports.base.Listener`` and ``transports.http_connection.HttpOwner``."""

    def __init__(
        self, endpoints: HttpEndpoints, settings: LinkSettings, spawn: Spawn
    ) -> None:
        self._endpoints = endpoints
        self._spawn = spawn
        self.limits = HttpLimits(within_s=settings.handshake_s)
        self.heads = FairScheduler(at_once=_HEADS_AT_ONCE)
        self.scheduler = FairScheduler(at_once=1)
        self.sockets = Sockets(settings)
        self._site = settings.site
        self._own_pages = settings.own_pages
        self._proxies = settings.proxies
        self.buffer = shared_buffer()
        self.url = self._root = ""
        self._server: asyncio.Server | None = None
        self._acceptor: TlsAcceptor | None = None

    async def open(self, address: Address, acceptor: TlsAcceptor | None) -> None:
        """Accept connections; raises ``CannotListen``."""
        self._acceptor = acceptor
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                self._make,
                address.host or None,
                address.port,
                backlog=ACCEPTED_AT_ONCE,
            )
        except OSError as error:
            raise CannotListen(address.text, reason_of(error)) from error
        lengthen_backlog(server.sockets)
        self._server = server
        host, port, *_ = server.sockets[0].getsockname()
        self._root = f"{address.scheme}://{authority(host, port)}"
        self.url = f"{self._root}{PATH}"
        if self._site is not None:
            self._own_pages.add(address.scheme, address.host, port)

    def _make(self) -> asyncio.BaseProtocol:
        socket = HttpSocket(self)
        socket.place = SocketPlace(self.sockets.find_place)
        socket.entry = Entry(socket.place, self._proxies)
        if self._acceptor is None:
            return socket
        return self._acceptor.stream(socket, socket.entry)

    # ---- transports.base.Listener

    async def stop_accepting(self) -> None:
        """See ``transports.base.Listener``: new connections may be for open links."""
        self._endpoints.stop_accepting()

    async def wait_finished(self) -> None:
        """See ``transports.base.Listener``; whoever was told that its link is over may
        still read that.
        """
        if self._server is not None:
            self._server.close()
        if self._acceptor is not None:
            self._acceptor.close()
        await self.sockets.finish()

    # ---- transports.http_connection.HttpOwner

    def enter(self, connection: OwnedConnection) -> bool:
        """See ``HttpOwner``."""
        socket = _ours(connection)
        if not socket.entry.is_open:
            return False
        self.sockets.add(socket)
        return True

    def full(self, connection: OwnedConnection) -> HttpResponse | None:
        """See ``HttpOwner``."""
        if not self.sockets.turn_away(_ours(connection)):
            return None
        return replace(ending(CloseCode.TOO_MANY_CONNECTIONS), headers=OUR_HEADERS)

    def leave(self, connection: OwnedConnection) -> None:
        """See ``HttpOwner``."""
        self.sockets.remove(_ours(connection))

    def waits(self, connection: OwnedConnection) -> bool:
        """See ``HttpOwner``."""
        return self.sockets.waits(_ours(connection))

    def spawn(self, work: Coroutine[object, None, None]) -> None:
        """See ``HttpOwner``."""
        self._spawn(work)

    def answer(
        self, connection: OwnedConnection, request: HttpRequest
    ) -> Awaitable[HttpResponse]:
        """See ``HttpOwner``."""
        path = request.path
        if path != PATH and not path.startswith(f"{PATH}/"):
            return self._answer_beside(request)
        below = replace(request, path=path.removeprefix(PATH).rstrip("/"))
        link = self._endpoints.link_of(below)
        connection.limit_time(on=link is None)
        self.sockets.asks(_ours(connection), link)
        return self._endpoints.handle(below)

    async def _answer_beside(self, request: HttpRequest) -> HttpResponse:
        """Answer what is not about the chat."""
        site = self._site
        answer = None if site is None else site.answer(request, self._root)
        if answer is None:
            answer = refuse(HTTPStatus.NOT_FOUND, f"The chat is at {PATH}.")
        names = {name for name, _ in answer.headers}
        ours = [it for it in OUR_HEADERS if it[0] not in names]
        return replace(answer, headers=[*answer.headers, *ours])


def _ours(connection: OwnedConnection) -> HttpSocket:
    assert isinstance(connection, HttpSocket)  # noqa: S101  # as they are made here
    return connection


async def listen(
    address: Address, serve_link: ServeLink, settings: LinkSettings, spawn: Spawn
) -> HttpListener:
    """See ``transports.base.Transport``.

    An option of the URL: ``origin`` (pages of which origins may connect, with commas
    between; those of the server's own host if absent, ``*`` for any).
    """
    names = address.options.get("origin", "").split(",")
    origins = AllowedOrigins.of(names, settings.own_pages, address.host)
    endpoints = HttpEndpoints(serve_link, settings, spawn, origins)
    listener = HttpListener(endpoints, settings, spawn)
    await listener.open(address, acceptor_for(address, settings, HTTP))
    return listener
