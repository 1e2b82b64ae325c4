"""The sum of what connections hold, and who has to go (B1)."""

import asyncio

import pytest

from chatcore.commands import Logout, Request
from transports.command_queue import CommandQueue
from transports.memory_budget import MemoryBudget

MOST = 8000


class Hog:
    """A connection that does as it is told, and notes it."""

    def __init__(self) -> None:
        self.is_held = False
        self.has_ended = False
        self.ended = asyncio.Event()

    def hold_reading(self, *, on: bool) -> None:
        """See ``transports.memory_budget.Holder``."""
        self.is_held = on

    def end_overloaded(self) -> None:
        """See ``transports.memory_budget.Holder``."""
        self.has_ended = True
        self.ended.set()


def hogs(memory_budget: MemoryBudget, *held: int) -> list[Hog]:
    """Connections that hold so much, told in this order."""
    made = [Hog() for _ in held]
    for hog, held_bytes in zip(made, held, strict=True):
        memory_budget.update(hog, held_bytes)
    return made


@pytest.mark.rule("B1")
async def test_within_the_limit_nobody_is_stopped() -> None:
    memory_budget = MemoryBudget(MOST)

    made = hogs(memory_budget, MOST // 2, MOST // 2)

    assert memory_budget.held_bytes == MOST
    assert not any(it.is_held or it.has_ended for it in made)


@pytest.mark.rule("B1")
async def test_over_it_one_that_grows_beyond_its_share_is_not_read() -> None:
    memory_budget = MemoryBudget(MOST)
    small, large = hogs(memory_budget, 100, MOST - 100)

    memory_budget.update(large, MOST)

    assert large.is_held
    assert not small.is_held
    assert not large.has_ended


@pytest.mark.rule("B1")
async def test_over_it_one_within_its_share_is_read_on() -> None:
    memory_budget = MemoryBudget(MOST)
    small, large = hogs(memory_budget, 100, MOST - 100)

    memory_budget.update(small, 200)

    assert not small.is_held
    assert not large.is_held


@pytest.mark.rule("B1")
async def test_when_it_falls_below_again_all_are_read() -> None:
    memory_budget = MemoryBudget(MOST)
    _, large = hogs(memory_budget, 100, MOST - 100)
    memory_budget.update(large, MOST)

    memory_budget.update(large, MOST // 2)

    assert not large.is_held


@pytest.mark.rule("B1")
async def test_far_over_it_those_that_hold_most_are_ended_at_once() -> None:
    memory_budget = MemoryBudget(MOST)
    small, middle, large = hogs(memory_budget, 500, 3000, 4400)

    memory_budget.update(middle, 4200)

    assert [it.has_ended for it in (small, middle, large)] == [False, False, True]
    assert memory_budget.held_bytes == 4700


@pytest.mark.rule("B1")
async def test_who_holds_most_is_ended_when_not_reading_it_did_not_help() -> None:
    memory_budget = MemoryBudget(MOST)
    small, large = hogs(memory_budget, 100, MOST - 100)
    memory_budget.update(large, MOST)

    await asyncio.wait_for(large.ended.wait(), 10)

    assert not small.has_ended
    assert memory_budget.held_bytes == 100


@pytest.mark.rule("B1")
async def test_who_leaves_takes_along_what_it_held() -> None:
    memory_budget = MemoryBudget(MOST)
    gone, _ = hogs(memory_budget, 3000, 1000)

    memory_budget.leave(gone)
    memory_budget.leave(gone)

    assert memory_budget.held_bytes == 1000


@pytest.mark.rule("B1", "W8")
def test_a_frame_counts_until_the_last_of_its_commands_is_done() -> None:
    pending = CommandQueue()
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
    pending = CommandQueue()
    pending.put([Request(1, Logout()), Request(2, Logout())], 200)
    under_way = pending.take(1)

    pending.drop()
    pending.finish(len(under_way))

    assert (len(pending), pending.frame_bytes, pending.waits) == (0, 0, False)
