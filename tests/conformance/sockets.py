"""Bare sockets to a TCP server, and what is said on them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatcore.events import Event
from chatcore.limits import Limits
from tests.conformance.cells import Cell
from tests.conformance.servers import Server
from transports.base import parse_address
from transports.codec import codec
from transports.framing import LengthFraming, LineFraming


@asynccontextmanager
async def socket_to(
    server: Server,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare socket to a TCP server, with an end to the waiting."""
    address = parse_address(server.url)
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(address.host, address.port)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


def framed(cell: Cell, frame: bytes) -> bytes:
    """A frame as TCP carries it (W2)."""
    if cell.codec == "json":
        return frame + b"\n"
    return len(frame).to_bytes(4, "big") + frame


async def read_events(
    cell: Cell, reader: asyncio.StreamReader, *, last: type[Event]
) -> list[Event]:
    """The events behind the server's first line, up to the first of this kind.

    Where none comes they are all that came before the end of the stream.
    """
    assert await reader.readline() == b"CHAT/1 ok\n"
    limit = Limits().frame_bytes
    framing = LineFraming(limit) if cell.codec == "json" else LengthFraming(limit)
    events: list[Event] = []
    while received := await reader.read(65_536):
        for frame in framing.feed(received):
            events.extend(codec(cell.codec).decode_events(frame))
        if any(isinstance(it, last) for it in events):
            break
    return events
