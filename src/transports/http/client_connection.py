"""One connection of a client: a request and its answer at a time, read by ``h11``."""

import asyncio
import ssl
from collections.abc import Sequence
from typing import Final

import h11

from transports.base import Address, authority

_READ_BYTES: Final = 16 * 1024
_BODY_BYTES: Final = 64 * 1024
"""More than an answer has that is read whole."""


class ClientConnection:
    """A connection to a server.

    What is awaited raises ``OSError`` once it is lost, and ``h11.RemoteProtocolError``
    where what answers is no HTTP.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host
        self._http = h11.Connection(h11.CLIENT)

    @classmethod
    async def open(
        cls, address: Address, tls: ssl.SSLContext | None
    ) -> "ClientConnection":
        """Connect, and do TLS's handshake if there is a context for it."""
        reader, writer = await asyncio.open_connection(
            address.host, address.port, ssl=tls
        )
        return cls(reader, writer, authority(address.host, address.port))

    @property
    def is_usable(self) -> bool:
        """Whether another request can be made, as far as it shows here."""
        is_done = self._http.our_state is self._http.their_state is h11.DONE
        is_fresh = self._http.our_state is h11.IDLE
        return (is_done or is_fresh) and not self._reader.at_eof()

    async def ask(
        self, method: str, target: str, *headers: tuple[str, str], body: bytes = b""
    ) -> h11.Response:
        """Make a request, and return the head of its answer."""
        http = self._http
        if http.our_state is h11.DONE:
            http.start_next_cycle()
        all_headers = [
            ("Host", self._host),
            *headers,
            ("Content-Length", str(len(body))),
        ]
        request = h11.Request(method=method, target=target, headers=all_headers)
        written = http.send(request) or b""
        if body:
            written += http.send(h11.Data(data=body)) or b""
        self._writer.write(written + (http.send(h11.EndOfMessage()) or b""))
        await self._writer.drain()
        while not isinstance(event := await self._next(), h11.Response):
            pass
        return event

    async def read(self) -> bytes:
        """The next piece of the answer's body; empty at its end."""
        event = await self._next()
        return bytes(event.data) if isinstance(event, h11.Data) else b""

    async def read_all(self) -> bytes:
        """A short body."""
        body = b""
        while len(body) <= _BODY_BYTES and (piece := await self.read()):
            body += piece
        return body

    async def _next(self) -> h11.Event:
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.ConnectionClosed):
                raise ConnectionResetError
            if isinstance(event, h11.Event):
                return event
            received = await self._reader.read(_READ_BYTES)
            self._http.receive_data(received)

    def abort(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()


def values_of(response: h11.Response, name: bytes) -> Sequence[bytes]:
    """What the headers of this name, in lower case, say."""
    return [value for it, value in response.headers if it == name]
