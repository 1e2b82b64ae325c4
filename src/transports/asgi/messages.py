"""What is said between an ASGI server and an application, as both have it."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from http import HTTPStatus
from typing import Any, TypeAlias

from transports.base import authority
from transports.subprotocols import PATH

Scope: TypeAlias = MutableMapping[str, Any]
"""What a connection, a request or the process's life is about."""

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


def path_below(scope: Scope) -> str:
    """The path that is asked for, below where the application is mounted.

    ``root_path`` says where that is, and is a part of ``path``; some servers leave it
    out of that.
    """
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    below = path.removeprefix(root)
    return below if not below or below.startswith("/") else path


def path_at_chat(scope: Scope) -> str:
    """The same below the chat itself, without a slash at its end: the chat is at the
    mount, and where other servers have it.
    """
    path = path_below(scope)
    below = path.removeprefix(PATH) if f"{path}/".startswith(f"{PATH}/") else path
    return below.rstrip("/")


def peer_of(scope: Scope) -> tuple[str, str]:
    """The address that a connection comes from, and its name for a log."""
    host, port = scope.get("client") or ("", 0)
    return str(host), authority(str(host) or "?", port or 0)


def offered_subprotocols(scope: Scope) -> Sequence[str]:
    """What a WebSocket's client offers to speak, what it likes best first."""
    return list(scope.get("subprotocols") or ())


def headers_in(scope: Scope) -> Sequence[tuple[str, str]]:
    """The headers of a request, in their order, with names in lower case."""
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in scope.get("headers", ())
    ]


def header_values(scope: Scope, name: str) -> Sequence[str]:
    """All values of a request's header, in their order; ``name`` in lower case."""
    wanted = name.encode()
    headers = scope.get("headers", ())
    return [value.decode("latin-1") for it, value in headers if it == wanted]


async def respond(
    send: Send, status: HTTPStatus, text: str, *, kind: str = "http.response"
) -> None:
    """Answer a request with some text for people."""
    body = text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": f"{kind}.start", "status": int(status), "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
