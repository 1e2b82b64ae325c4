"""Stopping a chat before its ASGI server ends the connections.

That is told of the end only when it is too late: uvicorn ends WebSockets with a code of
its own (1012) before it says that the application's life is over. What can be heard of
earlier are the signals that it is ended by.
"""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, TypeAlias

_log = logging.getLogger(__name__)

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_PATIENCE_S: Final = 10.0
"""How long the server's own handler waits for the chat to be stopped."""

_Handler: TypeAlias = Callable[[int, FrameType | None], Any]


@contextmanager
def stopping_first(stop: Callable[[], Coroutine[object, None, None]]) -> Iterator[None]:
    """While the block runs, stop the chat at a signal that ends the process, and only
    then call the handler that was there for it; at the next one, call that at once.

    A signal without a handler of Python's keeps what it does, and so do all of them
    where this is not the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    interceptor = _Interceptor(stop)
    interceptor.install()
    try:
        yield
    finally:
        interceptor.remove()


class _Interceptor:
    """Stands before the handlers of signals."""

    def __init__(self, stop: Callable[[], Coroutine[object, None, None]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = stop
        self._before: dict[int, _Handler] = {}
        self._waiting: list[int] = []
        self._stopping: asyncio.Task[None] | None = None

    def install(self) -> None:
        """Stand before those that are there."""
        for number in _SIGNALS:
            before = signal.getsignal(number)
            if callable(before) and before is not signal.default_int_handler:
                self._before[number] = before
                signal.signal(number, self._handle)

    def remove(self) -> None:
        """Put back what was there, unless somebody has come after."""
        for number, before in self._before.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, before)
        self._pass_on()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        """See ``signal.signal``: it may interrupt anything."""
        if self._waiting or self._loop.is_closed():
            self._before[number](number, frame)
            return
        self._waiting.append(number)
        self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        self._stopping = self._loop.create_task(self._stop())
        self._stopping.add_done_callback(self._stopped)
        self._loop.call_later(_PATIENCE_S, self._pass_on)

    def _stopped(self, stopping: "asyncio.Task[None]") -> None:
        if not stopping.cancelled() and (error := stopping.exception()) is not None:
            _log.error("The chat could not be stopped", exc_info=error)
        self._pass_on()

    def _pass_on(self) -> None:
        """Have the server know of the signal, once."""
        waiting, self._waiting = self._waiting, []
        for number in waiting:
            self._before[number](number, None)
