"""A relay between WebSockets that loses a link at the moment of a certain answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

_SPOKEN: Final = [Subprotocol("chat.v1.json")]


@asynccontextmanager
async def withholding(url: str, *names: str) -> AsyncIterator[str]:
    """Where to connect instead of ``url``. Each of these events, in this order, is not
    told when it comes: the server has done what was asked, and the link ends.
    """
    left = list(names)

    async def relay(near: ServerConnection) -> None:
        async with (
            connect(url, subprotocols=_SPOKEN) as far,
            asyncio.TaskGroup() as both,
        ):
            both.create_task(_pump(near, far, []))
            both.create_task(_pump(far, near, left))

    async with serve(relay, "127.0.0.1", 0, subprotocols=_SPOKEN) as server:
        host, port = server.sockets[0].getsockname()
        yield f"ws://{host}:{port}/chat"


async def _pump(
    source: ServerConnection | ClientConnection,
    target: ServerConnection | ClientConnection,
    left: list[str],
) -> None:
    try:
        async for frame in source:
            if left and f'"{left[0]}"' in str(frame):
                left.pop(0)
                target.transport.abort()
                return
            await target.send(frame)
    except ConnectionClosed:
        pass
    finally:
        source.transport.abort()
        target.transport.abort()
