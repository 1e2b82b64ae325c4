"""The standard health service, while a server stops."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from grpc.aio import UnaryStreamCall, UnaryStreamMultiCallable, insecure_channel
from grpc_health.v1 import health_pb2

from chatcore import Chat
from chatstores.memory import MemoryStore
from chatsystem import INSECURE_FAST_HASH, system_environment
from transports import connect, serve

PATIENCE_S = 20.0
WATCH = "/grpc.health.v1.Health/Watch"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class HeldChat(Chat):
    """A chat whose stop, which ends the links, waits to be let go."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        self.may_stop = asyncio.Event()

    async def stop(self) -> None:
        await self.may_stop.wait()
        await super().stop()


async def next_status(watch: "UnaryStreamCall[bytes, bytes]") -> int:
    """What a watch tells next."""
    async with asyncio.timeout(PATIENCE_S):
        told = await watch.read()
    assert isinstance(told, bytes)
    return health_pb2.HealthCheckResponse.FromString(told).status


@pytest.mark.rule("W9")
async def test_who_watches_is_told_before_any_link_is_ended() -> None:
    chat = HeldChat()
    environment = system_environment(INSECURE_FAST_HASH)
    stopping = AsyncExitStack()
    (url,) = await stopping.enter_async_context(
        serve(chat, "grpc://127.0.0.1:0", environment=environment)
    )
    async with insecure_channel(url.removeprefix("grpc://")) as channel:
        method: UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(WATCH)
        asked = [
            health_pb2.HealthCheckRequest(service=it) for it in ("", "chat.v1.Chat")
        ]
        watches = [method(it.SerializeToString()) for it in asked]
        before = [await next_status(it) for it in watches]

        async with connect(url, reconnect=None), asyncio.TaskGroup() as tasks:
            tasks.create_task(stopping.aclose())
            told = [await next_status(it) for it in watches]
            connections = chat.counters.connections["grpc"]
            chat.may_stop.set()

    assert before == [SERVING, SERVING]
    assert told == [NOT_SERVING, NOT_SERVING]
    assert connections == 1
