"""A small HTTP/1.1 server: for metrics and health, and whatever else is asked by HTTP.

``h11`` reads and writes the protocol; here are the sockets and the bounds. A connection
has one request at a time, of a bounded head and without a body; it ends when a request
is not there, or its answer not taken, in time. Connections are few: when there is no
room, the one that has kept the server waiting longest makes way, so that those who only
hold connections shut nobody out.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Final, TypeAlias, cast

import h11

from transports.base import authority
from transports.errors import CannotListen, reason_of
from transports.fair_scheduler import (
    ACCEPTED_AT_ONCE,
    FairScheduler,
    lengthen_backlog,
)
from transports.task_group import plain_task_group

_log = logging.getLogger(__name__)

_METHODS: Final = frozenset({b"GET", b"HEAD"})
_THROWN_AWAY_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """What a path answers."""

    status: HTTPStatus = HTTPStatus.OK
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """What peers can make the server hold.

    Attributes:
        connections: how many there are at a time.
        head_bytes: of a request's line and headers.
        within_s: for a request to be there whole, after the connection or the answer
            before, and for its answer to be taken.
    """

    connections: int = 64
    head_bytes: int = 16 * 1024
    within_s: float = 10.0


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
            lambda: _Connection(server), host, port, backlog=ACCEPTED_AT_ONCE
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
    """The connections of one listener."""

    def __init__(
        self, routes: Mapping[str, Route], limits: HttpLimits, tasks: asyncio.TaskGroup
    ) -> None:
        self.limits = limits
        self._routes = routes
        self._tasks = tasks
        self._answering: set[_Connection] = set()
        # In the order in which they began to wait for a request.
        self._waiting: dict[_Connection, None] = {}
        self._scheduler = FairScheduler(at_once=1)

    def enter(self, connection: "_Connection") -> bool:
        """Take one more, in the place of another if need be; False if it cannot be."""
        if len(self._waiting) + len(self._answering) >= self.limits.connections:
            longest = next(iter(self._waiting), None)
            if longest is None:
                return False
            longest.abort()
        self._waiting[connection] = None
        return True

    def leave(self, connection: "_Connection") -> None:
        """Forget one that has gone."""
        self._waiting.pop(connection, None)
        self._answering.discard(connection)

    def stop(self) -> None:
        """End all connections."""
        for connection in [*self._waiting, *self._answering]:
            connection.abort()

    def answer(self, connection: "_Connection", method: bytes, target: bytes) -> None:
        """Have a request answered."""
        self._waiting.pop(connection, None)
        self._answering.add(connection)
        self._tasks.create_task(self._answer(connection, method, target))

    def answered(self, connection: "_Connection") -> None:
        """Let it wait: for its answer to be taken, or for its next request."""
        self._answering.discard(connection)
        self._waiting.pop(connection, None)
        self._waiting[connection] = None

    async def _answer(
        self, connection: "_Connection", method: bytes, target: bytes
    ) -> None:
        await self._scheduler.enter()  # one in a turn of the loop, however many ask
        if connection in self._answering:
            connection.respond(await self._response(method, target))

    async def _response(self, method: bytes, target: bytes) -> HttpResponse:
        if method not in _METHODS:
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED)
        path = target.partition(b"?")[0].decode("ascii", "replace")
        route = self._routes.get(path)
        if route is None:
            return _plain(HTTPStatus.NOT_FOUND)
        try:
            return await route()
        except Exception:  # noqa: BLE001  # one request's fault ends no other
            _log.exception("A request for %s failed", path)
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR)


class _Connection(asyncio.Protocol):
    """One connection: a request, its answer, and so on."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._http = h11.Connection(
            h11.SERVER, max_incomplete_event_size=server.limits.head_bytes
        )
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._method = b""
        self._target = b""
        self._is_answering = False
        self._is_clogged = False
        self._has_finished = False
        self._has_said_all = False
        self._is_ending = False
        self._thrown_away_bytes = 0

    # ---- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._transport = cast("asyncio.Transport", transport)
        if self._server.enter(self):
            self._begin_to_wait()
        else:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # it is over
        """See ``asyncio.BaseProtocol``."""
        self._forget()

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        if self._is_ending:
            self._thrown_away_bytes += len(data)
            if self._thrown_away_bytes > _THROWN_AWAY_BYTES:
                self.abort()
            return
        self._http.receive_data(data)
        self._advance()

    def eof_received(self) -> bool:
        """See ``asyncio.Protocol``; who has asked may still read the answer."""
        self._has_finished = True
        if not self._is_ending:
            self._http.receive_data(b"")
            self._advance()
        return not self._is_ending

    def pause_writing(self) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._is_clogged = True

    def resume_writing(self) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._is_clogged = False
        self._go_on()

    # ---- requests

    def _advance(self) -> None:
        """Take what has arrived, to the end of a request."""
        while not self._is_answering:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                self.respond(_plain(HTTPStatus(error.error_status_hint)))
                return
            match event:
                case h11.Request(method=method, target=target):
                    self._method, self._target = method, target
                    if method not in _METHODS:
                        self._ask()  # whatever else there is of it
                case h11.Data():
                    self.respond(_plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
                    return
                case h11.EndOfMessage():
                    self._ask()
                case h11.ConnectionClosed():
                    self._end()
                    return
                case _:
                    return  # more has to come

    def _ask(self) -> None:
        self._is_answering = True
        if self._transport is not None:
            self._transport.pause_reading()
            self._server.answer(self, self._method, self._target)

    def respond(self, response: HttpResponse) -> None:
        """Answer the request, or what is none; then wait for the next one, or end."""
        http = self._http
        if self._transport is None:
            return
        if http.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.abort()
            return
        headers = [
            ("Content-Type", response.content_type),
            ("Content-Length", str(len(response.body))),
            ("Cache-Control", "no-store"),
            ("Date", formatdate(usegmt=True)),
        ]
        if response.status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", "GET, HEAD"))
        if http.their_state is not h11.DONE:
            headers.append(("Connection", "close"))  # not all of it was read
        reason = response.status.phrase.encode()
        written = http.send(
            h11.Response(status_code=response.status, headers=headers, reason=reason)
        )
        if self._method != b"HEAD":
            written += http.send(h11.Data(data=response.body))
        written += http.send(h11.EndOfMessage()) or b""
        self._transport.write(written)
        self._begin_to_wait()
        self._server.answered(self)
        self._is_ending = not (http.our_state is http.their_state is h11.DONE)
        self._go_on()

    def _go_on(self) -> None:
        """Look for the next request once the answer before is on its way."""
        transport = self._transport
        if transport is None or self._is_clogged:
            return
        if self._is_ending:
            self._end()
        elif self._is_answering and self._http.our_state is h11.DONE:
            self._http.start_next_cycle()
            self._is_answering = False
            transport.resume_reading()
            self._advance()

    def _end(self) -> None:
        """Say no more; what the peer still says is thrown away, so that it is not reset
        before it has read the answer (RFC 9112, 9.6).
        """
        self._is_ending = True
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._has_finished:
            transport.close()
        elif not self._has_said_all:
            self._has_said_all = True
            transport.write_eof()
            transport.resume_reading()

    def _begin_to_wait(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        within_s = self._server.limits.within_s
        self._deadline = self._loop.call_later(within_s, self.abort)

    def abort(self) -> None:
        """End the connection at once."""
        transport = self._transport
        self._forget()
        if transport is not None:
            transport.abort()

    def _forget(self) -> None:
        self._transport = None
        self._server.leave(self)
        if self._deadline is not None:
            self._deadline.cancel()


def _plain(status: HTTPStatus) -> HttpResponse:
    return HttpResponse(status=status, body=f"{status.phrase}\n".encode())
