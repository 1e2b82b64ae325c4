"""A chat as an ASGI application, under uvicorn on a real socket in this process."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import uvicorn

from chatcore import Chat, ChatApp
from chatcore.ports import Environment
from transports.base import authority, parse_address
from transports.memory_budget import MemoryBudget
from transports.task_group import plain_task_group
from transports.tls import ServerTls

ASGI: Final = {"asgi": "ws", "asgi-http": "http"}
"""Schemes of URLs that say where such a server listens, and those of its clients."""
_STOP_S: Final = 5


class TestedServer(uvicorn.Server):
    """Says when it accepts, and ends as soon as it is told to.

    Attributes:
        ready: set once it accepts.
        ending: set to have it end; its users see to what has to end before.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self.ending = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self.ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, but for a tenth of a second that it sleeps each time."""
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._wait_tasks_to_complete()
        await self.lifespan.shutdown()


@asynccontextmanager
async def running(
    application: Any, address: str = "127.0.0.1", **options: Any
) -> AsyncIterator[tuple[TestedServer, str]]:
    """An application under uvicorn while the block runs; ``host:port`` of it."""
    listening = socket.create_server((address, 0))
    config = uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_STOP_S,
        **{"lifespan": "on", **options},
    )
    server = TestedServer(config)
    async with plain_task_group() as tasks:
        serving = tasks.create_task(server.serve(sockets=[listening]))
        ready = tasks.create_task(server.ready.wait())
        await asyncio.wait([serving, ready], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        try:
            if not serving.done():
                yield server, authority(*listening.getsockname()[:2])
        finally:
            server.ending.set()


@asynccontextmanager
async def serve_below_asgi(
    chat: Chat,
    url: str,
    *also: str,
    environment: Environment,
    memory_budget: MemoryBudget,
    tls: ServerTls,
) -> AsyncIterator[list[str]]:
    """Serve a chat as ``transports.serve`` does, the first URL as an application."""
    app = ChatApp(
        chat, also=also, environment=environment, memory_budget=memory_budget, tls=tls
    )
    limits = chat.limits
    options = {
        "ws_max_size": limits.frame_bytes,
        "ws_ping_interval": limits.ping_after_s,
        "ws_ping_timeout": limits.pong_within_s,
    }
    address = parse_address(url)
    async with running(app, address.host, **options) as (_, host):
        try:
            yield [f"{ASGI[address.scheme]}://{host}/chat", *app.server.urls]
        finally:
            await app.server.stop()
