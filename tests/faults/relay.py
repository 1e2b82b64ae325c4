"""A TCP relay that harms what goes through it: cuts, stalls, delays, dribbles.

It knows nothing of frames, so it serves whatever stands on TCP.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from transports.base import parse_address

_CHUNK_BYTES: Final = 64 * 1024


class Relay:
    """Forwards each connection to one server; ``relaying`` makes one.

    Attributes:
        url: where to connect instead of the server's own URL.
        chunk_bytes: how much is forwarded at once; 1 for byte by byte.
        delay_s: how long each chunk is held up.
        links: how many connections there were.
    """

    def __init__(self, url: str, tasks: asyncio.TaskGroup) -> None:
        self._target = parse_address(url)
        self._tasks = tasks
        self._open: set[asyncio.WriteTransport] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._linked = asyncio.Event()
        self.url = url
        self.chunk_bytes = _CHUNK_BYTES
        self.delay_s = 0.0
        self.links = 0

    def cut(self) -> None:
        """End every connection at once, in the middle of whatever it carries."""
        self._linked.clear()
        for transport in list(self._open):
            transport.abort()

    async def wait_linked(self) -> None:
        """Return once there was a connection to the server since the last cut."""
        await self._linked.wait()

    def stall(self) -> None:
        """Forward nothing, and let nobody know."""
        self._flowing.clear()

    def go_on(self) -> None:
        """Forward again, first of all what was held up."""
        self._flowing.set()

    def accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Forward a new connection in the background."""
        self._tasks.create_task(self._forward(reader, writer))

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        near = writer.transport
        self._open.add(near)
        try:
            with suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection(
                    self._target.host, self._target.port
                )
                far = far_writer.transport
                self._open.add(far)
                self.links += 1
                self._linked.set()
                try:
                    async with asyncio.TaskGroup() as both:
                        both.create_task(self._pump(reader, far_writer, near))
                        both.create_task(self._pump(far_reader, writer, far))
                finally:
                    self._open.discard(far)
                    far.abort()
        finally:
            self._open.discard(near)
            near.abort()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        source: asyncio.WriteTransport,
    ) -> None:
        """Forward one direction; what cuts one direction cuts the other."""
        try:
            while received := await reader.read(self.chunk_bytes):
                await self._flowing.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if writer.is_closing():  # uvloop lets nobody write to what has closed
                    return
                writer.write(received)
                await writer.drain()
            if not writer.is_closing():
                writer.write_eof()
        except OSError:
            source.abort()
            writer.transport.abort()


@asynccontextmanager
async def relaying(url: str) -> AsyncIterator[Relay]:
    """A relay in front of the server at ``url`` while the block runs."""
    async with asyncio.TaskGroup() as tasks:
        relay = Relay(url, tasks)
        listening = await asyncio.start_server(relay.accept, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        address = parse_address(url)
        relay.url = f"{address.scheme}://127.0.0.1:{port}{address.path}"
        try:
            yield relay
        finally:
            listening.close()
            relay.go_on()
            relay.cut()
