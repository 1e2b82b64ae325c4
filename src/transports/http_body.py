"""The body of a request, cut by ``h11`` out of what a connection reads."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from time import perf_counter
from typing import Final

import h11

from transports.fair_scheduler import FairScheduler
from transports.http_messages import RequestBroken
from transports.waiters import wake

_SKIPPED_EVENTS: Final = 64
_TURN_S: Final = 0.0005
"""How long a body is cut into chunks, of which each may be a byte, before others have
their turn (B2)."""


class BodyReader:
    """See ``transports.http_messages.RequestBody``; one for each request.

    Args:
        http: the connection's.
        scheduler: lets those who have much to cut take turns.
        want_more: has the connection read, and write that it does if it is asked to;
            called when all that was read is cut.

    Attributes:
        is_left: whether some of it is not read.
    """

    def __init__(
        self,
        http: h11.Connection,
        scheduler: FairScheduler,
        want_more: Callable[[], None],
        *,
        is_left: bool,
    ) -> None:
        self._http = http
        self._scheduler = scheduler
        self._want_more = want_more
        self._readable: asyncio.Future[None] | None = None
        self._is_lost = False
        self.is_left = is_left

    async def read(self) -> bytes:
        """See ``RequestBody``: what has arrived, joined."""
        pieces: list[bytes] = []
        turn_ends_s = perf_counter() + _TURN_S
        while self.is_left:
            event = self._next()
            if isinstance(event, h11.Data):
                pieces.append(bytes(event.data))
                if perf_counter() >= turn_ends_s:
                    await self._scheduler.enter()
                    turn_ends_s = perf_counter() + _TURN_S
            elif isinstance(event, h11.EndOfMessage):
                self.is_left = False
            else:
                self._want_more()
                if pieces:
                    break
                await self._wait()
        return b"".join(pieces)

    def _next(self) -> object:
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise RequestBroken(HTTPStatus(error.error_status_hint)) from error

    async def _wait(self) -> None:
        if self._is_lost:
            raise ConnectionResetError
        self._readable = asyncio.get_running_loop().create_future()
        try:
            await self._readable
        finally:
            self._readable = None

    def wake(self) -> None:
        """More has arrived."""
        wake(self._readable)

    def lose(self) -> None:
        """No more arrives."""
        self._is_lost = True
        wake(self._readable)

    def skip(self) -> None:
        """Pass over the little that has arrived and nobody wants."""
        with suppress(RequestBroken):
            for _ in range(_SKIPPED_EVENTS):
                if not self.is_left:
                    return
                event = self._next()
                if isinstance(event, h11.EndOfMessage):
                    self.is_left = False
                elif not isinstance(event, h11.Data):
                    return
