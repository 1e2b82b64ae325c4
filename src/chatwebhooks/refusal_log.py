"""Log lines about a target that does not take webhooks: a few, however many come."""

import logging
from typing import Final

from chatcore.ports import Clock
from chatwebhooks.targets import told_target

_log = logging.getLogger(__name__)

EVERY_S: Final = 60.0


class RefusalLog:
    """What is logged of one target, at most once in a while."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._told = told_target(url)
        self._clock = clock
        self._refused = self._given_up = 0
        self._next_at_s = clock.monotonic_s()

    def tell(self, reason: str, *, is_given_up: bool) -> None:
        """Take note of an attempt that was not taken."""
        self._refused += 1
        self._given_up += is_given_up
        now_s = self._clock.monotonic_s()
        if now_s < self._next_at_s:
            return
        self._next_at_s = now_s + EVERY_S
        _log.warning(
            "%s does not take webhooks: %s (attempts: %d; given up, and kept as "
            "failed: %d)",
            self._told,
            reason,
            self._refused,
            self._given_up,
        )
        self._refused = self._given_up = 0

    def tell_over(self) -> None:
        """It takes them again, after a while in which it took none."""
        _log.info("%s takes webhooks again", self._told)
