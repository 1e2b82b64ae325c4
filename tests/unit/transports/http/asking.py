"""Asking a server of HTTP as strangers do: by bytes on a socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from transports.base import parse_address

URL: Final = "http://127.0.0.1:0"
PATIENCE_S: Final = 20.0
OFFER: Final = "Chat-Protocol: chat.v1.json"
LOGIN: Final = (
    b'{"commands": [{"id": 1, "login": {"username": "ada", "password": "correct '
    b'horse", "create": true}}]}'
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, taken apart."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        """Its body, of JSON."""
        return dict(msgspec.json.decode(self.body))


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that was opened."""

    secret: str
    once: str

    @property
    def header(self) -> str:
        """What names it in a request."""
        return f"Chat-Link: {self.secret}"


class Socket:
    """A connection on which a test says what it wants."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer

    async def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    def push(self, data: bytes) -> None:
        """Write without caring whether it is taken."""
        self._writer.write(data)

    async def ask(
        self, method: str, path: str, *headers: str, body: bytes = b""
    ) -> Answer:
        """Make a request, and read its answer; of a stream only the head."""
        await self.write(request(method, path, *headers, body=body))
        return await self.answer()

    async def answer(self) -> Answer:
        """The next response."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
            status, *lines = head.splitlines()
            pairs = [line.split(": ", 1) for line in lines if line]
            headers = {name.lower(): value for name, value in pairs}
            length = int(headers.get("content-length", 0))
            body = await self._reader.readexactly(length)
        return Answer(int(status.split()[1]), headers, body)

    async def open(self, *headers: str, mount: str = "/chat") -> Opened:
        """Open a link."""
        answer = await self.ask("POST", f"{mount}/links", OFFER, *headers)
        assert answer.status == 201, answer
        return Opened(answer.said["link"], answer.said["once"])

    async def until(self, text: bytes) -> bytes:
        """What comes to the end of this text."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.readuntil(text)

    async def take(self, length: int) -> bytes:
        """So many bytes."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.readexactly(length)

    async def ended(self) -> bytes:
        """What is still said; returns once the server has ended the connection."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self._reader.read()
            except ConnectionError:
                return b""

    @property
    def has_ended(self) -> bool:
        return self._reader.at_eof() or self._reader.exception() is not None

    def finish(self) -> None:
        """Say that nothing more is said."""
        self._writer.write_eof()

    def cut(self) -> None:
        """End it without a word."""
        self._writer.transport.abort()


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: chat.example", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def socket_to(url: str, *, source: str = "127.0.0.1") -> AsyncIterator[Socket]:
    """A connection to a server, cut at the end of the block."""
    address = parse_address(url)
    reader, writer = await asyncio.open_connection(
        address.host, address.port, local_addr=(source, 0)
    )
    socket = Socket(reader, writer)
    try:
        yield socket
    finally:
        socket.cut()


@asynccontextmanager
async def link_to(url: str) -> AsyncIterator[tuple[Opened, Socket, Socket]]:
    """An open link, the connection of its events, and one for what is asked."""
    async with socket_to(url) as events, socket_to(url) as asking:
        link = await asking.open()
        answer = await events.ask("GET", "/chat/events", link.header)
        assert answer.status == 200, answer
        await events.until(b'"welcome"')
        yield link, events, asking
