"""Bare sockets to a TCP server, and what is said on them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.conformance.cells import Cell
from tests.conformance.servers import Server
from transports.base import parse_address


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
