"""A clock that stands still until it is advanced."""

import asyncio

from chatsystem.clock import SystemClock
from chattesting import ManualClock


def test_it_begins_now_and_stands_still() -> None:
    real = SystemClock()
    before = real.now_ms()
    clock = ManualClock()
    after = real.now_ms()

    while real.now_ms() == after:
        pass  # a millisecond

    assert before <= clock.now_ms() <= after


def test_times_add_up() -> None:
    clock = ManualClock(now_ms=1_000)

    for _ in range(10):
        clock.advance(0.1)

    assert (clock.now_ms(), clock.monotonic_s()) == (2_000, 1.0)


async def test_a_latch_opens_for_all_who_wait() -> None:
    latch = ManualClock().latch()
    waiting = asyncio.gather(latch.wait(1), latch.wait(0.5))
    await asyncio.sleep(0)

    latch.open()

    assert list(await waiting) == [True, True]
    assert await latch.wait(0)


async def test_who_waits_is_told_that_the_time_is_over_and_nobody_before() -> None:
    clock = ManualClock()
    latch = clock.latch()
    short = asyncio.get_running_loop().create_task(latch.wait(1))
    long = asyncio.get_running_loop().create_task(latch.wait(2))
    await asyncio.sleep(0)

    clock.advance(0.999)
    await asyncio.sleep(0)
    before = short.done()
    clock.advance(0.001)

    assert (before, await short, long.done()) == (False, False, False)
    latch.open()
    assert await long
