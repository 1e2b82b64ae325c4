"""A small HTTP/1.1 server: for metrics and health, and whatever else is asked by HTTP.

Requests have no body. Connections are few: when there is no room, the one that has kept
the server waiting longest makes way, so that those who only hold connections shut
nobody out.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Final, TypeAlias

from transports.base import authority
from transports.errors import CannotListen, reason_of
from transports.fair_scheduler import (
    ACCEPTED_AT_ONCE,
    FairScheduler,
    lengthen_backlog,
)
from transports.http_connection import HttpConnection
from transports.http_messages import HttpRequest, HttpResponse, plain_response
from transports.http_owner import HttpLimits, OwnedConnection, shared_buffer
from transports.task_group import plain_task_group

_log = logging.getLogger(__name__)

_METHODS: Final = ("GET", "HEAD")


Route: TypeAlias = Callable[[], Awaitable[HttpResponse]]
"""What answers a path."""


@asynccontextmanager
async def serve_http(
    host: str,
    port: int,
    routes: Mapping[str, Route],
    *,
    limits: HttpLimits | None = None,
) -> AsyncIterator[str]:
    """Answer GET and HEAD of these paths while the block runs.

    Yields the URL that it listens on, without a path and with the real port for 0.

    Raises:
        CannotListen: the machine does not give the address.
    """
    async with plain_task_group() as tasks:
        server = _Server(routes, limits or HttpLimits(), tasks)
        try:
            async with _listening(server, host, port) as url:
                yield url
        finally:
            server.stop()


@asynccontextmanager
async def _listening(server: "_Server", host: str, port: int) -> AsyncIterator[str]:
    """Accept while the block runs; see ``serve_http``."""
    loop = asyncio.get_running_loop()
    try:
        listening = await loop.create_server(
            lambda: HttpConnection(server), host, port, backlog=ACCEPTED_AT_ONCE
        )
    except OSError as error:
        url = f"http://{authority(host, port)}"
        raise CannotListen(url, reason_of(error)) from error
    lengthen_backlog(listening.sockets)
    bound = listening.sockets[0].getsockname()
    try:
        yield f"http://{authority(bound[0], bound[1])}"
    finally:
        listening.close()


class _Server:
    """The connections of one listener; see ``transports.http_connection.HttpOwner``."""

    def __init__(
        self, routes: Mapping[str, Route], limits: HttpLimits, tasks: asyncio.TaskGroup
    ) -> None:
        self.limits = limits
        self.heads = FairScheduler()
        self.scheduler = FairScheduler(at_once=1)
        self.buffer = shared_buffer()
        self._routes = routes
        self._tasks = tasks
        self._answering: set[OwnedConnection] = set()
        # In the order in which they began to wait for a request.
        self._waiting: dict[OwnedConnection, None] = {}

    def enter(self, connection: OwnedConnection) -> bool:
        """See ``HttpOwner``; one takes another's place if need be."""
        if len(self._waiting) + len(self._answering) >= self.limits.connections:
            longest = next(iter(self._waiting), None)
            if longest is None:
                return False
            longest.abort()
        self._waiting[connection] = None
        return True

    def full(self, connection: OwnedConnection) -> HttpResponse | None:  # noqa: ARG002  # none is told
        """See ``HttpOwner``."""
        return None

    def leave(self, connection: OwnedConnection) -> None:
        """See ``HttpOwner``."""
        self._waiting.pop(connection, None)
        self._answering.discard(connection)

    def waits(self, connection: OwnedConnection) -> bool:
        """See ``HttpOwner``: for its answer to be taken, or for its next request."""
        self._answering.discard(connection)
        self._waiting.pop(connection, None)
        self._waiting[connection] = None
        return True

    def spawn(self, work: Coroutine[object, None, None]) -> None:
        """See ``HttpOwner``."""
        self._tasks.create_task(work)

    def answer(
        self, connection: OwnedConnection, request: HttpRequest
    ) -> Awaitable[HttpResponse]:
        """See ``HttpOwner``."""
        self._waiting.pop(connection, None)
        self._answering.add(connection)
        return self._answer(request)

    def stop(self) -> None:
        """End all connections."""
        for connection in [*self._waiting, *self._answering]:
            connection.abort()

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        await self.scheduler.enter()  # one in a turn of the loop, however many ask
        if request.method not in _METHODS:
            refused = plain_response(HTTPStatus.METHOD_NOT_ALLOWED)
            return replace(refused, headers=[("Allow", ", ".join(_METHODS))])
        if await request.body.read():
            return plain_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        route = self._routes.get(request.path)
        if route is None:
            return plain_response(HTTPStatus.NOT_FOUND)
        try:
            return await route()
        except Exception:  # noqa: BLE001  # one request's fault ends no other
            _log.exception("A request for %s failed", request.path)
            return plain_response(HTTPStatus.INTERNAL_SERVER_ERROR)
