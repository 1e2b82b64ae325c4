"""When a client dials again, and when it gives up.

It gives up when the server forbids to come back, or after ``give_up_s`` without an open
session. Time and jitter are arguments: a draw from 0 to 1 for each attempt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chatcore.errors import ChatError, CloseCode, Closed, Outage, Refusal
from transports.client.errors import LinkFailed, ProofFailed, SessionRefused
from transports.client.events import LinkFailure
from transports.errors import CannotConnect, LinkClosed

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

    def delay_s(self, attempt: int, jitter: float) -> float:
        """How long to wait before the attempt of this number, from 0."""
        longest_s = min(
            self.longest_delay_s, self.first_delay_s * 2.0 ** min(attempt, 30)
        )
        return longest_s * jitter

    def crowded_delay_s(self, jitter: float) -> float:
        """How long to wait for a server that has too much to do."""
        return self.longest_delay_s * (1.0 + jitter) / 2.0


class Attempts:
    """What a client has tried since it last had what it wanted.

    Attributes:
        url: where it dialled last.
        has_opened: commands have flowed at least once.
        last_words: the code and text that the server said it closes the link with.
        rejected: why the client has had enough of the link, if it has.
    """

    def __init__(
        self, urls: Sequence[str], policy: ReconnectPolicy | None, now_s: float
    ) -> None:
        self._urls = list(urls)
        self._policy = policy
        self._since_s = now_s
        self._opened_s = now_s
        self._attempt = 0
        self._tried = 0
        self.url = ""
        self.has_opened = False
        self._refusal: Refusal | None = None
        self._asked_to_wait_s = 0.0
        self.last_words: Closed | None = None
        self.rejected: LinkFailed | None = None

    @property
    def may_redial(self) -> bool:
        """Whether a link that is lost is followed by another."""
        return self._policy is not None

    def renewed(self, now_s: float) -> "Attempts":
        """Another, at the same URLs, after an end: it does not give up at the first."""
        attempts = Attempts(self._urls, self._policy, now_s)
        attempts.has_opened = self.may_redial
        return attempts

    def next_url(self) -> str:
        """Where to dial now."""
        self.url = self._urls[self._tried % len(self._urls)]
        self._tried += 1
        self._asked_to_wait_s = 0.0
        self.last_words = self.rejected = None
        return self.url

    def restart(self, now_s: float) -> None:
        """Something is asked again after a time without a link."""
        self._since_s, self._attempt, self._refusal = now_s, 0, None

    def opened(self, now_s: float) -> None:
        """Commands flow on the link."""
        self._opened_s, self.has_opened = now_s, True

    def was_open(self, now_s: float) -> None:
        """A link is lost on which commands flowed."""
        self._since_s, self._refusal = now_s, None
        # A link that is lost as soon as it is open is no reason to hurry.
        if now_s - self._opened_s > _STEADY_S:
            self._attempt = 0

    def reject(self, error: LinkFailed) -> None:
        """The client has had enough of the link."""
        self.rejected = error
        if isinstance(error, SessionRefused):
            self._refusal = error.refusal
            self._asked_to_wait_s = error.retry_after_s

    def _closed(self, error: LinkFailure) -> Closed | None:
        """What the link ended with; None where there was none."""
        if isinstance(error, CannotConnect | ProofFailed):
            return None
        if self.last_words is not None:
            return self.last_words
        if self.rejected is not None:
            return Closed(CloseCode.LINK_LOST, str(self.rejected))
        return Closed(error.code, error.text)

    def reason_to_end(self, error: LinkFailure) -> ChatError | None:
        """Why there is no other attempt after this; None where there may be one."""
        closed = self._closed(error)
        if closed is not None and not closed.code.may_reconnect:
            return closed
        if not self.has_opened and self._tried >= len(self._urls):
            # Nobody was reached in the first place.
            if closed is None:
                return error
            if closed.code is CloseCode.LINK_LOST:
                return LinkClosed(closed.code, closed.text)
            return closed
        if self.has_opened and not self.may_redial:
            return closed or Closed(CloseCode.LINK_LOST)
        return None

    def wait_s(
        self, now_s: float, error: LinkFailure, jitter: float
    ) -> float | ChatError:
        """How long to wait before the next attempt, or why there is none."""
        if self._policy is None:
            return 0.0
        give_up_s = self._since_s + self._policy.give_up_s
        attempt, self._attempt = self._attempt, self._attempt + 1
        wait_s = self._asked_to_wait_s
        closed = self._closed(error)
        if closed is not None and closed.code in _CROWDED:
            wait_s = max(wait_s, self._policy.crowded_delay_s(jitter))
        elif self._tried % len(self._urls) == 0 or attempt > 0:
            wait_s = max(wait_s, self._policy.delay_s(attempt, jitter))
        if now_s > give_up_s or now_s + self._asked_to_wait_s > give_up_s:
            failed = error if isinstance(error, ProofFailed) else None
            return failed or self._refusal or Closed(CloseCode.LINK_LOST)
        return wait_s


def retry_after_s(refusal: Refusal) -> float:
    """How long a server asks to be left alone, at most an hour; 0 where it does not."""
    asked_ms = refusal.retry_after_ms if isinstance(refusal, Outage) else 0
    return min(asked_ms / 1000, _MOST_ASKED_S)
