"""A gRPC listener alone, with a chat behind it that a test plays."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar

from grpc.aio import StreamStreamCall, insecure_channel

from tests.unit.transports.grpc.http2 import WITHIN_S
from transports.awaited_link import AwaitedLink
from transports.base import Link, LinkSettings, authority, parse_address
from transports.codec import Codec
from transports.errors import LinkClosed
from transports.grpc.server import listen

CONVERSE: Final = "/chat.v1.Chat/Converse"
SETTINGS: Final = LinkSettings(
    frame_bytes=32 * 1024, later_frame_bytes=1024 * 1024, loopback_counts=True
)


Stream: TypeAlias = "StreamStreamCall[bytes, bytes]"
_Result = TypeVar("_Result")


@dataclass(slots=True)
class LinkCollector:
    """Links that came in. They are the test's; all are cut when it ends."""

    url: str = ""
    links: "asyncio.Queue[AwaitedLink]" = field(default_factory=asyncio.Queue)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def port(self) -> int:
        return parse_address(self.url).port

    @property
    def target(self) -> str:
        address = parse_address(self.url)
        return authority(address.host, address.port)

    async def serve(self, link: Link, _codec: Codec) -> None:
        awaited = AwaitedLink(link)
        await awaited.send([b"welcome"])
        sent_s = asyncio.get_running_loop().time()
        await until(lambda: link.taken_s > sent_s)
        self.links.put_nowait(awaited)
        await self.over.wait()
        link.abort()


@asynccontextmanager
async def listening(
    settings: LinkSettings = SETTINGS, url: str = "grpc://127.0.0.1:0"
) -> AsyncIterator[LinkCollector]:
    """A listener while the block runs; its links are cut then."""
    chat = LinkCollector()
    failure: BaseException | None = None
    async with asyncio.TaskGroup() as tasks:

        def spawn(work: Coroutine[object, None, None]) -> None:
            tasks.create_task(work)

        try:
            listener = await listen(parse_address(url), chat.serve, settings, spawn)
            chat.url = listener.url
            try:
                yield chat
            finally:
                chat.over.set()
                await listener.stop_accepting()
                await listener.wait_finished()
        except BaseException as error:  # noqa: BLE001  # raised below, as it came
            failure = error  # in the group it would cancel what ends the listener
    if failure is not None:
        raise failure


@asynccontextmanager
async def conversing(
    chat: LinkCollector,
) -> "AsyncIterator[tuple[Stream, AwaitedLink]]":
    """Both ends of a stream of frames: what a client has of it, and the link."""
    async with insecure_channel(chat.target) as channel:
        stream: Stream = channel.stream_stream(CONVERSE)()
        assert await stream.read() == b"welcome"
        yield stream, await chat.links.get()
        stream.cancel()


@asynccontextmanager
async def starting(
    work: Coroutine[object, None, _Result],
) -> "AsyncIterator[asyncio.Task[_Result]]":
    """A coroutine that runs beside the block; it has ended, or is cancelled, then."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work)
        yield task
        task.cancel()


async def until(is_so: Callable[[], bool]) -> None:
    """Let others have their turns until something is so."""
    async with asyncio.timeout(WITHIN_S):
        while not is_so():  # noqa: ASYNC110  # what is waited for sets no event
            await asyncio.sleep(0)  # what is waited for sets no event


async def outcome_of(work: Coroutine[object, None, object]) -> type[LinkClosed] | None:
    """How it ended: None, or with which end of a link."""
    try:
        await work
    except LinkClosed as closed:
        return type(closed)
    return None
