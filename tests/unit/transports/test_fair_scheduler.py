"""Letting those who come all at once in by turns (B2)."""

import asyncio
from functools import partial
from itertools import pairwise

import pytest

from transports.fair_scheduler import PARTS_AT_ONCE, FairScheduler, LinkShare


async def entries(scheduler: FairScheduler, count: int) -> list[int]:
    """How many had entered after each turn of the loop, until all have."""
    entered: list[int] = []

    async def enter(number: int) -> None:
        await scheduler.enter()
        entered.append(number)

    seen: list[int] = []
    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            tasks.create_task(enter(number))
        while len(entered) < count:
            await asyncio.sleep(0)
            seen.append(len(entered))
    assert entered == sorted(entered)
    return seen


@pytest.mark.rule("B2")
async def test_of_many_who_come_at_once_a_few_enter_in_a_turn_in_their_order() -> None:
    seen = await entries(FairScheduler(), 20)

    steps = [after - before for before, after in zip([0, *seen], seen, strict=False)]
    assert max(steps) <= 2
    assert seen[-1] == 20


@pytest.mark.rule("B2")
async def test_who_comes_alone_does_not_wait() -> None:
    scheduler = FairScheduler()

    seen = [await entries(scheduler, 1) for _ in range(3)]

    assert seen == [[1], [1], [1]]


@pytest.mark.rule("B2")
async def test_who_gives_up_waiting_holds_up_nobody() -> None:
    scheduler = FairScheduler()
    waiting = [asyncio.ensure_future(scheduler.enter()) for _ in range(6)]  # noqa: TID251  # each is awaited below
    await asyncio.sleep(0)

    waiting[3].cancel()
    done, _ = await asyncio.wait(waiting, timeout=10)

    assert [it.cancelled() for it in waiting] == [it is waiting[3] for it in waiting]
    assert len(done) == 6


# ---- who has much done


async def spend(share: LinkShare, units: int, *, most: int) -> None:
    if not share.allows(units, most):
        await share.enter()


async def turns_until_done(shares: list[LinkShare], units: int) -> list[int]:
    """How many turns of the loop each of these waited to have so much done."""
    waited = [0] * len(shares)
    turn = 0
    done = 0

    async def wait(number: int, share: LinkShare) -> None:
        nonlocal done
        began = turn
        await spend(share, units, most=10)
        waited[number] = turn - began
        done += 1

    async with asyncio.TaskGroup() as tasks:
        for number, share in enumerate(shares):
            tasks.create_task(wait(number, share))
        while done < len(shares):
            await asyncio.sleep(0)
            turn += 1
    return waited


@pytest.mark.rule("B2")
async def test_of_links_that_have_much_done_one_goes_on_in_a_turn() -> None:
    scheduler = FairScheduler(at_once=1)

    waited = await turns_until_done([LinkShare(scheduler) for _ in range(8)], units=11)

    assert len(set(waited)) == 8


@pytest.mark.rule("B2")
async def test_links_that_have_little_done_wait_for_nobody() -> None:
    scheduler = FairScheduler(at_once=1)
    shares = [LinkShare(scheduler) for _ in "12345"]
    busy = [asyncio.ensure_future(spend(it, 11, most=10)) for it in shares]  # noqa: TID251  # awaited below

    waited = await turns_until_done([LinkShare(scheduler) for _ in range(8)], units=10)
    await asyncio.wait(busy, timeout=10)

    assert waited == [0] * 8


@pytest.mark.rule("B2")
async def test_what_a_link_had_done_of_late_counts() -> None:
    scheduler = FairScheduler(at_once=1)
    share = LinkShare(scheduler)
    share.allows(10, most=10)
    shares = [LinkShare(scheduler) for _ in "12345"]
    busy = [asyncio.ensure_future(spend(it, 11, most=10)) for it in shares]  # noqa: TID251  # awaited below
    await asyncio.sleep(0)

    waited = await turns_until_done([share, LinkShare(scheduler)], units=1)
    await asyncio.wait(busy, timeout=10)

    assert waited[0] > waited[1] == 0


# ---- parts of large frames


async def test_of_parts_of_large_frames_a_few_are_read_in_a_turn() -> None:
    intake = FairScheduler(at_once=PARTS_AT_ONCE)
    told: list[int] = []

    admitted = [intake.admits(partial(told.append, number)) for number in range(100)]
    seen = []
    for _ in range(4):
        await asyncio.sleep(0)
        seen.append(len(told))

    most = admitted.count(True)
    assert admitted == [True] * most + [False] * (100 - most)
    assert told == list(range(most, 100))
    assert max(after - before for before, after in pairwise([0, *seen])) <= most


async def test_a_part_that_comes_alone_is_read_on() -> None:
    intake = FairScheduler(at_once=PARTS_AT_ONCE)

    admitted = []
    for _ in range(100):
        admitted.append(intake.admits(lambda: None))
        await asyncio.sleep(0)

    assert all(admitted)
