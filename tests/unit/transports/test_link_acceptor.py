"""What a listener does with each connection: counts, greets, has it served (B3)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Final

import pytest

from chatcore.errors import CloseCode
from tests.conformance.links import Doorkeeper
from transports.base import Link, LinkSettings
from transports.codec import Codec
from transports.codec import codec as codec_of
from transports.errors import LinkClosed
from transports.link_acceptor import LinkAcceptor
from transports.memory_pipe import MemoryPipe
from transports.wrapped_link import WrappedLink

WITHIN_S: Final = 10.0


class Noted(WrappedLink):
    """A link that notes how it ends.

    Attributes:
        closed: the codes that it was closed with.
        may_end: set when a close may go on.
    """

    def __init__(self, address: str = "192.0.2.1") -> None:
        settings = LinkSettings(frame_bytes=1024)
        ours, self.theirs = MemoryPipe.make("a peer", settings, address=address)
        super().__init__(ours)
        self.closed: list[CloseCode] = []
        self.ended = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def close(self, code: CloseCode, text: str) -> None:
        self.closed.append(code)
        await self.may_end.wait()
        await super().close(code, text)

    def abort(self) -> None:
        super().abort()
        self.ended.set()


class Accepting:
    """An acceptor, and what becomes of the links that it takes."""

    def __init__(
        self, tasks: asyncio.TaskGroup, doorkeeper: Doorkeeper, handshake_s: float
    ) -> None:
        settings = LinkSettings(
            frame_bytes=1024, admission=doorkeeper, handshake_s=handshake_s
        )
        self.acceptor = LinkAcceptor(self._serve, settings, self._spawn)
        self.doorkeeper = doorkeeper
        self.served: list[tuple[Link, str]] = []
        self._tasks = tasks

    def _spawn(self, work: Coroutine[object, None, None]) -> None:
        self._tasks.create_task(work)

    async def _serve(self, link: Link, codec: Codec) -> None:
        self.served.append((link, codec.name))


@asynccontextmanager
async def accepting(
    *, lets_in: bool = True, handshake_s: float = WITHIN_S
) -> AsyncIterator[Accepting]:
    async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as tasks:
        yield Accepting(tasks, Doorkeeper(lets_in=lets_in), handshake_s)


async def agree() -> Codec:
    return codec_of("json")


async def raising(error: Exception) -> Codec:
    raise error


async def say_nothing() -> Codec:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.rule("B3")
async def test_who_shakes_hands_is_served_and_counts_until_the_end() -> None:
    link = Noted()
    async with accepting() as server:
        server.acceptor.accept(link, agree())
        entered = list(server.doorkeeper.entered)
        await link.ended.wait()

    assert entered == server.doorkeeper.left == ["192.0.2.1"]
    assert server.served == [(link, "json")]


@pytest.mark.rule("B3")
async def test_who_is_one_too_many_is_told_and_nothing_is_read_of_it() -> None:
    link = Noted()
    async with accepting(lets_in=False) as server:
        server.acceptor.accept(link, raising(AssertionError("it was read")))

    assert link.closed == [CloseCode.TOO_MANY_CONNECTIONS]
    assert server.served == []
    assert server.doorkeeper.left == []


@pytest.mark.rule("B3")
async def test_of_many_that_are_too_many_a_few_are_told_at_a_time() -> None:
    links = [Noted() for _ in range(40)]
    for link in links:
        link.may_end.clear()
    async with accepting(lets_in=False) as server:
        for link in links:
            server.acceptor.accept(link, agree())
        await asyncio.sleep(0)
        told = sum(len(it.closed) for it in links)
        ended = sum(it.ended.is_set() for it in links)
        for link in links:
            link.may_end.set()

    assert (told, ended) == (16, 24)


@pytest.mark.rule("B3")
async def test_who_takes_too_long_to_shake_hands_has_to_go() -> None:
    link = Noted()
    async with accepting(handshake_s=0.01) as server:
        server.acceptor.accept(link, say_nothing())
        await link.ended.wait()

    assert server.served == []
    assert link.closed == []
    assert server.doorkeeper.left == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("error", "codes"),
    [
        (LinkClosed(CloseCode.WRONG_VERSION, "no"), [CloseCode.WRONG_VERSION]),
        (LinkClosed(), []),
        (ConnectionResetError(), []),
        (EOFError(), []),
    ],
)
async def test_a_handshake_that_fails_tells_its_code_if_it_has_one(
    error: Exception, codes: list[CloseCode]
) -> None:
    link = Noted()
    async with accepting() as server:
        server.acceptor.accept(link, raising(error))
        await link.ended.wait()

    assert link.closed == codes
    assert server.served == []
    assert server.doorkeeper.left == ["192.0.2.1"]


async def test_a_fault_in_a_handshake_ends_its_link_and_is_told_by_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    link, other = Noted(), Noted()
    with caplog.at_level(logging.INFO):
        async with accepting() as server:
            server.acceptor.accept(link, raising(ZeroDivisionError("on purpose")))
            server.acceptor.accept(other, agree())
            await link.ended.wait()

    (record,) = caplog.records
    assert record.getMessage() == (
        f"{__name__}.Noted could not shake hands: ZeroDivisionError('on purpose')"
    )
    assert server.served == [(other, "json")]


@pytest.mark.rule("W9")
async def test_one_that_stops_waits_for_nobody_and_asks_for_no_more_room() -> None:
    slow, late = Noted(), Noted()
    async with accepting() as server:
        server.acceptor.accept(slow, wait_for(slow))
        await asyncio.sleep(0)
        server.acceptor.stop()
        server.acceptor.accept(late, agree())

    assert slow.ended.is_set()
    assert late.ended.is_set()
    assert server.served == []
    assert server.doorkeeper.entered == server.doorkeeper.left == ["192.0.2.1"]


async def wait_for(link: Noted) -> Codec:
    await link.ended.wait()
    raise LinkClosed
