"""Log lines that peers can bring about, in a bounded number.

Whoever connects and is refused a thousand times a second must not fill the disk: of one
kind of line so many are written in a while, and then how many there were.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from transports.connection_names import CONNECTION_FIELD

_MOST: Final = 20
WHILE_S: Final = 10.0


class RateLimitedLog:
    """Writes to a logger, at most 20 lines of a kind in 10 seconds.

    A kind is a message without its arguments.
    """

    def __init__(
        self, logger: logging.Logger, *, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._logger = logger
        self._now_s = now_s
        self._counts: dict[str, int] = {}
        self._began_s = now_s()

    def info(
        self,
        message: str,
        *values: object,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """Write a line, unless too many of its kind were."""
        self.settle()
        count = self._counts[message] = self._counts.get(message, 0) + 1
        if count <= _MOST:
            self._logger.info(message, *values, extra=extra)

    def settle(self) -> None:
        """Tell what was left out, once the while is over.

        The next line does so too; this is for when none may come.
        """
        now_s = self._now_s()
        if now_s - self._began_s >= WHILE_S:
            self._tell_left_out(now_s - self._began_s)
            self._counts.clear()
            self._began_s = now_s

    def _tell_left_out(self, seconds: float) -> None:
        for message, count in self._counts.items():
            if count > _MOST:
                self._logger.info(
                    "%d more lines in %d s like: %s",
                    count - _MOST,
                    seconds,
                    message,
                    extra={CONNECTION_FIELD: ""},  # they are of many
                )
