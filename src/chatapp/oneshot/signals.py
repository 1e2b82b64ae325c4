"""SIGINT and SIGTERM: the first one lets the command log out, a second ends it.

Before there is a session to leave, one ends the process at once, as it does any other.
"""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from chatapp.errors import Interrupted

_NUMBERS: Final = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """Turns the first signal into ``Interrupted``, in the block that allows it."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._taken: list[signal.Signals] = []
        self._task: asyncio.Task[object] | None = None

    def listen(self) -> None:
        """Take the first signal from now on; later ones do what they always do.

        One that is ignored, as SIGINT is in a shell's background, stays so.
        """
        loop = asyncio.get_running_loop()
        for number in _NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                with suppress(NotImplementedError):  # Windows has no such handlers
                    loop.add_signal_handler(number, self._take, number)
                    self._taken.append(number)

    def close(self) -> None:
        """Take no more."""
        loop = asyncio.get_running_loop()
        for number in self._taken:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        self._taken = []

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """A block that a signal ends.

        Raises:
            Interrupted: by a signal.
        """
        task = self._task = asyncio.current_task()
        try:
            yield
        except asyncio.CancelledError:
            if self._number is None or task is None:
                raise
            task.uncancel()  # or the logout would be cancelled too
            raise Interrupted(self._number) from None
        finally:
            self._task = None

    def _take(self, number: int) -> None:
        self.close()
        self._number = number
        if self._task is not None:
            self._task.cancel()


@contextmanager
def ending_at_once() -> Iterator[None]:
    """A block in which Ctrl-C ends the process, until somebody listens.

    Python's own way is an exception in the middle of whatever runs.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
