"""Work that is given up when it takes too long, whatever it makes of that."""

import asyncio

import pytest

from chatsystem.clock import SystemClock


async def test_what_returns_in_time_is_returned_and_what_is_raised_is_raised() -> None:
    async def divide(by: int) -> float:
        await asyncio.sleep(0)
        return 6 / by

    clock = SystemClock()

    assert await clock.within(60, divide(2)) == 3
    with pytest.raises(ZeroDivisionError):
        await clock.within(60, divide(0))


async def test_what_takes_too_long_is_cancelled_and_not_waited_for() -> None:
    cancelled, free = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            await free.wait()
            raise ZeroDivisionError from None

    clock = SystemClock()
    with pytest.raises(TimeoutError):
        await clock.within(0.01, stubborn())
    await cancelled.wait()
    (left,) = clock._given_up
    free.set()
    await asyncio.wait([left])

    assert not clock._given_up


async def test_who_stops_waiting_has_the_work_cancelled() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    waiting = asyncio.get_running_loop().create_task(SystemClock().within(60, work()))
    await begun.wait()
    waiting.cancel()
    await asyncio.wait([waiting])
    await cancelled.wait()

    assert waiting.cancelled()
