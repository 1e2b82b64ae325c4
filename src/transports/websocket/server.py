"""Listening for WebSockets."""

import asyncio
import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import NegotiationError
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from chatcore.errors import CloseCode
from transports.base import (
    Address,
    Admission,
    LinkSettings,
    NoLimit,
    ServeLink,
    Spawn,
    authority,
)
from transports.codec import codec
from transports.connection_names import name_connection
from transports.entry import Entry
from transports.errors import CannotListen, reason_of
from transports.fair_scheduler import (
    ACCEPTED_AT_ONCE,
    PARTS_AT_ONCE,
    FairScheduler,
    lengthen_backlog,
)
from transports.origins import REFUSED_PAGE, AllowedOrigins
from transports.proxies import Proxies
from transports.rate_limited_log import RateLimitedLog
from transports.request_headers import kept_headers
from transports.subprotocols import KNOWN, PATH, SPOKEN, choose, codec_name
from transports.tls_server import TlsAcceptor, acceptor_for
from transports.websocket.bounded import BoundedConnection
from transports.websocket.link import WebSocketLink
from transports.websocket.negotiation import (
    CODE_HEADER,
    HTTP,
    ConnectionOptions,
    connection_options,
)

_log = logging.getLogger(__name__)


class ServerSide(BoundedConnection, ServerConnection):
    """The server's side of a bounded connection.

    Attributes:
        admission: asked whether there may be one more.
        proxies: who is believed about whom a connection comes from.
        entry: its place among those that are counted.
        client: the address that it comes from, once that is known.
    """

    admission: Admission = NoLimit()
    proxies = Proxies()

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  # the library's
        super().__init__(*args, **options)
        self.entry = Entry(self.admission, self.proxies)
        self.client = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.BaseProtocol``."""
        super().connection_made(transport)
        self.entry.arrive(self.remote_address)
        self.client = str((self.remote_address or ("",))[0])

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.BaseProtocol``."""
        super().connection_lost(exc)
        self.entry.leave()

    def believe(self, forwarded: Sequence[str]) -> None:
        """Come from whom a proxy has named in these headers, if it is one."""
        if self.proxies.trusts(self.client):
            self.client = self.proxies.client_of(self.client, forwarded)
            self.entry.take(self.client)


class ServerOptions(ConnectionOptions):
    """What the library is told of a server, in its own words."""

    server_header: None
    backlog: int


def server_options(address: Address, settings: LinkSettings) -> ServerOptions:
    """All that shapes a server's connections, but for who may have one."""
    return ServerOptions(
        **connection_options(address, settings),
        server_header=None,
        backlog=ACCEPTED_AT_ONCE,
    )


class WebSocketListener:
    """See ``transports.base.Listener``."""

    def __init__(
        self, server: Server, address: Address, acceptor: TlsAcceptor | None
    ) -> None:
        self._server = server
        self._acceptor = acceptor
        host, port, *_ = next(iter(server.sockets)).getsockname()
        self.url = f"{address.scheme}://{authority(host, port)}{PATH}"

    async def stop_accepting(self) -> None:
        """See ``transports.base.Listener``."""
        if self._acceptor is not None:
            self._acceptor.close()
        self._server.close(close_connections=False)

    async def wait_finished(self) -> None:
        """See ``transports.base.Listener``: each link has its own socket."""


