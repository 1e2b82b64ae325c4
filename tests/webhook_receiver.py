"""A program that receives webhooks, written from the standards alone.

HTTP/1.1 by hand, and the signature of Standard Webhooks 1.0 from RFC 2104: nothing of
ours is in it.
"""

import asyncio
import json
import ssl
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PATIENCE_S = 20.0


def sign(secret: str, name: str, timestamp: str, body: bytes) -> str:
    """The signature of a webhook: HMAC (RFC 2104) with SHA-256, in base64."""
    key = b64decode(secret.removeprefix("whsec_")).ljust(64, b"\0")
    signed = f"{name}.{timestamp}.".encode() + body
    inner = sha256(bytes(it ^ 0x36 for it in key) + signed).digest()
    outer = sha256(bytes(it ^ 0x5C for it in key) + inner).digest()
    return f"v1,{b64encode(outer).decode()}"


@dataclass(frozen=True, slots=True)
class Request:
    """One POST."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def data(self) -> dict[str, Any]:
        """What it tells."""
        found: dict[str, Any] = json.loads(self.body)["data"]
        return found

    @property
    def position(self) -> int:
        position: int = self.data["position"]
        return position

    def is_signed(self, secret: str = SECRET) -> bool:
        """Whether one of its signatures is by this secret."""
        timestamp = self.headers["webhook-timestamp"]
        expected = sign(secret, self.id, timestamp, self.body)
        return expected in self.headers["webhook-signature"].split(" ")


@dataclass(slots=True)
class Receiver:
    """Notes what comes, and answers as ``answer`` says: a status, or a whole answer.

    While ``is_open`` is not set nothing is answered.
    """

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    answer: Callable[[Request], int | bytes] = lambda _: 200
    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    most_at_once: int = 0
    _serving: "dict[asyncio.Task[Any], asyncio.StreamWriter]" = field(
        default_factory=dict
    )

    async def until(self, is_so: Callable[["Receiver"], bool]) -> None:
        """Return once what came is as awaited."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_so(self):
                self.changed.clear()
                await self.changed.wait()

    async def until_positions(self, *positions: int) -> None:
        """Return once each of these messages was told of."""
        await self.until(lambda it: {r.position for r in it.requests} >= {*positions})

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one connection to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._serving[task] = writer
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await _read(reader)
                self.requests.append(request)
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                self.changed.set()
                await self.is_open.wait()
                self.at_once -= 1
                answer = self.answer(request)
                if isinstance(answer, int):
                    answer = (
                        f"HTTP/1.1 {answer} X\r\nContent-Length: 0\r\n\r\n".encode()
                    )
                writer.write(answer)
                await writer.drain()
        del self._serving[task]
        writer.close()

    async def close(self) -> None:
        """End all connections."""
        self.is_open.set()
        for writer in self._serving.values():
            writer.transport.abort()
        if self._serving:
            await asyncio.wait(self._serving)


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
    line, *fields = head.rstrip("\r\n").split("\r\n")
    pairs = (it.partition(": ") for it in fields)
    headers = {name.lower(): value for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(line, headers, body)


@asynccontextmanager
async def receiving(
    *, port: int = 0, is_open: bool = True, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A receiver while the block runs."""
    receiver = Receiver()
    if is_open:
        receiver.is_open.set()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", port, ssl=tls)
    scheme, where = "https" if tls else "http", server.sockets[0].getsockname()
    receiver.url = f"{scheme}://127.0.0.1:{where[1]}/hooks?of=it"
    try:
        yield receiver
    finally:
        server.close()
        await receiver.close()
        await server.wait_closed()
