"""A listener of the chat's transports, with what the test says on its links."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

from transports.awaited_link import AwaitedLink
from transports.base import Link, LinkSettings, parse_address
from transports.codec import Codec
from transports.errors import LinkClosed
from transports.registry import transport_for

Script: TypeAlias = Callable[[AwaitedLink, Codec], Awaitable[None]]


@asynccontextmanager
async def listening(url: str, script: Script) -> AsyncIterator[str]:
    """Serve links like this while the block runs; each ends with ``script``."""
    links: list[Link] = []

    async def serve(link: Link, codec: Codec) -> None:
        links.append(link)
        with suppress(LinkClosed):
            await script(AwaitedLink(link), codec)
        link.abort()

    address = parse_address(url)
    async with asyncio.TaskGroup() as tasks:

        def spawn(work: Coroutine[object, None, None]) -> None:
            tasks.create_task(work)

        listener = await transport_for(address.scheme).listen(
            address, serve, LinkSettings(frame_bytes=1 << 20), spawn
        )
        yield listener.url
        await listener.stop_accepting()
        await listener.wait_finished()
        for link in links:
            link.abort()


async def echo(link: AwaitedLink, _codec: Codec) -> None:
    """Every frame goes back, without a look at it."""
    while True:
        await link.send(await link.receive())