async def listen(
    address: Address,
    serve_link: ServeLink,
    settings: LinkSettings,
    spawn: Spawn,  # noqa: ARG001  # the library runs a task for each connection
) -> WebSocketListener:
    """See ``transports.base.Transport``.

    Options of the URL: ``origin`` (pages of which origins may connect, with commas
    between; the server's own host if absent, ``*`` for any) and
    ``compression=deflate`` (off by default: it costs more CPU than short messages
    are worth).
    """
    names = address.options.get("origin", "").split(",")
    gate = _UpgradeCheck(AllowedOrigins.of(names, settings.own_pages, address.host))

    scheduler = FairScheduler()
    crowd = FairScheduler(at_once=PARTS_AT_ONCE)

    async def judge_by_turns(
        connection: ServerConnection, request: Request
    ) -> Response | None:
        name_connection()
        await scheduler.enter()
        return gate.judge(connection, request)

    class _Admitting(ServerSide):
        admission = settings.admission
        proxies = settings.proxies
        unsent_bytes = settings.unsent_bytes
        intake: FairScheduler | None = crowd

    acceptor = acceptor_for(address, settings, HTTP)
    make = _Admitting if acceptor is None else _on_tls(_Admitting, acceptor)

    async def handle(connection: ServerConnection) -> None:
        subprotocol = connection.subprotocol
        if subprotocol not in KNOWN or not isinstance(connection, ServerSide):
            await connection.close(
                CloseCode.WRONG_VERSION, f"This server speaks {SPOKEN}."
            )
            return
        request = connection.request
        headers = kept_headers(settings, request.headers.raw_items() if request else ())
        # They are kept for as long as the connection, with up to 16 KiB of headers:
        # by the library's parser too, and so cannot only be replaced.
        for kept in (connection.request, connection.response):
            if kept is not None:
                kept.headers.clear()
        chosen = codec(codec_name(subprotocol))
        link = WebSocketLink(connection, chosen)
        link.headers = headers
        if connection.client != link.address:
            link.address = connection.client
            link.peer = f"{connection.client} by {link.peer}"
        await serve_link(link, chosen)

    try:
        server = await serve(
            handle,
            address.host or None,
            address.port,
            create_connection=make,
            select_subprotocol=_select,
            process_request=judge_by_turns,
            **server_options(address, settings),
        )
    except OSError as error:
        raise CannotListen(address.text, reason_of(error)) from error
    lengthen_backlog(server.sockets)
    return WebSocketListener(server, address, acceptor)


def _on_tls(side: type[ServerSide], acceptor: TlsAcceptor) -> type[ServerSide]:
    """Has the library make connections whose socket is TLS's."""

    def make(*args: Any, **options: Any) -> Any:  # noqa: ANN401  # the library's
        connection = side(*args, **options)
        stream: Any = acceptor.stream(connection, connection.entry)
        # The library looks at it, to see that it is asked about what it has made.
        stream.protocol = connection.protocol
        return stream

    return cast("type[ServerSide]", make)


def _select(
    _connection: ServerConnection, offered: Sequence[Subprotocol]
) -> Subprotocol | None:
    chosen = choose(offered)
    if chosen is None:
        raise NegotiationError(f"offer one of the subprotocols {SPOKEN}")
    return Subprotocol(chosen)


class _UpgradeCheck:
    """Judges an upgrade before it happens: its path, and a page's origin (W3)."""

    def __init__(self, origins: AllowedOrigins) -> None:
        self._origins = origins
        self._log = RateLimitedLog(_log)

    def judge(self, connection: ServerConnection, request: Request) -> Response | None:
        """A refusal, or None to go on."""
        peer, is_open = "", True
        if isinstance(connection, ServerSide):
            connection.believe(request.headers.get_all("X-Forwarded-For"))
            peer, is_open = connection.client, connection.entry.is_open
        if not is_open:
            text = CloseCode.TOO_MANY_CONNECTIONS.text
            self._log.info("Refused %s: %s", peer, text)
            response = connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, f"{text}\n")
            response.headers[CODE_HEADER] = str(int(CloseCode.TOO_MANY_CONNECTIONS))
            return response
        if request.path.partition("?")[0] != PATH:
            return connection.respond(HTTPStatus.NOT_FOUND, f"The chat is at {PATH}.\n")
        origin = self._origins.find_refused(
            request.headers.get_all("Origin"), request.headers.get_all("Host")
        )
        if origin is None:
            return None
        self._log.info(REFUSED_PAGE, origin, peer)
        return connection.respond(
            HTTPStatus.FORBIDDEN, f"{self._origins.refusal(origin)}\n"
        )
