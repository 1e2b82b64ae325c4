"""What a server does on SIGHUP: it reads and opens again what has changed on disk."""

import asyncio
import logging
import signal
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Hangups:
    """Calls on SIGHUP what was added, in that order; a fault in one stops no other."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []

    def add(self, callback: Callable[[], None]) -> None:
        """Have it called on each SIGHUP."""
        self._callbacks.append(callback)

    def listen(self) -> None:
        """Take SIGHUP from now on; it would else end the process. Windows has none."""
        if hasattr(signal, "SIGHUP"):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._call)

    def _call(self) -> None:
        _log.info("SIGHUP: files are opened again")
        for callback in self._callbacks:
            try:
                callback()
            except Exception:  # noqa: BLE001  # see the class
                _log.exception("Something of that failed")
