"""The ready link of transports that move whole messages: each of its promises.

Below it is a real pair of sockets; a message is a line.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Final

import pytest

from chatcore.errors import CloseCode
from transports.base import LinkSettings
from transports.errors import LinkClosed, PeerFinished
from transports.framing import LineFraming
from transports.message_link import MessageLink

KIB: Final = 1024
WITHIN_S: Final = 10.0
SETTINGS: Final = LinkSettings(frame_bytes=8 * KIB, close_s=0.2)
NAME: Final = f"{__name__}.LineLink"


class Plug(Exception):
    """What no transport should raise."""


class LineLink(MessageLink):
    """A line is a message; ``fails_in`` is where it has a fault.

    Attributes:
        cuts: how often the connection was ended.
        lingers: for so many turns of the event loop a write goes on once all is out.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        fails_in: str = "",
    ) -> None:
        super().__init__(SETTINGS, peer="the other end")
        writer.transport.set_write_buffer_limits(high=0)
        self.reader, self.writer = reader, writer
        self.framing = LineFraming(SETTINGS.frame_bytes)
        self.fails_in = fails_in
        self.cuts = 0
        self.lingers = 0

    def fail(self, where: str) -> None:
        if self.fails_in == where:
            raise Plug(where)

    async def read(self) -> None:
        while received := await self.reader.read(4 * KIB):
            self.fail("read")
            for line in self.framing.feed(received):
                self.receive(line)
            self.note_partial(self.framing.held_bytes)
            await self.room()

    async def send_messages(self, messages: Sequence[bytes]) -> None:
        self.fail("send")
        self.writer.write(self.framing.join(messages))
        await self.writer.drain()
        await turns(self.lingers)

    async def finish(self, code: CloseCode, text: str) -> None:
        self.fail("finish")
        self.writer.write(b"%d %s\n" % (code, text.encode()))
        self.writer.write_eof()
        while await self.reader.read(4 * KIB):
            pass

    def cut(self) -> None:
        self.cuts += 1
        self.writer.transport.abort()
        self.fail("cut")


