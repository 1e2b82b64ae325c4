"""When a client dials again, and when it gives up; nothing here waits."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chatcore.errors import ChatError, CloseCode, Closed, Outage, Refusal

_STEADY_S: Final = 1.0
_MOST_ASKED_S: Final = 3600.0
_CROWDED: Final = frozenset({CloseCode.OVERLOADED, CloseCode.TOO_MANY_CONNECTIONS})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconnectPolicy:
    """When to come back after a link was lost: exponential backoff with full jitter.

    A server that has too many peers, or too much to hold for them, is left alone for at
    least half of ``longest_delay_s``; one that says how long, for as long as it says.
    """

    first_delay_s: float = 0.05
    longest_delay_s: float = 5.0
    give_up_s: float = 60.0

    def delay_s(self, attempt: int) -> float:
        """How long to wait before the attempt of this number, from 0."""
        longest_s = min(
            self.longest_delay_s, self.first_delay_s * 2.0 ** min(attempt, 30)
        )
        return random.uniform(0.0, longest_s)  # noqa: S311  # jitter is no secret

    def crowded_delay_s(self) -> float:
        """How long to wait for a server that has too much to do."""
        return self.longest_delay_s * random.uniform(0.5, 1.0)  # noqa: S311  # as above


class Attempts:
    """What a client has tried since it last had what it wanted.

    Attributes:
        tried: how often it has dialled.
        failure: what the server last refused the session with, if it did.
    """

    def __init__(
        self, urls: Sequence[str], reconnect: ReconnectPolicy | None, now_s: float
    ) -> None:
        self._urls = list(urls)
        self._reconnect = reconnect
        self._since_s = now_s
        self._attempt = 0
        self.tried = 0
        self.failure: Refusal | None = None

    @property
    def has_tried_all(self) -> bool:
        """Whether each URL has been dialled."""
        return self.tried >= len(self._urls)

    def next_url(self) -> str:
        """Where to dial now."""
        url = self._urls[self.tried % len(self._urls)]
        self.tried += 1
        return url

    def restart(self, now_s: float) -> None:
        """Something is asked again after a time without a link."""
        self._since_s, self._attempt, self.failure = now_s, 0, None

    def was_open(self, opened_s: float, now_s: float) -> None:
        """A link is lost on which commands flowed since ``opened_s``."""
        self._since_s, self.failure = now_s, None
        # A link that is lost as soon as it is open is no reason to hurry.
        if now_s - opened_s > _STEADY_S:
            self._attempt = 0

    def wait_s(
        self, now_s: float, *, code: CloseCode, asked_s: float
    ) -> float | ChatError:
        """How long to wait before the next attempt, or why there is none.

        ``code`` is what the link ended with, and ``asked_s`` how long the server has
        asked for.
        """
        if self._reconnect is None:
            return 0.0
        give_up_s = self._since_s + self._reconnect.give_up_s
        attempt, self._attempt = self._attempt, self._attempt + 1
        wait_s = asked_s
        if code in _CROWDED:
            wait_s = max(wait_s, self._reconnect.crowded_delay_s())
        elif self.tried % len(self._urls) == 0 or attempt > 0:
            wait_s = max(wait_s, self._reconnect.delay_s(attempt))
        if now_s > give_up_s or now_s + asked_s > give_up_s:
            return self.failure or Closed(CloseCode.LINK_LOST)
        return wait_s


def retry_after_s(refusal: Refusal) -> float:
    """How long a server asks to be left alone; 0 where it does not say, or no number.

    Never longer than an hour.
    """
    if not isinstance(refusal, Outage):
        return 0.0
    try:
        asked_s = refusal.retry_after_ms / 1000
    except (ValueError, OverflowError):
        return 0.0
    return min(max(asked_s, 0.0), _MOST_ASKED_S)
