"""Letting those who come all at once in by turns (B2)."""

import asyncio

import pytest

from transports.turnstile import Turnstile


async def entries(turnstile: Turnstile, count: int) -> list[int]:
    """How many had entered after each turn of the loop, until all have."""
    entered: list[int] = []

    async def enter(number: int) -> None:
        await turnstile.enter()
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
    seen = await entries(Turnstile(), 20)

    steps = [after - before for before, after in zip([0, *seen], seen, strict=False)]
    assert max(steps) <= 2
    assert seen[-1] == 20


@pytest.mark.rule("B2")
async def test_who_comes_alone_does_not_wait() -> None:
    turnstile = Turnstile()

    seen = [await entries(turnstile, 1) for _ in range(3)]

    assert seen == [[1], [1], [1]]


@pytest.mark.rule("B2")
async def test_who_gives_up_waiting_holds_up_nobody() -> None:
    turnstile = Turnstile()
    waiting = [asyncio.ensure_future(turnstile.enter()) for _ in range(6)]  # noqa: TID251  # each is awaited below
    await asyncio.sleep(0)

    waiting[3].cancel()
    done, _ = await asyncio.wait(waiting, timeout=10)

    assert [it.cancelled() for it in waiting] == [it is waiting[3] for it in waiting]
    assert len(done) == 6
