"""WebSockets of another library's client, below every codec of ours."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.interop.servers import PASSWORD
from transports.base import parse_address

URL: Final = "ws://127.0.0.1:0"
WITHIN_S: Final = 10.0


@asynccontextmanager
async def opening(
    url: str,
    *subprotocols: str,
    compression: str | None = None,
    read_ahead: int = 16,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[ClientConnection]:
    """A WebSocket that offers these subprotocols, or the JSON one."""
    offered = [Subprotocol(it) for it in subprotocols or ("chat.v1.json",)]
    async with (
        asyncio.timeout(WITHIN_S),
        connect(
            url,
            subprotocols=offered,
            compression=compression,
            max_queue=read_ahead,
            proxy=None,
            additional_headers=headers,
            close_timeout=0.1,
        ) as socket,
    ):
        yield socket


async def read_events(socket: ClientConnection) -> list[dict[str, Any]]:
    """The events of the next frame, in JSON."""
    return list(msgspec.json.decode(await socket.recv())["events"])


async def login(socket: ClientConnection, username: str = "ada") -> dict[str, Any]:
    """Log in on a fresh JSON link; what the server says to it."""
    welcome, *events = await read_events(socket)
    assert "welcome" in welcome
    fields = {"username": username, "password": PASSWORD, "create": True}
    await tell(socket, login=fields)
    # A ping may come before, or with it, where the machine is busy.
    answers: list[dict[str, Any]] = []
    while not answers:
        assert not any("refused" in it for it in events)
        events = await read_events(socket)
        answers = [it["loggedIn"] for it in events if "loggedIn" in it]
    return answers[0]


async def tell(socket: ClientConnection, **commands: object) -> None:
    """Write commands under the id 1, in one frame, as text."""
    listed = [{"id": 1, name: fields} for name, fields in commands.items()]
    await socket.send(msgspec.json.encode({"commands": listed}), text=True)


async def end_of(socket: ClientConnection) -> tuple[int, str]:
    """Read to the end: the code and the reason of the close frame."""
    with suppress(ConnectionClosed):
        while True:
            await socket.recv()
    return socket.close_code or 0, socket.close_reason or ""


async def upgrade(url: str, *headers: str, path: str = "/chat") -> tuple[int, str]:
    """Ask for an upgrade by hand: the status, and the rest of the answer's head and
    body.
    """
    address = parse_address(url)
    lines = [
        f"GET {path} HTTP/1.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        *headers,
    ]
    reader, writer = await asyncio.open_connection(address.host, address.port)
    async with asyncio.timeout(WITHIN_S):
        writer.write("\r\n".join([*lines, "", ""]).encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status = int(head.split()[1])
        body = "" if status == 101 else (await reader.read()).decode()
    writer.transport.abort()
    return status, head + body
