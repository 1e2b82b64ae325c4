"""Handlers of an application: in order, in bounded memory, and without harm."""

import asyncio
import logging
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from chatcore.ids import AccountId, Position, Username
from chatcore.message_events import MailWaiting, MessageEvent, MessageStored
from chatsystem import handlers as handlers_module
from chatsystem.handlers import EVENT_BYTES, Handlers

PATIENCE_S = 20.0


def waiting(number: int) -> MailWaiting:
    """An event that takes ``EVENT_BYTES``."""
    return MailWaiting(Username("bob"), AccountId(2), Position(number))


def stored(body: str) -> MessageStored:
    """A message with a body."""
    return MessageStored(
        Username("ada"),
        AccountId(1),
        Username("bob"),
        AccountId(2),
        Position(1),
        body,
        0,
    )


@asynccontextmanager
async def running(handlers: Handlers) -> AsyncIterator[None]:
    """Have them run while the block does, as a server has."""
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(handlers.run())
        await asyncio.sleep(0)
        try:
            yield
        finally:
            task.cancel()


class Calls:
    """A handler that notes what it is told, and returns when the test lets it."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.batches: list[list[MessageEvent]] = []
        self.gate = asyncio.Event()
        self.called = asyncio.Event()
        if is_open:
            self.gate.set()

    async def take(self, events: Sequence[MessageEvent]) -> None:
        self.batches.append(list(events))
        self.called.set()
        await self.gate.wait()


async def test_what_waits_while_one_is_called_is_told_together_and_in_order() -> None:
    calls = Calls(is_open=False)
    handlers = Handlers(waiting=calls.take, stored=calls.take)
    async with running(handlers):
        handlers.tell([waiting(1)])
        await calls.called.wait()
        handlers.tell([waiting(2)])
        handlers.tell([waiting(3), waiting(4)])
        handlers.tell([stored("one")])
        handlers.tell([waiting(5)])

        calls.gate.set()
        await handlers.finish()

    assert calls.batches == [
        [waiting(1)],
        [waiting(2), waiting(3), waiting(4)],
        [stored("one")],
        [waiting(5)],
    ]


async def test_a_plain_function_runs_beside_the_event_loop() -> None:
    let_go = threading.Event()
    threads: list[str] = []

    def slow(_: Sequence[MailWaiting]) -> None:
        threads.append(threading.current_thread().name)
        let_go.wait(PATIENCE_S)

    handlers = Handlers(waiting=slow)
    async with running(handlers):
        handlers.tell([waiting(1)])
        await asyncio.sleep(0)

        # The loop goes on, or this would never be.
        let_go.set()
        await handlers.finish()

    assert threads == ["chatcore-handlers"]


async def test_an_object_whose_call_is_async_is_awaited() -> None:
    class Push:
        def __init__(self) -> None:
            self.told: list[MailWaiting] = []

        async def __call__(self, events: Sequence[MailWaiting]) -> None:
            await asyncio.sleep(0)
            self.told.extend(events)

    push = Push()
    handlers = Handlers(waiting=push)
    async with running(handlers):
        handlers.tell([waiting(1)])
        await handlers.finish()

    assert push.told == [waiting(1)]


@pytest.mark.parametrize(
    "error",
    [ZeroDivisionError(), SystemExit(), asyncio.CancelledError(), StopIteration()],
    ids=lambda it: type(it).__name__,
)
@pytest.mark.parametrize("is_async", [True, False], ids=["async", "plain"])
async def test_one_that_raises_is_logged_and_told_of_the_next(
    error: BaseException, caplog: pytest.LogCaptureFixture, *, is_async: bool
) -> None:
    told: list[MailWaiting] = []

    def take(events: Sequence[MailWaiting]) -> None:
        told.extend(events)
        if len(told) == 1:
            raise error

    async def take_async(events: Sequence[MailWaiting]) -> None:
        take(events)

    handlers = Handlers(waiting=take_async if is_async else take)
    async with running(handlers):
        handlers.tell([waiting(1)])
        await handlers.finish()
        handlers.tell([waiting(2)])
        await handlers.finish()

    assert told == [waiting(1), waiting(2)]
    name = (take_async if is_async else take).__qualname__
    assert [it.getMessage() for it in caplog.records] == [f"The handler {name} failed"]


async def test_one_that_always_fails_is_logged_now_and_then(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(_: Sequence[MailWaiting]) -> None:
        raise ZeroDivisionError

    handlers = Handlers(waiting=fail)
    async with running(handlers):
        for number in range(20):
            handlers.tell([waiting(number)])
            await handlers.finish()

    assert len(caplog.records) == 1


async def test_what_does_not_fit_is_dropped_counted_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = Calls(is_open=False)
    handlers = Handlers(waiting=calls.take, held_bytes=3 * EVENT_BYTES)
    async with running(handlers):
        handlers.tell([waiting(1)])
        await calls.called.wait()
        for number in range(2, 10):
            handlers.tell([waiting(number)])

        calls.gate.set()
        await handlers.finish()
        handlers.tell([waiting(10)])
        await handlers.finish()

    told = [it for batch in calls.batches for it in batch]
    assert told == [waiting(1), waiting(2), waiting(3), waiting(4), waiting(10)]
    assert handlers.dropped == 5
    assert [it.getMessage() for it in caplog.records] == [
        "Handlers are too slow: what they cannot take is dropped",
        "Handlers have caught up: 5 events dropped",
    ]


async def test_bodies_count_for_what_they_take() -> None:
    body = "x" * 10_000
    room = 2 * (EVENT_BYTES + sys.getsizeof(body))
    handlers = Handlers(stored=Calls().take, held_bytes=room)

    for _ in range(3):
        handlers.tell([stored(body)])

    assert handlers.dropped == 1


async def test_a_batch_larger_than_all_room_is_told_when_nothing_waits() -> None:
    calls = Calls()
    handlers = Handlers(waiting=calls.take, held_bytes=1)
    async with running(handlers):
        handlers.tell([waiting(1), waiting(2)])
        await handlers.finish()

    assert (calls.batches, handlers.dropped) == ([[waiting(1), waiting(2)]], 0)


async def test_the_end_does_not_wait_for_one_that_never_returns(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(handlers_module, "FINISH_S", 0.01)
    never = threading.Event()
    handlers = Handlers(waiting=lambda _: never.wait())
    async with running(handlers):
        handlers.tell([waiting(1)])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        handlers.tell([waiting(2), waiting(3)])

        await handlers.finish()

    never.set()
    assert handlers.dropped == 2
    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    assert line.getMessage() == "Handlers did not come to 2 events before the end"


def test_the_same_handlers_serve_one_event_loop_after_another() -> None:
    told: list[MailWaiting] = []
    handlers = Handlers(waiting=told.extend)

    async def serve(number: int) -> None:
        async with running(handlers):
            handlers.tell([waiting(number)])
            await handlers.finish()

    asyncio.run(serve(1))
    asyncio.run(serve(2))

    assert told == [waiting(1), waiting(2)]
