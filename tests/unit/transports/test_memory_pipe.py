"""Two ends of a link in one process: their limits, and what they tell (B1, B3)."""

import asyncio

import pytest

from chatcore.errors import CloseCode
from transports.base import LinkClosed, LinkSettings
from transports.memory_pipe import MemoryPipe

KIB = 1024
SETTINGS = LinkSettings(frame_bytes=32 * KIB, later_frame_bytes=1024 * KIB)


def pair() -> tuple[MemoryPipe, MemoryPipe]:
    return MemoryPipe.make("ipv4:192.0.2.1:5", SETTINGS, address="192.0.2.1")


@pytest.mark.rule("B3")
async def test_both_ends_name_the_address_of_the_peer_behind_them() -> None:
    ours, theirs = pair()

    assert (ours.address, theirs.address) == ("192.0.2.1", "192.0.2.1")
    assert ours.opened_s <= asyncio.get_running_loop().time()


@pytest.mark.rule("B1", "B3")
async def test_a_frame_is_small_until_more_is_allowed() -> None:
    ours, theirs = pair()
    large = bytes(32 * KIB + 1)

    ours.allow(1024 * KIB)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(theirs.send([large]))
        received = await ours.receive()
    ours.allow(32 * KIB)
    with pytest.raises(LinkClosed):
        await theirs.send([large])
    with pytest.raises(LinkClosed) as refused:
        await ours.receive()

    assert received == [large]
    assert refused.value.code is CloseCode.FRAME_TOO_LARGE


@pytest.mark.rule("W6")
async def test_the_client_reads_the_largest_frames_from_the_start() -> None:
    ours, theirs = pair()
    large = bytes(1024 * KIB)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ours.send([large]))
        received = await theirs.receive()

    assert received == [large]


@pytest.mark.rule("B1")
async def test_what_waits_at_either_end_is_reported_and_what_was_taken_no_more() -> (
    None
):
    ours, theirs = pair()
    told: list[int] = []
    ours.report_held(told.append)

    await theirs.send([bytes(8 * KIB)])
    await ours.send([bytes(20 * KIB)])
    await ours.send([bytes(100)])  # too little to be told
    await theirs.receive()
    await ours.receive()

    assert told == [8 * KIB, 28 * KIB, 8 * KIB, 0]


@pytest.mark.rule("B1", "S5")
async def test_the_time_of_what_waits_to_be_taken_stands_still() -> None:
    loop = asyncio.get_running_loop()
    ours, theirs = pair()
    await ours.send([b"one"])
    written_s = ours.taken_s
    await until_later_than(written_s)
    await ours.send([b"two"])
    later_s = ours.taken_s

    await theirs.receive()

    assert later_s == written_s
    assert ours.taken_s > written_s
    assert ours.taken_s <= loop.time()


@pytest.mark.rule("B1")
async def test_nothing_is_received_while_reading_is_held() -> None:
    ours, theirs = pair()
    ours.hold_reading(on=True)
    await theirs.send([b"waits"])
    async with asyncio.TaskGroup() as tasks:
        receiving = tasks.create_task(ours.receive())
        await asyncio.sleep(0)
        was_done = receiving.done()
        ours.hold_reading(on=False)

    assert not was_done
    assert receiving.result() == [b"waits"]


@pytest.mark.rule("B1")
async def test_a_link_that_ends_is_seen_to_end_while_reading_is_held() -> None:
    ours, theirs = pair()
    ours.hold_reading(on=True)
    theirs.abort()

    with pytest.raises(LinkClosed):
        await ours.receive()


async def until_later_than(moment_s: float) -> None:
    loop = asyncio.get_running_loop()
    while loop.time() <= moment_s:  # noqa: ASYNC110  # time sets no event
        await asyncio.sleep(0)
