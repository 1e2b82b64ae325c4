"""Two ends of a link in one process: their limits, and what they tell (B1, B3)."""

import asyncio
from collections.abc import Sequence

import pytest

from chatcore.errors import CloseCode
from transports.base import LinkSettings
from transports.errors import LinkClosed
from transports.memory_pipe import MemoryPipe

KIB = 1024
SETTINGS = LinkSettings(frame_bytes=32 * KIB, later_frame_bytes=1024 * KIB)


class Collector:
    """Takes what arrives at one end of a link."""

    def __init__(self, link: MemoryPipe) -> None:
        self.frames: list[bytes] = []
        self.end: LinkClosed | None = None
        link.start(self)

    def frames_received(self, frames: Sequence[bytes]) -> None:
        self.frames += frames

    def reading_ended(self, end: LinkClosed) -> None:
        self.end = end

    def resume_writing(self) -> None:
        pass


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

    taken = Collector(ours)
    ours.allow(1024 * KIB)
    theirs.write([large])
    await asyncio.sleep(0)
    ours.allow(32 * KIB)
    theirs.write([large])
    await asyncio.sleep(0)

    assert taken.frames == [large]
    assert taken.end is not None
    assert taken.end.code is CloseCode.FRAME_TOO_LARGE


@pytest.mark.rule("W6")
async def test_the_client_reads_the_largest_frames_from_the_start() -> None:
    ours, theirs = pair()
    taken = Collector(theirs)
    large = bytes(1024 * KIB)

    ours.write([large])
    await asyncio.sleep(0)

    assert taken.frames == [large]


@pytest.mark.rule("B1")
async def test_what_waits_at_either_end_is_reported_and_what_was_taken_no_more() -> (
    None
):
    ours, theirs = pair()
    told: list[int] = []
    ours.report_held(told.append)

    theirs.write([bytes(8 * KIB)])
    ours.write([bytes(20 * KIB)])
    ours.write([bytes(100)])  # too little to be told
    Collector(theirs)
    await asyncio.sleep(0)
    Collector(ours)
    await asyncio.sleep(0)

    assert told == [8 * KIB, 28 * KIB, 8 * KIB, 0]


@pytest.mark.rule("B1", "W8")
async def test_a_link_is_clogged_until_the_other_end_takes_what_was_written() -> None:
    ours, theirs = pair()

    ours.write([bytes(64 * KIB)])
    was_clogged = ours.is_clogged
    ours.write([b"more"])
    is_clogged = ours.is_clogged
    Collector(theirs)
    await asyncio.sleep(0)

    assert (was_clogged, is_clogged, ours.is_clogged) == (False, True, False)


@pytest.mark.rule("B1", "S5")
async def test_the_time_of_what_waits_to_be_taken_stands_still() -> None:
    loop = asyncio.get_running_loop()
    ours, theirs = pair()
    ours.write([b"one"])
    written_s = ours.taken_s
    await until_later_than(written_s)
    ours.write([b"two"])
    later_s = ours.taken_s

    Collector(theirs)
    await asyncio.sleep(0)

    assert later_s == written_s
    assert ours.taken_s > written_s
    assert ours.taken_s <= loop.time()


@pytest.mark.rule("B1")
async def test_nothing_is_handed_over_while_reading_is_held() -> None:
    ours, theirs = pair()
    taken = Collector(ours)
    ours.hold_reading(on=True)
    theirs.write([b"waits"])
    await asyncio.sleep(0)
    before = list(taken.frames)

    ours.hold_reading(on=False)
    await asyncio.sleep(0)

    assert before == []
    assert taken.frames == [b"waits"]


@pytest.mark.rule("B1")
async def test_a_link_that_ends_is_seen_to_end_while_reading_is_held() -> None:
    ours, theirs = pair()
    taken = Collector(ours)
    ours.hold_reading(on=True)

    theirs.abort()
    await asyncio.sleep(0)

    assert taken.end is not None


async def until_later_than(moment_s: float) -> None:
    loop = asyncio.get_running_loop()
    while loop.time() <= moment_s:  # noqa: ASYNC110  # time sets no event
        await asyncio.sleep(0)
