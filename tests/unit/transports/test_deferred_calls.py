"""Calls that wait for each other."""

import asyncio

from transports.deferred_calls import DeferredCalls


async def test_calls_are_made_in_order_and_later() -> None:
    made: list[int] = []
    done = asyncio.Event()
    later = DeferredCalls(0.001)

    later.add(lambda: made.append(1))
    later.add(lambda: made.append(2))
    later.add(done.set)

    assert made == []
    await done.wait()
    assert made == [1, 2]


async def test_what_a_call_adds_waits_for_the_next_time() -> None:
    made: list[int] = []
    done = asyncio.Event()
    later = DeferredCalls(0.001)

    def call() -> None:
        made.append(len(made))
        if len(made) < 3:
            later.add(call)
        else:
            done.set()

    later.add(call)
    await done.wait()

    assert made == [0, 1, 2]
