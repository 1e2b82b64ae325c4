"""What a chat and its store have done, in plain numbers, for whoever watches them.

They are written where something is done, once for a batch, and read when somebody asks.
Nothing here knows what reads them.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import Final

from chatcore.errors import OutcomeUnknown, Refusal, StoreUnavailable

COMMIT_BOUNDS_S: Final = (
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
)
COMMIT_BOUNDS_ROWS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)


class Histogram:
    """How many observations lie at or below each bound, and above the last.

    One thread observes; another may read meanwhile, and be one observation behind.

    Attributes:
        bounds: rising; the last count is of what is above them all.
        counts: of each bound, those that are above the bound before.
        total: the sum of what was observed.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one more."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Counters:
    """What one chat has done since it was made.

    Attributes:
        connections: how many there are now, by transport.
        opened: how many there were, by transport.
        accepted: messages that were stored; a repeat under a key is none.
        delivered: messages that were given to a link; again after a resume is again.
        acknowledged: messages that their recipients have acknowledged.
        refusals: how many commands were refused, by the refusal's code.
        store_failures: how often the store did not do, or say, what it was asked.
    """

    __slots__ = (
        "accepted",
        "acknowledged",
        "connections",
        "delivered",
        "opened",
        "refusals",
        "store_failures",
    )

    def __init__(self) -> None:
        self.connections: Counter[str] = Counter()
        self.opened: Counter[str] = Counter()
        self.accepted = 0
        self.delivered = 0
        self.acknowledged = 0
        self.refusals: Counter[int] = Counter()
        self.store_failures = 0

    def count_refusal(self, refusal: Refusal) -> None:
        """Count a command that was refused."""
        self.refusals[refusal.code] += 1
        if isinstance(refusal, StoreUnavailable | OutcomeUnknown):
            self.store_failures += 1


class StoreCounters:
    """What a store holds, and what its commits took; see ``chatcore.store.Store``.

    Attributes:
        waiting: messages, and bounces, that are in mailboxes now.
        commit_s: seconds from the beginning of a transaction to its end, of those that
            have changed something; None where there is no such thing as a commit.
        commit_rows: how many rows each of them has changed.
    """

    __slots__ = ("commit_rows", "commit_s", "waiting")

    def __init__(self, *, has_commits: bool) -> None:
        self.waiting = 0
        self.commit_s = Histogram(COMMIT_BOUNDS_S) if has_commits else None
        self.commit_rows = Histogram(COMMIT_BOUNDS_ROWS) if has_commits else None

    def observe_commit(self, seconds: float, rows: int) -> None:
        """Count a commit that has changed so many rows."""
        if self.commit_s is not None and self.commit_rows is not None:
            self.commit_s.observe(seconds)
            self.commit_rows.observe(rows)
