"""A context in a task of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from transports.context_task import ContextTask


@asynccontextmanager
async def noting(notes: list[object], *, fails: str = "") -> AsyncIterator[str]:
    """Note in which task it is entered and left."""
    notes.append(asyncio.current_task())
    if fails == "entering":
        raise ValueError(fails)
    yield "entered"
    notes.append(asyncio.current_task())
    if fails == "leaving":
        raise ValueError(fails)


async def test_it_is_entered_and_left_by_one_task_which_is_nobody_elses() -> None:
    notes: list[object] = []
    held = ContextTask(noting(notes))

    entered = await held.open()
    await held.close()

    assert entered == "entered"
    assert notes[0] is notes[1]
    assert notes[0] is not asyncio.current_task()


async def test_what_entering_raises_is_raised_to_who_opens_it() -> None:
    held = ContextTask(noting([], fails="entering"))

    with pytest.raises(ValueError, match="entering"):
        await held.open()
    await held.close()


async def test_what_leaving_raises_is_raised_to_who_closes_it() -> None:
    held = ContextTask(noting([], fails="leaving"))
    await held.open()

    with pytest.raises(ValueError, match="leaving"):
        await held.close()


async def test_who_gives_up_opening_it_can_still_close_it() -> None:
    notes: list[object] = []
    held = ContextTask(noting(notes))
    opening = asyncio.get_running_loop().create_task(held.open())
    await asyncio.sleep(0)
    opening.cancel()

    with pytest.raises(asyncio.CancelledError):
        await opening
    await held.close()

    assert len(notes) == 2


async def test_the_error_that_it_is_left_with_is_met_inside_and_not_raised_again() -> (
    None
):
    met: list[BaseException] = []

    @asynccontextmanager
    async def keeping() -> AsyncIterator[None]:
        try:
            yield
        except ZeroDivisionError as error:
            met.append(error)
            raise

    held = ContextTask(keeping())
    await held.open()
    left_with = ZeroDivisionError()

    await held.close(error=left_with)

    assert met == [left_with]
