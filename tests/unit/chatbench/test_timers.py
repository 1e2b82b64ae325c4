"""A timer that is exact, on whichever loop."""

import asyncio
import time

from chatbench.timers import PreciseTimer


async def test_it_calls_back_at_its_time_and_not_before() -> None:
    fired: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    timer = PreciseTimer(lambda: fired.set_result(time.monotonic_ns()))
    due_ns = time.monotonic_ns() + 3_000_000

    timer.at(due_ns)
    at_ns = await asyncio.wait_for(fired, 5)

    assert at_ns >= due_ns
    timer.close()


async def test_it_calls_back_again_and_again_until_it_is_closed() -> None:
    times_ns: list[int] = []
    enough = asyncio.Event()

    def note() -> None:
        times_ns.append(time.monotonic_ns())
        if len(times_ns) == 5:
            timer.close()
            enough.set()

    timer = PreciseTimer(note)
    first_ns = time.monotonic_ns() + 1_000_000
    timer.every(500_000, first_ns=first_ns)
    await asyncio.wait_for(enough.wait(), 5)

    assert all(
        at_ns >= first_ns + number * 500_000 for number, at_ns in enumerate(times_ns)
    )


async def test_a_time_that_has_passed_is_due_now() -> None:
    fired = asyncio.Event()
    timer = PreciseTimer(fired.set)

    timer.at(time.monotonic_ns() - 1_000_000)

    await asyncio.wait_for(fired.wait(), 5)
    timer.close()
