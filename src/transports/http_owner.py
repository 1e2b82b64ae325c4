"""Whose the connections of a server of HTTP/1.1 are, and what each may take."""

import sys
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from typing import Final, Protocol

from transports.fair_scheduler import FairScheduler
from transports.http_messages import HttpRequest, HttpResponse

READ_BYTES: Final = 16 * 1024
"""How much a connection reads at a time, and ahead of what is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """What peers can make the server hold.

    Attributes:
        connections: how many there are at a time.
        head_bytes: of a request's line and headers.
        head_lines: of them, those of empty lines before them included.
        within_s: for a request to be there whole, after the connection or the answer
            before, and for its answer to be taken.
    """

    connections: int = 64
    head_bytes: int = 16 * 1024
    head_lines: int = 128
    within_s: float = 10.0


class OwnedConnection(Protocol):
    """What an owner can do with a connection."""

    @property
    def is_answering(self) -> bool:
        """Whether a request is being answered."""
        ...

    def limit_time(self, *, on: bool) -> None:
        """Whether the request that is being answered has to be there whole, and its
        answer taken, in time from now on; else somebody else sees to its end.
        """
        ...

    def finish(self) -> None:
        """End the connection, once a request that is being answered has its answer, or
        after the time that one has.
        """
        ...

    def abort(self) -> None:
        """End the connection at once."""
        ...


class HttpOwner(Protocol):
    """Whose the connections are, and who answers on them.

    Attributes:
        limits: of each connection.
        heads: lets so many requests be read in a turn of the event loop.
        scheduler: lets those whose bodies are much to cut take turns.
        buffer: to read into, which connections of one event loop may share; see
            ``shared_buffer``.
    """

    limits: HttpLimits
    heads: FairScheduler
    scheduler: FairScheduler
    buffer: bytearray | None

    def enter(self, connection: OwnedConnection) -> bool:
        """Take one more; False if it cannot be."""
        ...

    def full(self, connection: OwnedConnection) -> HttpResponse | None:
        """What one is told that could not be taken; None to end it without a word."""
        ...

    def leave(self, connection: OwnedConnection) -> None:
        """Forget one that has gone."""
        ...

    def waits(self, connection: OwnedConnection) -> bool:
        """One waits, for what was answered to be taken, or for its next request;
        whether that has to be in time.
        """
        ...

    def spawn(self, work: Coroutine[object, None, None]) -> None:
        """Run this beside all others."""
        ...

    def answer(
        self, connection: OwnedConnection, request: HttpRequest
    ) -> Awaitable[HttpResponse]:
        """Answer a request. What is awaited may raise what ``request.body`` does."""
        ...


def shared_buffer() -> bytearray | None:
    """A buffer for all connections of one event loop, where that reads and tells of it
    without a step between: Windows' loop fills it while others have their turn.
    """
    return None if sys.platform == "win32" else bytearray(READ_BYTES)
