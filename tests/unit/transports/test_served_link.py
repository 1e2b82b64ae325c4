"""A link that is served without a task of its own."""

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack

import pytest

from tests.interop.servers import serving
from transports.awaited_link import AwaitedLink
from transports.base import Link, LinkSettings
from transports.errors import LinkClosed
from transports.memory_pipe import MemoryPipe
from transports.served_link import ServedLink

SETTINGS = LinkSettings(frame_bytes=1024)
WITHIN_S = 10.0


async def test_sessions_that_do_nothing_have_no_task() -> None:
    async with (
        asyncio.timeout(WITHIN_S),
        serving("tcp://127.0.0.1:0") as server,
        AsyncExitStack() as peers,
    ):
        before = len(asyncio.all_tasks())

        for name in ("ada", "bob", "cat"):
            peer = await peers.enter_async_context(server.peer())
            await peer.login(name)

        # What has answered the login may not have returned yet.
        while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0)


async def test_whoever_awaits_it_goes_on_at_its_end() -> None:
    link, _ = MemoryPipe.make("ours", SETTINGS)
    ended: list[Link] = []
    served = ServedLink(link, ended.append)

    async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(wait_for(served))
        await asyncio.sleep(0)
        was_done = waiting.done()
        served.end()

    await served
    assert not was_done
    assert ended == [link]


async def test_whoever_is_cancelled_while_awaiting_it_ends_the_link() -> None:
    link, theirs = MemoryPipe.make("ours", SETTINGS)
    served = ServedLink(link, lambda _: None)

    async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(wait_for(served))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(LinkClosed):
            await AwaitedLink(theirs).receive()


async def wait_for(served: Awaitable[None]) -> None:
    await served
