"""Requests and responses of HTTP, whatever server has read them or writes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Protocol


class RequestBroken(Exception):
    """A request that cannot be read to its end: it is none, or too large a one."""

    def __init__(self, status: HTTPStatus) -> None:
        self.status = status
        super().__init__(status.phrase)


class RequestBody(Protocol):
    """What follows a request's head, read as it is asked for."""

    async def read(self) -> bytes:
        """The next piece, of a bounded size; empty at the end.

        Raises:
            ConnectionError: the peer has gone.
            RequestBroken: it is no body.
        """
        ...


class ResponseStream(Protocol):
    """A response's body that goes on, written piece by piece.

    The next piece is asked for once the one before is with the peer, or in buffers that
    have room for more: that is the back-pressure. Whoever writes it calls ``aclose`` in
    the end, also when the peer has gone before.

    Attributes:
        on_cut: set by whoever writes it: called when nothing more is to be written, not
            even what was; the connection is to be aborted.
    """

    on_cut: Callable[[], None] | None

    def __aiter__(self) -> "ResponseStream":
        """Itself."""
        ...

    async def __anext__(self) -> bytes:
        """The next piece, which is not empty."""
        ...

    async def aclose(self) -> None:
        """Have nothing more of it written."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request whose head is there.

    Attributes:
        method: in capitals.
        path: what is asked for, below the place where who answers it is mounted.
        query: what follows ``?``, as it stands there.
        headers: with names in lower case, in their order.
        body: what follows.
        address: of the connection, without a port; empty where there is none.
        peer: who that is, for a log.
    """

    method: str
    path: str
    query: str = field(default="", repr=False)
    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)
    body: RequestBody
    address: str = ""
    peer: str = "?"

    def values(self, name: str) -> list[str]:
        """What the headers of this name, in lower case, say."""
        return [value for it, value in self.headers if it == name]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """What is answered.

    Attributes:
        status: as a number and a phrase.
        body: all of it, or what makes it piece by piece.
        content_type: of the body; empty where there is none.
        headers: others than those that go with every answer; one of the name
            ``Cache-Control`` instead of theirs.
    """

    status: HTTPStatus = HTTPStatus.OK
    body: bytes | ResponseStream = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Sequence[tuple[str, str]] = ()


def plain_response(status: HTTPStatus) -> HttpResponse:
    """The status itself, for people."""
    return HttpResponse(status=status, body=f"{status.phrase}\n".encode())


def headers_of(response: HttpResponse) -> list[tuple[str, str]]:
    """All headers of a response that are not a connection's."""
    headers = [("Date", formatdate(usegmt=True))]
    if not any(name == "Cache-Control" for name, _ in response.headers):
        headers.append(("Cache-Control", "no-store"))
    if response.content_type:
        headers.append(("Content-Type", response.content_type))
        if isinstance(response.body, bytes):
            headers.append(("Content-Length", str(len(response.body))))
    return [*headers, *response.headers]
