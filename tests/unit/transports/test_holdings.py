"""The sum of what connections hold, and who has to go (B1)."""

import asyncio

import pytest

from chatcore.commands import Logout, Request
from transports.holdings import Holdings
from transports.pending import Pending

MOST = 8000


class Hog:
    """A connection that does as it is told, and notes it."""

    def __init__(self) -> None:
        self.is_held = False
        self.has_ended = False
        self.ended = asyncio.Event()

    def hold_reading(self, *, on: bool) -> None:
        """See ``transports.holdings.Holder``."""
        self.is_held = on

    def end_overloaded(self) -> None:
        """See ``transports.holdings.Holder``."""
        self.has_ended = True
        self.ended.set()


def hogs(holdings: Holdings, *held: int) -> list[Hog]:
    """Connections that hold so much, told in this order."""
    made = [Hog() for _ in held]
    for hog, held_bytes in zip(made, held, strict=True):
        holdings.update(hog, held_bytes)
    return made


@pytest.mark.rule("B1")
async def test_within_the_limit_nobody_is_stopped() -> None:
    holdings = Holdings(MOST)

    made = hogs(holdings, MOST // 2, MOST // 2)

    assert holdings.held_bytes == MOST
    assert not any(it.is_held or it.has_ended for it in made)


@pytest.mark.rule("B1")
async def test_over_it_one_that_grows_beyond_its_share_is_not_read() -> None:
    holdings = Holdings(MOST)
    small, large = hogs(holdings, 100, MOST - 100)

    holdings.update(large, MOST)

    assert large.is_held
    assert not small.is_held
    assert not large.has_ended


@pytest.mark.rule("B1")
async def test_over_it_one_within_its_share_is_read_on() -> None:
    holdings = Holdings(MOST)
    small, large = hogs(holdings, 100, MOST - 100)

    holdings.update(small, 200)

    assert not small.is_held
    assert not large.is_held


@pytest.mark.rule("B1")
async def test_when_it_falls_below_again_all_are_read() -> None:
    holdings = Holdings(MOST)
    _, large = hogs(holdings, 100, MOST - 100)
    holdings.update(large, MOST)

    holdings.update(large, MOST // 2)

    assert not large.is_held


@pytest.mark.rule("B1")
async def test_far_over_it_those_that_hold_most_are_ended_at_once() -> None:
    holdings = Holdings(MOST)
    small, middle, large = hogs(holdings, 500, 3000, 4400)

    holdings.update(middle, 4200)

    assert [it.has_ended for it in (small, middle, large)] == [False, False, True]
    assert holdings.held_bytes == 4700


@pytest.mark.rule("B1")
async def test_who_holds_most_is_ended_when_not_reading_it_did_not_help() -> None:
    holdings = Holdings(MOST)
    small, large = hogs(holdings, 100, MOST - 100)
    holdings.update(large, MOST)

    await asyncio.wait_for(large.ended.wait(), 10)

    assert not small.has_ended
    assert holdings.held_bytes == 100


@pytest.mark.rule("B1")
async def test_who_leaves_takes_along_what_it_held() -> None:
    holdings = Holdings(MOST)
    gone, _ = hogs(holdings, 3000, 1000)

    holdings.leave(gone)
    holdings.leave(gone)

    assert holdings.held_bytes == 1000


@pytest.mark.rule("B1", "W8")
def test_a_frame_counts_until_the_last_of_its_commands_is_done() -> None:
    pending = Pending()
    requests = [Request(number, Logout()) for number in range(5)]
    pending.put(requests[:3], 300)
    pending.put(requests[3:], 200)

    taken = [pending.take(2), pending.take(2), pending.take(2)]
    seen = []
    for some in taken:
        pending.finish(len(some))
        seen.append((len(pending), pending.frame_bytes))

    assert [it.id for some in taken for it in some] == [0, 1, 2, 3, 4]
    assert seen == [(3, 500), (1, 200), (0, 0)]


@pytest.mark.rule("B1")
def test_what_is_dropped_is_held_no_more_and_may_still_be_finished() -> None:
    pending = Pending()
    pending.put([Request(1, Logout()), Request(2, Logout())], 200)
    under_way = pending.take(1)

    pending.drop()
    pending.finish(len(under_way))

    assert (len(pending), pending.frame_bytes, pending.waits) == (0, 0, False)
