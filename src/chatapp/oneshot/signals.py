"""SIGINT and SIGTERM: the first one lets the command log out, a second ends it."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from chatapp.faults import Interrupted

_NUMBERS: Final = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """Turns the first signal into ``Interrupted``, in the blocks that allow it."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._task: asyncio.Task[object] | None = None
        self._cancelled = False

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """A block that a signal ends; one that has come before ends it at once.

        Raises:
            Interrupted: by a signal.
        """
        self._raise_if_one_came()
        task = self._task = asyncio.current_task()
        try:
            yield
        except asyncio.CancelledError:
            if self._cancelled and task is not None:
                task.uncancel()  # or the logout would be cancelled too
            self._raise_if_one_came()
            raise
        finally:
            self._task = None

    def _raise_if_one_came(self) -> None:
        if self._number is not None:
            raise Interrupted(self._number) from None

    def take(self, number: int) -> None:
        """A signal came."""
        self._number = number
        if self._task is not None:
            self._cancelled = self._task.cancel()


@contextmanager
def listening() -> Iterator[Signals]:
    """Take signals while the block runs; after the first, they do what they always do.

    One that is ignored, as SIGINT is in a shell's background, stays so.
    """
    loop = asyncio.get_running_loop()
    signals = Signals()
    numbers = [it for it in _NUMBERS if signal.getsignal(it) is not signal.SIG_IGN]

    def take(number: int) -> None:
        for it in numbers:
            loop.remove_signal_handler(it)
            signal.signal(it, signal.SIG_DFL)
        signals.take(number)

    try:
        for number in numbers:
            loop.add_signal_handler(number, take, number)
    except NotImplementedError:  # on Windows Ctrl-C raises KeyboardInterrupt
        pass
    try:
        yield signals
    finally:
        for number in numbers:
            _stop_taking(loop, number)


def _stop_taking(loop: asyncio.AbstractEventLoop, number: int) -> None:
    try:
        loop.remove_signal_handler(number)
    except NotImplementedError:
        return
