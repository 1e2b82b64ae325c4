"""The chat as an ASGI application."""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from http import HTTPStatus
from typing import Final, TypeAlias

from chatcore import Chat
from chatcore.errors import CloseCode
from chatcore.ports import Environment
from transports.asgi.errors import AlreadyServing, NotServing
from transports.asgi.http import HttpEndpoint
from transports.asgi.lifespan import run_lifespan
from transports.asgi.messages import Receive, Scope, Send, path_below, respond
from transports.asgi.signals import stopping_first
from transports.asgi.websocket import (
    UpgradeRefused,
    WebSocketEndpoint,
    accept_to_close,
    refuse,
)
from transports.asgi.workers import only_worker
from transports.certificates import ServerCertificate
from transports.memory_budget import MemoryBudget
from transports.origins import AllowedOrigins
from transports.server import Server, open_server
from transports.subprotocols import PATH
from transports.tls import ServerTls

_log = logging.getLogger(__name__)

_PATHS: Final = frozenset({"", "/", PATH})
"""Where the chat is below its mount: there itself, and where other servers have it."""

OpenChat: TypeAlias = Callable[[], AbstractAsyncContextManager[Chat]]
"""Opens a chat, with its store, for as long as it is served."""


class ChatApp:
    """Serves a chat as an ASGI 3 application, by itself or within another::

        @asynccontextmanager
        async def opened():
            async with open_store("sqlite:///chat.db") as store:
                yield Chat(store)

        chat_app = ChatApp(opened)

    ``uvicorn module:chat_app`` serves that at ``/chat``. Within another application it
    is mounted, and has to be started in the lifespan of that one, since an application
    hands that on to nobody::

        app = FastAPI(lifespan=chat_app.lifespan)
        app.mount("/api/chat", chat_app)

    WebSockets are then at ``/api/chat/`` and ``/api/chat/chat``.

    Args:
        chat: the chat, or what opens it when it is to be served.
        also: URLs to listen on besides, such as ``tcp://127.0.0.1:7400``.
        origins: pages of which origins may connect, ``*`` for all; of the host that
            they ask where none is named (W3).
        proxies: see ``transports.open_server``. Where the ASGI server judges
            ``X-Forwarded-For``, the address that it tells is taken.
        tls: of the URLs in ``also``. The ASGI server has a certificate of its own.
        environment: see ``transports.open_server``.
        memory_budget: see ``transports.open_server``.
    """

    def __init__(
        self,
        chat: Chat | OpenChat,
        *,
        also: Sequence[str] = (),
        origins: Iterable[str] = (),
        proxies: Sequence[str] = (),
        tls: ServerTls | ServerCertificate | None = None,
        environment: Environment | None = None,
        memory_budget: MemoryBudget | None = None,
    ) -> None:
        self._open = (lambda: nullcontext(chat)) if isinstance(chat, Chat) else chat
        self._also = also
        self._proxies = proxies
        self._tls = tls
        self._environment = environment
        self._memory_budget = memory_budget
        self._chat: Chat | None = None
        self._server: Server | None = None
        self._is_whole = self._is_told = False
        self._origins = AllowedOrigins.of(origins)
        self._websocket = WebSocketEndpoint(self._origins)
        self._http: HttpEndpoint | None = None

    @property
    def server(self) -> Server:
        """What serves the chat now: where it listens, and ``stop``.

        Raises:
            NotServing: nothing does.
        """
        if self._server is None:
            raise NotServing
        return self._server

    @property
    def chat(self) -> Chat:
        """The chat that is served now, for the application's own calls.

        Raises:
            NotServing: nothing is.
        """
        if self._chat is None:
            raise NotServing
        return self._chat

    @asynccontextmanager
    async def lifespan(self, _: object) -> AsyncIterator[None]:
        """``serving``, as the application around takes it, FastAPI or Starlette."""
        async with self.serving():
            yield

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Server]:
        """Serve the chat while the block runs; see ``transports.open_server``.

        Where signals end the process by a handler of the ASGI server's, as uvicorn's
        do, the chat is stopped before that one is called: links end with the chat's own
        code, and not with the server's (W9).

        Raises:
            AlreadyServing: it is started already.
            WorkersSplit: another worker of the same server has a chat in memory.
            CannotListen: the machine does not give an address of ``also``.
        """
        if self._server is not None:
            raise AlreadyServing
        async with self._open() as chat:
            with only_worker(chat.store):
                async with open_server(
                    chat,
                    environment=self._environment,
                    memory_budget=self._memory_budget,
                    tls=self._tls,
                    proxies=self._proxies,
                ) as server:
                    for url in self._also:
                        await server.listen(url)
                    self._chat, self._server = chat, server
                    self._http = HttpEndpoint(server, self._origins)
                    try:
                        with stopping_first(server.stop):
                            yield server
                    finally:
                        await server.stop()
                        self._websocket.stop()
                        self._chat = self._server = self._http = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        match scope["type"]:
            case "lifespan":
                self._is_whole = True
                await run_lifespan(self.serving(), receive, send)
            case "websocket":
                await self._serve_websocket(scope, receive, send)
            case "http":
                await self._serve_http(scope, receive, send)
            case kind:
                raise ValueError(f"A ChatApp knows no connections of the type {kind!r}")

    async def _serve_websocket(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        server = self._server
        await receive()  # that it wants to connect
        if self._is_whole and path_below(scope) not in _PATHS:
            # Within another application that one has looked at the path.
            refused = UpgradeRefused(HTTPStatus.NOT_FOUND, f"The chat is at {PATH}.")
            await refuse(scope, send, refused)
        elif server is None:
            self._tell_once()
            await accept_to_close(scope, send, CloseCode.SERVER_FAULT)
        elif server.is_stopping:
            await accept_to_close(scope, send, CloseCode.SHUTTING_DOWN)
        else:
            await self._websocket.serve(scope, receive, send, server)

    def _tell_once(self) -> None:
        """Tell whoever runs it that nobody has started it."""
        if not self._is_told:
            self._is_told = True
            _log.error("%s", NotServing())

    async def _serve_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._http is None:
            self._tell_once()
            text = f"{CloseCode.SERVER_FAULT.text}\n"
            await respond(send, HTTPStatus.SERVICE_UNAVAILABLE, text)
        else:
            await self._http.serve(scope, receive, send)
