"""What a link and a listener promise, on each transport, without a chat.

``transports.base`` has the contract: a link is open; then its input has ended, perhaps
with a code, and output still works; then it is gone.
"""

import asyncio
from contextlib import suppress
from typing import Final

import pytest

from chatcore.errors import CloseCode
from tests.conformance import links
from tests.conformance.cells import Cell, each_listener
from tests.conformance.links import (
    FRAME_BYTES,
    KIB,
    LATER_FRAME_BYTES,
    Doorkeeper,
    End,
    is_refused,
    linking,
    listening,
)
from transports.errors import CannotConnect, LinkClosed

MOST_BYTES: Final = 64 * 1024 * KIB
"""More than the systems at both ends keep of what nobody takes."""
READ_ALL_THE_SAME: Final = 4
"""Frames of a peer that is not read: a reading that has begun goes on."""


# ---- open


@each_listener
@pytest.mark.own_server
@pytest.mark.rule("W6")
async def test_frames_arrive_whole_and_in_order_each_way(cell: Cell) -> None:
    sizes = [1, 100, 5 * KIB, 16 * KIB, FRAME_BYTES, 2]
    frames = [bytes([97 + n]) * size for n, size in enumerate(sizes)]
    async with linking(cell) as (ours, theirs):
        for frame in frames:
            theirs.link.write([frame])
        ours.link.write(frames)

        await ours.received(*frames)
        await theirs.received(*frames)

        ours.link.allow(LATER_FRAME_BYTES)
        theirs.link.write([b"x" * LATER_FRAME_BYTES])
        await ours.until(lambda: len(ours.frames) > len(frames))
        assert len(ours.frames[-1]) == LATER_FRAME_BYTES
        assert ours.ends == theirs.ends == []


@each_listener
@pytest.mark.own_server
@pytest.mark.rule("S5")
async def test_what_is_read_shows_that_the_peer_lives(cell: Cell) -> None:
    async with linking(cell) as (ours, theirs):
        for reader, writer in ((ours, theirs), (theirs, ours)):
            opened_s = reader.link.active_s
            now_s = await later_than(opened_s)

            writer.link.write([b"alive"])
            await reader.received(b"alive")

            assert reader.link.opened_s <= opened_s < now_s
            assert reader.link.active_s >= now_s, "active_s does not move"


@each_listener
@pytest.mark.own_server
@pytest.mark.rule("W8", "B1")
async def test_a_server_is_held_up_by_a_peer_that_takes_nothing(cell: Cell) -> None:
    async with linking(cell) as (ours, theirs):
        await check_back_pressure(ours, theirs)


@each_listener
@pytest.mark.own_server
@pytest.mark.rule("W8", "B1")
async def test_a_client_is_held_up_by_a_server_that_does_not_read(cell: Cell) -> None:
    async with linking(cell) as (ours, theirs):
        await check_back_pressure(theirs, ours)


async def check_back_pressure(writer: End, reader: End) -> None:
    """A link is clogged while its peer does not read, and all arrives when it does."""
    frame = b"x" * FRAME_BYTES
    reader.link.hold_reading(on=True)
    written = 0
    while not writer.link.is_clogged and written * FRAME_BYTES < MOST_BYTES:
        writer.link.write([frame])
        written += 1
        await turns(3)
        # One that is only being written is not held up by its peer.
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await writer.unclogged()
    was_clogged = writer.link.is_clogged
    arrived = len(reader.frames)

    reader.link.hold_reading(on=False)
    await reader.until(lambda: len(reader.frames) == written)
    await writer.unclogged()

    assert was_clogged, "a link takes whatever is written, and is never clogged"
    assert arrived <= READ_ALL_THE_SAME, "reading goes on that is held"
    assert writer.resumed
    assert set(reader.frames) == {frame}


# ---- the peer's input has ended


@each_listener
@pytest.mark.own_server
@pytest.mark.rule("W6", "E2")
async def test_a_link_whose_input_has_ended_with_a_code_still_tells_it(
    cell: Cell,
) -> None:
    code = CloseCode.FRAME_TOO_LARGE
    async with linking(cell) as (ours, theirs):
        theirs.link.write([b"small", b"x" * (FRAME_BYTES + 1), b"too late"])
        await ours.ended()
        first = ours.ends[0]

        ours.link.write([b"why"])
        await close(ours, theirs, code, code.text)

        assert (first.code, first.is_gone) == (code, False)
        assert ours.frames == [b"small"]
        # A library that refuses the frame itself has told the code in its own way.
        assert theirs.frames == [b"why"] or theirs.codes[0] is code


