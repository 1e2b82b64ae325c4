"""An echo behind our WebSocket adapter, for Autobahn's fuzzing client.

That client offers no subprotocol, so ``transports.websocket.listen`` would answer it
with 400. Here the gate is open, and all below it is the adapter's own: the options of
the server, the class of its connections, and a link that receives and sends. A link
sends text or binary by its codec, so each connection has one of either, and a message
goes back by the link of its kind. With ``--plain`` the echo is the library's own, with
the same options: what that one fails too is not the adapter's.

Run from the root, see docs/testing.md: ``python -m tests.interop.autobahn_echo``.
"""

import argparse
import asyncio
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

from chatcore.limits import MIB
from transports.base import LinkSettings, authority, parse_address
from transports.codec import codec
from transports.errors import LinkClosed
from transports.websocket.link import WebSocketLink
from transports.websocket.server import ServerSide, server_options

MESSAGE_BYTES: Final = 16 * MIB
"""What the largest of Autobahn's cases send; it is as well a server's to set."""


class KindsKept(ServerSide):
    """Notes the kind of each message, which a link has no need to tell."""

    kinds: deque[Opcode]

    def process_event(self, event: Request | Response | Frame) -> None:
        if isinstance(event, Request):
            self.kinds = deque()
        elif isinstance(event, Frame) and event.opcode in {Opcode.TEXT, Opcode.BINARY}:
            self.kinds.append(event.opcode)
        super().process_event(event)


class Echo:
    """Sends back what comes on a connection, by the link of its kind."""

    def __init__(self, connection: KindsKept) -> None:
        self._connection = connection
        self._links = {
            Opcode.TEXT: WebSocketLink(connection, codec("json")),
            Opcode.BINARY: WebSocketLink(connection, codec("protobuf")),
        }
        self.ended: asyncio.Future[LinkClosed] = connection.loop.create_future()
        self._links[Opcode.BINARY].start(self)

    def frames_received(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.FrameHandler``."""
        for message in frames:
            self._links[self._connection.kinds.popleft()].write([message])
        if self._links[Opcode.BINARY].is_clogged:
            self._connection.hold_reading(on=True)

    def resume_writing(self) -> None:
        """See ``transports.base.FrameHandler``."""
        self._connection.hold_reading(on=False)

    def reading_ended(self, end: LinkClosed) -> None:
        """See ``transports.base.FrameHandler``."""
        if not self.ended.done():
            self.ended.set_result(end)


async def echo_by_links(connection: ServerConnection) -> None:
    """Send back what the adapter's links receive."""
    assert isinstance(connection, KindsKept)
    await Echo(connection).ended


async def echo_by_library(connection: ServerConnection) -> None:
    """Send back what the library receives."""
    with suppress(ConnectionClosed):
        async for message in connection:
            await connection.send(message)


async def main() -> None:
    """Serve one of the two until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="ws://127.0.0.1:9001", help="where to listen")
    parser.add_argument(
        "--plain", action="store_true", help="the library's echo, without our adapter"
    )
    asked = parser.parse_args()
    address = parse_address(asked.url)
    async with serve(
        echo_by_library if asked.plain else echo_by_links,
        address.host,
        address.port,
        create_connection=ServerConnection if asked.plain else KindsKept,
        **server_options(address, LinkSettings(frame_bytes=MESSAGE_BYTES)),
    ) as server:
        host, port, *_ = next(iter(server.sockets)).getsockname()
        sys.stdout.write(f"ready ws://{authority(host, port)}\n")
        sys.stdout.flush()
        await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
