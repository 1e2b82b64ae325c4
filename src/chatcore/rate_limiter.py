"""How much of something in a short time: token buckets (B5).

Each kind of thing has a rate for a session, an account and an address; 0 is no limit.
A bucket holds what its rate gives in ``rate_burst_s``, and begins full. What is refused
takes nothing out. Buckets of a session go with it; the others are in one table, which
is bounded: those that were used longest ago are forgotten first, and are full again
when they come back.

A token bucket is the usual one (RFC 2697, 2; ITU-T I.371 calls it a leaky bucket).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import ceil
from typing import Final, TypeAlias

from chatcore.errors import RateExceeded
from chatcore.ids import AccountId
from chatcore.limits import Limits
from chatcore.model import NOWHERE, Origin
from chatcore.ports import Clock

_MS: Final = 1000
_ROUNDING_S: Final = 1e-6
"""Whoever waits as long as it was told is not refused for the last digit."""
MOST_BUCKETS: Final = 65_536


class RateKind(Enum):
    """What is counted; the values are the words of a refusal."""

    MESSAGES = "messages"
    BYTES = "bytes"
    LISTS = "lists"
    CREATES = "creates"
    LOGINS = "logins"


class RateScope(Enum):
    """For whom it is counted."""

    SESSION = "session"
    ACCOUNT = "account"
    ADDRESS = "address"


@dataclass(slots=True)
class TokenBucket:
    """What is left of a rate."""

    tokens: float
    at_s: float


Buckets: TypeAlias = dict[RateKind, TokenBucket]
"""The buckets of one session, or of one link that nobody has logged in on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: the buckets of its session, its account if it has one, its network,
    and for records where it is.
    """

    buckets: Buckets = field(default_factory=dict)
    account: AccountId | None = None
    network: str = ""
    origin: Origin = NOWHERE


class RateLimiter:
    """The buckets of one chat."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._clock = clock
        self._limits = limits
        self._shared: dict[tuple[RateKind, AccountId | str], TokenBucket] = {}
        self.follow_limits()

    def follow_limits(self) -> None:
        """Take over what has changed in the limits; what is left in buckets stays."""
        self._burst_s = self._limits.rate_burst_s
        self._rates: Mapping[RateKind, Sequence[tuple[RateScope, float]]] = {
            kind: _rates_of(self._limits, kind) for kind in RateKind
        }

    def limits(self, kind: RateKind) -> bool:
        """Whether this kind has any limit."""
        return bool(self._rates[kind])

    def take(self, source: Caller, amounts: Mapping[RateKind, int]) -> None:
        """Count so much of each kind, or of none.

        More than a full bucket holds is let through by a full one: it then owes the
        rest, and gives nothing until that has come in.

        Raises:
            RateExceeded: that was too much; nothing is counted.
        """
        now_s = self._clock.monotonic_s()
        taken: list[tuple[TokenBucket, int]] = []
        for kind, amount in amounts.items():
            for scope, rate in self._rates[kind]:
                bucket = self._bucket(scope, kind, source, rate, now_s)
                if bucket is None:
                    continue
                wait_s = (min(amount, rate * self._burst_s) - bucket.tokens) / rate
                if wait_s > _ROUNDING_S:
                    wait_ms = ceil(wait_s * _MS)
                    raise RateExceeded(what=kind.value, retry_after_ms=wait_ms)
                taken.append((bucket, amount))
        for bucket, amount in taken:
            bucket.tokens -= amount

    def _bucket(
        self,
        scope: RateScope,
        kind: RateKind,
        source: Caller,
        rate: float,
        now_s: float,
    ) -> TokenBucket | None:
        """The bucket of a source, filled up to now; None where it has none."""
        full = rate * self._burst_s
        if scope is RateScope.SESSION:
            bucket = source.buckets.setdefault(kind, TokenBucket(full, now_s))
        else:
            key = source.account if scope is RateScope.ACCOUNT else source.network
            if key is None or key == "":
                return None
            # Taken out and put back, so that the first is the one used longest ago.
            bucket = self._shared.pop((kind, key), TokenBucket(full, now_s))
            if len(self._shared) >= MOST_BUCKETS:
                del self._shared[next(iter(self._shared))]
            self._shared[kind, key] = bucket
        bucket.tokens = min(full, bucket.tokens + rate * (now_s - bucket.at_s))
        bucket.at_s = now_s
        return bucket


def _rates_of(limits: Limits, kind: RateKind) -> Sequence[tuple[RateScope, float]]:
    """The rates of a kind that are set, by their names in ``Limits``."""
    named = (
        (scope, getattr(limits, f"{scope.value}_{kind.value}_per_s", 0.0))
        for scope in RateScope
    )
    return [(scope, rate) for scope, rate in named if rate > 0]