async def close(ours: End, theirs: End, code: CloseCode, text: str) -> None:
    """Close a link whose peer goes as soon as it is told."""
    async with asyncio.timeout(links.WITHIN_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(ours.link.close(code, text))
        await theirs.ended()
        theirs.link.abort()


# ---- the end


@each_listener
@pytest.mark.own_server
@pytest.mark.rule("W9", "E2")
async def test_what_was_written_before_a_close_arrives_and_then_its_code(
    cell: Cell,
) -> None:
    code = CloseCode.SHUTTING_DOWN
    last = [b"%d" % n * (4 * KIB) for n in range(8)]
    async with linking(cell) as (ours, theirs):
        ours.link.write(last)
        await close(ours, theirs, code, "Come back.")

        assert theirs.frames == last, "what was written before a close is lost"
        if cell.tells_code:
            assert theirs.codes[0] is code, "close() loses its code"
            assert theirs.ends[0].text == "Come back."
        await ours.gone()


@each_listener
@pytest.mark.own_server
@pytest.mark.rule("S3")
async def test_a_link_whose_peer_has_gone_is_gone_for_good(cell: Cell) -> None:
    async with linking(cell) as (ours, theirs):
        theirs.link.abort()
        await ours.ended()

        async with asyncio.timeout(links.WITHIN_S):
            await ours.link.close(CloseCode.LINK_LOST, "")
        await ours.gone()
        ours.link.write([b"lost"])
        for _ in range(2):
            ours.link.abort()
        await turns(5)

        assert not ours.link.is_clogged
        assert ours.frames == []


@each_listener
@pytest.mark.own_server
@pytest.mark.rule("S3", "W9")
async def test_a_link_that_is_aborted_ends_at_both_ends(cell: Cell) -> None:
    async with listening(cell) as server:
        for who in (0, 1):
            ends = await server.connect()

            ends[who].link.abort()

            await ends[1 - who].ended()
            await ends[who].gone()


@each_listener
@pytest.mark.own_server
@pytest.mark.rule("W9")
async def test_a_close_that_is_cancelled_leaves_no_link(cell: Cell) -> None:
    async with linking(cell) as (ours, theirs):
        theirs.link.hold_reading(on=True)
        ours.link.write([b"x" * FRAME_BYTES] * 4)
        async with asyncio.TaskGroup() as tasks:
            closing = tasks.create_task(ours.link.close(CloseCode.LINK_LOST, ""))
            await turns(2)
            closing.cancel()

        ours.link.abort()
        theirs.link.hold_reading(on=False)
        await ours.gone()
        await theirs.ended()


# ---- listening


@each_listener
@pytest.mark.own_server
@pytest.mark.rule("B3")
async def test_a_listener_asks_for_room_and_gives_it_back(cell: Cell) -> None:
    doorkeeper = Doorkeeper()
    async with listening(cell, admission=doorkeeper) as server:
        ours, theirs = await server.connect()
        entered = list(doorkeeper.entered)
        theirs.link.abort()
        await ours.ended()
        ours.link.abort()
        await doorkeeper.until_empty()

    assert set(entered) == {ours.link.address}, "settings.admission is not asked"
    assert sorted(doorkeeper.left) == sorted(doorkeeper.entered)


@each_listener
@pytest.mark.own_server
@pytest.mark.rule("B3", "E1")
async def test_who_is_refused_learns_the_code(cell: Cell) -> None:
    async with listening(cell, admission=Doorkeeper(lets_in=False)) as server:
        with pytest.raises(LinkClosed) as refused:
            await server.dial()

        assert server.accepted.empty()
        assert refused.value.code is CloseCode.TOO_MANY_CONNECTIONS
        assert refused.value.text


@each_listener
@pytest.mark.own_server
@pytest.mark.rule("E1")
async def test_a_server_that_is_not_there_is_told_from_one_that_refuses(
    cell: Cell,
) -> None:
    async with listening(cell) as server:
        url = server.listener.url

    with pytest.raises(CannotConnect) as nobody:
        await server.dial(url)

    assert nobody.value.url == url
    assert nobody.value.reason


@each_listener
@pytest.mark.own_server
@pytest.mark.rule("W9")
async def test_a_listener_that_takes_nobody_any_more_serves_its_links_to_their_end(
    cell: Cell,
) -> None:
    async with listening(cell) as server:
        ours, theirs = await server.connect()

        await server.listener.stop_accepting()
        refused = await is_refused(server)
        theirs.link.write([b"a request"])
        await ours.received(b"a request")
        ours.link.write([b"an answer"])
        await theirs.received(b"an answer")

        assert refused
        assert server.accepted.empty()
        assert ours.ends == theirs.ends == []


@each_listener
@pytest.mark.own_server
@pytest.mark.rule("B3")
async def test_a_dialling_that_is_cancelled_leaves_no_link(cell: Cell) -> None:
    doorkeeper = Doorkeeper()
    async with listening(cell, admission=doorkeeper) as server:
        for waits in range(4):
            async with asyncio.TaskGroup() as tasks:
                dialling = tasks.create_task(server.dial())
                await turns(waits)
                dialling.cancel()
        server.cut_all()
        await doorkeeper.until_empty()


async def turns(count: int) -> None:
    """Let the event loop have so many turns."""
    for _ in range(count):
        await asyncio.sleep(0)


async def later_than(moment_s: float) -> float:
    """Let the loop's clock go on; the time then."""
    loop = asyncio.get_running_loop()
    while loop.time() <= moment_s:  # noqa: ASYNC110  # time sets no event
        await asyncio.sleep(0)
    return loop.time()
