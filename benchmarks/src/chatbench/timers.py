"""A timer for an event loop that is not rounded to milliseconds.

The loops' own timers end with ``epoll_wait``, whose timeout is whole milliseconds,
rounded up: longer than most latencies measured here. Linux gives a timer as a file
descriptor (``timerfd_create(2)``), which wakes any loop within some microseconds.
Python has it from 3.13 on, so it is called here by ctypes.
"""

import asyncio
import ctypes
import os
from collections.abc import Callable
from typing import Final

from chatbench.cpu import CannotMeasure

_CLOCK_MONOTONIC: Final = 1
_ABSOLUTE: Final = 1
_NS: Final = 1_000_000_000
_TICKS_BYTES: Final = 8


class PreciseTimer:
    """Calls back at times of ``time.monotonic_ns``; ``close`` it in the end."""

    def __init__(self, on_due: Callable[[], None]) -> None:
        self._on_due = on_due
        self._library = ctypes.CDLL(None, use_errno=True)
        try:
            create = self._library.timerfd_create
        except AttributeError as error:
            raise CannotMeasure("An exact timer needs Linux.") from error
        self._fd = int(create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC))
        if self._fd < 0:
            raise CannotMeasure(f"No timer: {os.strerror(ctypes.get_errno())}.")
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._wake)

    def at(self, due_ns: int) -> None:
        """Call back once; a time that has passed is due now."""
        self.every(0, first_ns=due_ns)

    def every(self, interval_ns: int, *, first_ns: int) -> None:
        """Call back from ``first_ns`` on; what was missed is one call."""
        # struct itimerspec: seconds and nanoseconds, twice.
        times = (*divmod(interval_ns, _NS), *divmod(max(first_ns, 1), _NS))
        setting = (ctypes.c_long * 4)(*times)
        self._library.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(setting), None)

    def close(self) -> None:
        """Call back no more."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _wake(self) -> None:
        try:
            os.read(self._fd, _TICKS_BYTES)
        except BlockingIOError:
            return  # it was set anew between waking and reading
        self._on_due()