class Far:
    """The other end: bytes, and what it has read of them."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, *lines: bytes) -> None:
        self.writer.writelines(b"%s\n" % it for it in lines)
        await self.writer.drain()

    async def hear(self) -> bytes:
        return (await self.reader.readline()).rstrip()


class Handler:
    """Takes what the link tells.

    Attributes:
        ends: each end that was told.
    """

    def __init__(self, link: MessageLink) -> None:
        self.frames: list[bytes] = []
        self.ends: list[LinkClosed] = []
        self.resumed = 0
        self.changed = asyncio.Event()
        link.start(self)

    def frames_received(self, frames: Sequence[bytes]) -> None:
        self.frames += frames
        self.changed.set()

    def reading_ended(self, end: LinkClosed) -> None:
        self.ends.append(end)
        self.changed.set()

    def resume_writing(self) -> None:
        self.resumed += 1
        self.changed.set()

    async def until(self, is_so: Callable[[], object]) -> None:
        """Return once it is so, which only what is told can change."""
        while not is_so():
            self.changed.clear()
            await self.changed.wait()

    @property
    def codes(self) -> list[CloseCode]:
        return [it.code for it in self.ends]


@asynccontextmanager
async def pair(*, fails_in: str = "") -> AsyncIterator[tuple[LineLink, Far]]:
    """A link that reads, and its other end."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):  # so that little clogs it
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * KIB)
    reader, writer = await asyncio.open_connection(sock=ours)
    far = Far(*await asyncio.open_connection(sock=theirs, limit=4 * KIB))
    link = LineLink(reader, writer, fails_in=fails_in)
    link.read_in(link.read())
    try:
        async with asyncio.timeout(WITHIN_S):
            yield link, far
    finally:
        link.abort()
        far.writer.transport.abort()
        await asyncio.sleep(0)


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def until_later() -> float:
    """Let the loop's clock go on; the time then."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while loop.time() <= began_s:  # noqa: ASYNC110  # time sets no event
        await asyncio.sleep(0)
    return loop.time()


# ---- reading


async def test_what_arrives_before_the_start_is_handed_over_then_in_order() -> None:
    async with pair() as (link, far):
        await far.say(b"one", b"two")
        await turns()

        handler = Handler(link)
        await far.say(b"three")
        await handler.until(lambda: len(handler.frames) == 3)

        assert handler.frames == [b"one", b"two", b"three"]


@pytest.mark.rule("B1")
async def test_little_is_read_before_the_start_and_it_counts_as_held() -> None:
    async with pair() as (link, far), asyncio.TaskGroup() as tasks:
        held: list[int] = []
        link.report_held(held.append)
        line = b"x" * (4 * KIB)

        tasks.create_task(far.say(*[line] * 100))
        await until(lambda: held and held[-1] >= 12 * KIB)
        await turns(100)
        most = max(held)
        handler = Handler(link)
        await handler.until(lambda: len(handler.frames) == 100)

        assert most <= 16 * KIB + 2 * SETTINGS.frame_bytes
        assert held[-1] < 4 * KIB


@pytest.mark.rule("B1")
async def test_nothing_is_read_while_reading_is_held() -> None:
    async with pair() as (link, far), asyncio.TaskGroup() as tasks:
        handler = Handler(link)
        await far.say(b"one")
        await handler.until(lambda: handler.frames)
        link.hold_reading(on=True)

        saying = tasks.create_task(far.say(*[b"x" * KIB] * 1000))
        await turns(100)
        was_held_up = not saying.done()
        few = len(handler.frames)
        link.hold_reading(on=False)
        await handler.until(lambda: len(handler.frames) == 1001)

        assert was_held_up
        assert few < 10


@pytest.mark.rule("W6")
async def test_a_message_over_the_limit_ends_reading_and_not_writing() -> None:
    async with pair() as (link, far):
        handler = Handler(link)
        await far.say(b"small", b"x" * (9 * KIB))
        await handler.until(lambda: handler.ends)

        link.write([b"still here"])
        heard = await far.hear()
        link.receive(b"too late")

        assert handler.frames == [b"small"]
        assert handler.codes == [CloseCode.FRAME_TOO_LARGE]
        assert not handler.ends[0].is_gone
        assert heard == b"still here"


@pytest.mark.rule("W6", "B1")
async def test_a_whole_message_is_measured_by_what_is_allowed_now() -> None:
    async with pair() as (link, _):
        handler = Handler(link)
        await turns()
        large = b"x" * (SETTINGS.frame_bytes + 1)

        link.allow(len(large))
        link.receive(large)
        limit = link.largest_bytes
        link.allow(SETTINGS.frame_bytes)
        link.receive(large)
        with pytest.raises(LinkClosed) as refused:
            await link.room()
        await handler.until(lambda: handler.ends)

        assert limit == len(large)
        assert handler.frames == [large]
        assert refused.value.code is CloseCode.FRAME_TOO_LARGE


@pytest.mark.rule("S5")
async def test_what_arrives_shows_life_also_before_it_is_a_message() -> None:
    async with pair() as (link, far):
        Handler(link)
        before_s, now_s = link.active_s, await until_later()

        far.writer.write(b"half a li")
        await until(lambda: link.active_s > before_s)

        assert link.active_s >= now_s


@pytest.mark.rule("W2")
async def test_a_peer_that_has_finished_still_gets_what_it_is_owed() -> None:
    async with pair() as (link, far):
        handler = Handler(link)
        await far.say(b"all that I have")
        far.writer.write_eof()
        await handler.until(lambda: handler.ends)

        link.write([b"the answer"])
        answer = await far.hear()

        assert isinstance(handler.ends[0], PeerFinished)
        assert answer == b"the answer"


async def test_a_connection_that_is_gone_is_told_once_and_quietly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with pair() as (link, far):
        handler = Handler(link)
        await turns()
        far.writer.transport.abort()
        await handler.until(lambda: handler.ends)

        # A stream's end looks like a half that was closed, until something is written.
        link.write([b"x" * KIB])
        await handler.until(lambda: handler.ends[-1].is_gone)
        link.write([b"lost"])
        link.abort()
        await link.close(CloseCode.LINK_LOST, "")
        await turns()

        assert [it.is_gone for it in handler.ends][-1:] == [True]
        assert sum(it.is_gone for it in handler.ends) == 1
        assert link.cuts == 1
        assert not link.is_clogged
        assert caplog.records == []


async def test_an_end_that_came_before_the_start_is_told_then() -> None:
    async with pair() as (link, far):
        await far.say(b"one", b"x" * (9 * KIB))
        await turns(30)
        link.abort()

        handler = Handler(link)
        await turns()

        assert handler.frames == [b"one"]
        assert handler.codes == [CloseCode.FRAME_TOO_LARGE, CloseCode.LINK_LOST]


async def test_nobody_is_called_from_within_an_abort() -> None:
    async with pair() as (link, _):
        handler = Handler(link)
        await turns()

        link.abort()
        told_within = list(handler.ends)
        await turns()

        assert told_within == []
        assert handler.codes == [CloseCode.LINK_LOST]


async def test_a_link_that_ends_before_it_has_begun_to_read_leaves_nothing() -> None:
    async with pair() as (link, _):
        link.write([b"never written"])
        link.abort()
        await turns()

        assert link.cuts == 1
        assert not link.is_clogged


# ---- writing


@pytest.mark.rule("W8", "B1")
async def test_a_link_is_clogged_until_its_peer_takes_what_was_written() -> None:
    async with pair() as (link, far):
        held: list[int] = []
        link.report_held(held.append)
        handler = Handler(link)

        link.write([b"x" * (512 * KIB)])
        await turns(100)
        was_clogged, held_then = link.is_clogged, held[-1]
        taken = len(await far.reader.readexactly(512 * KIB + 1))
        await handler.until(lambda: handler.resumed)

        assert was_clogged
        assert held_then >= 512 * KIB
        assert taken == 512 * KIB + 1
        assert not link.is_clogged
        assert held[-1] < 4 * KIB


@pytest.mark.rule("B1", "S5")
async def test_the_time_of_what_waits_to_be_taken_stands_still_until_it_moves() -> None:
    async with pair() as (link, far):
        handler = Handler(link)
        link.write([b"x" * (512 * KIB)])
        await turns()
        written_s, heard_s = link.taken_s, link.active_s
        # So long that it cannot be said to have gone into the buffers.
        await until(lambda: link._has_waited)
        stood_still = (link.taken_s, link.active_s) == (written_s, heard_s)

        await far.reader.readexactly(512 * KIB + 1)
        await handler.until(lambda: handler.resumed)

        assert stood_still
        assert link.taken_s > written_s
        assert link.active_s > heard_s


@pytest.mark.rule("B1", "S5")
async def test_a_part_that_was_taken_counts_while_the_rest_waits() -> None:
    async with pair() as (link, _):
        link.write([b"x" * (512 * KIB)])
        await until(lambda: link._has_waited)
        before_s = link.taken_s

        link.took()

        assert link.is_clogged
        assert link.taken_s > before_s
        assert link.active_s >= link.taken_s


@pytest.mark.rule("S5")
async def test_bytes_that_fit_into_the_buffers_are_no_sign_of_life() -> None:
    async with pair() as (link, _):
        handler = Handler(link)
        await turns()
        before_s = link.active_s

        for link.lingers in range(3):
            link.write([b"into the buffers"])
            # A busy loop makes a write last, and the peer no livelier.
            asyncio.get_running_loop().call_soon(be_busy, 0.02)
            await until(lambda: not link.is_clogged)

        assert handler.resumed == 3
        assert link.active_s == before_s
        assert link.taken_s > before_s


# ---- the end


async def test_what_was_written_arrives_before_the_code_and_then_the_end() -> None:
    async with pair() as (link, far), asyncio.TaskGroup() as tasks:
        handler = Handler(link)
        messages = [b"x" * KIB] * 200
        link.write(messages)
        await turns()
        tasks.create_task(link.close(CloseCode.SHUTTING_DOWN, "Come back."))
        await turns()
        await far.say(b"on the way meanwhile")
        await turns()

        lines = [await far.hear() for _ in range(201)]
        await far.say(b"still talking")
        far.writer.write_eof()
        rest = await far.reader.read()
        await until(lambda: link.cuts)
        await turns()

        assert lines == [*messages, b"4000 Come back."]
        assert rest == b""
        assert handler.frames == []
        assert handler.codes == [CloseCode.LINK_LOST]
        assert link.cuts == 1


@pytest.mark.rule("B1")
async def test_a_peer_that_takes_nothing_does_not_hold_up_the_end() -> None:
    async with pair() as (link, _):
        held: list[int] = []
        link.report_held(held.append)
        Handler(link)
        link.write([b"x" * (512 * KIB)])

        await link.close(CloseCode.SHUTTING_DOWN, "Nobody hears it.")

        assert link.cuts == 1
        assert held == [512 * KIB, 0]


async def test_whoever_is_cancelled_while_closing_ends_the_link() -> None:
    async with pair() as (link, _), asyncio.TaskGroup() as tasks:
        handler = Handler(link)
        closing = tasks.create_task(link.close(CloseCode.SHUTTING_DOWN, ""))
        await turns(3)

        closing.cancel()
        await handler.until(lambda: handler.ends)

        assert link.cuts == 1
        assert handler.ends[0].is_gone


# ---- faults of the transport


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("read", "could not read"),
        ("send", "could not write"),
        ("finish", "could not say how a link ends"),
        ("cut", "could not end its connection"),
    ],
)
async def test_a_fault_of_the_transport_ends_its_link_and_is_told_by_name(
    where: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with pair(fails_in=where) as (link, far):
        handler = Handler(link)
        await far.say(b"a line")
        link.write([b"a message"])
        if where in {"finish", "cut"}:
            await handler.until(lambda: handler.frames)
            await link.close(CloseCode.SHUTTING_DOWN, "")
        await handler.until(lambda: handler.ends)

        (record,) = caplog.records
        assert record.getMessage() == f"{NAME} {told}"
        assert record.levelno == logging.ERROR
        assert record.exc_info is not None
        assert handler.codes == [CloseCode.LINK_LOST]
        assert link.cuts == 1


async def until(is_so: Callable[[], object]) -> None:
    while not is_so():  # noqa: ASYNC110  # nothing tells of it
        await asyncio.sleep(0)


def be_busy(for_s: float) -> None:
    ends_s = perf_counter() + for_s
    while perf_counter() < ends_s:
        pass
