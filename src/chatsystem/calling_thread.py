"""A thread for functions of an application that may take long, or never return.

Not one of the event loop's own: those are waited for at the end, for as long as they
take.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple


class _Call(NamedTuple):
    function: Callable[[], object]
    answer: "asyncio.Future[object]"


class CallingThread:
    """Calls functions one after the other; there is a thread from the first on."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: SimpleQueue[_Call | None] | None = None

    async def call(self, function: Callable[[], object]) -> object:
        """What it returns or raises; who is cancelled does not end it."""
        if self._calls is None:
            self._calls = SimpleQueue()
            Thread(
                target=_run, args=(self._calls,), name=self._name, daemon=True
            ).start()
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._calls.put(_Call(function, answer))
        return await answer

    def stop(self) -> None:
        """Let the thread end once it is idle; the next call begins another."""
        if self._calls is not None:
            self._calls.put(None)
            self._calls = None


def _run(calls: "SimpleQueue[_Call | None]") -> None:
    while (call := calls.get()) is not None:
        loop = call.answer.get_loop()
        result: object = None
        failure: BaseException | None = None
        try:
            result = call.function()
        except BaseException as error:  # noqa: BLE001  # whoever waits gets it
            failure = error
        with suppress(RuntimeError):  # the event loop is closed
            loop.call_soon_threadsafe(_settle, call.answer, result, failure)


def _settle(
    answer: "asyncio.Future[object]", result: object, failure: BaseException | None
) -> None:
    if answer.done():  # cancelled
        return
    if failure is None:
        answer.set_result(result)
    elif isinstance(failure, StopIteration):  # no future takes it
        answer.set_exception(RuntimeError("it raised StopIteration"))
    else:
        answer.set_exception(failure)
