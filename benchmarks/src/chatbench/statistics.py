"""Medians of paired ratios, how sure they are, and how large the noise is.

Everything is done on logarithms, so that a over b is exactly the inverse of b over a.
The interval is Efron's bootstrap (B. Efron, "Bootstrap methods: another look at the
jackknife", 1979), by percentiles: rounds are drawn again with repetition. It sees what
varies between the rounds, not what varies between two programs that ought to be equal:
that is what twins show (``Noise``).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Final

from chatbench.cells import Contestant
from chatbench.measures import BYTES_SCATTER, CellKey, Series

RESAMPLES: Final = 2_000
_TAIL: Final = 0.025
"""On each side of a 95 % interval."""

FEWEST_ROUNDS: Final = 3
"""With fewer rounds no interval is given: their range says next to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A median of ratios and its bounds; ``low <= ratio <= high``."""

    ratio: float
    low: float
    high: float

    @classmethod
    def counted(cls, ratio: float) -> "Interval":
        """Of bytes, which one pass has counted."""
        sure = cls(ratio=ratio, low=ratio, high=ratio)
        return sure.widened(BYTES_SCATTER)

    @property
    def distance(self) -> float:
        """How far its median is from 1, as a ratio of at least 1."""
        return math.exp(abs(math.log(self.ratio)))

    def widened(self, noise: float | None) -> "Interval":
        """The same with room for the noise on both sides."""
        if noise is None:
            return self
        return Interval(ratio=self.ratio, low=self.low / noise, high=self.high * noise)


def paired(of: Series, to: Series) -> list[float]:
    """Ratios by round, of the rounds that both have."""
    return [of[number] / to[number] for number in sorted(of.keys() & to.keys())]


class Bootstrap:
    """Intervals of medians, the same ones from the same seed.

    Which ranks are in the middle of a resample does not depend on the values. They are
    drawn once for each number of rounds, and used for all series of that length.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._middles: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def _drawn(self, rounds: int, stream: int) -> list[tuple[int, int]]:
        """Both middle ranks of each resample of so many rounds."""
        key = rounds, stream
        if key not in self._middles:
            # Not for secrets, and the same for the same run.
            draw = Random(f"{self._seed} {stream} {rounds}")  # noqa: S311
            ranks = range(rounds)
            lower, upper = (rounds - 1) // 2, rounds // 2
            self._middles[key] = [
                (drawn[lower], drawn[upper])
                for drawn in (
                    sorted(draw.choices(ranks, k=rounds)) for _ in range(RESAMPLES)
                )
            ]
        return self._middles[key]

    def _medians(self, logs: Sequence[float], stream: int) -> list[float]:
        ranked = sorted(logs)
        return [(ranked[i] + ranked[j]) / 2 for i, j in self._drawn(len(logs), stream)]

    def of_ratios(self, ratios: Sequence[float]) -> Interval | None:
        """The interval of their median; None with too few of them."""
        if len(ratios) < FEWEST_ROUNDS:
            return None
        logs = [math.log(it) for it in ratios]
        return _interval(median(logs), self._medians(logs, 0))

    def unpaired(self, of: Sequence[float], to: Sequence[float]) -> Interval | None:
        """The interval of median over median, of values that are not in pairs."""
        if min(len(of), len(to)) < FEWEST_ROUNDS:
            return None
        above, below = [math.log(it) for it in of], [math.log(it) for it in to]
        differences = [
            mine - theirs
            for mine, theirs in zip(
                self._medians(above, 0), self._medians(below, 1), strict=True
            )
        ]
        return _interval(median(above) - median(below), differences)


def _interval(middle: float, resampled: list[float]) -> Interval:
    ranked = sorted(resampled)
    outside = int(_TAIL * len(ranked))
    low, high = ranked[outside], ranked[-1 - outside]
    return Interval(
        ratio=math.exp(middle),
        # With values that are all but equal, rounding may put the middle outside.
        low=math.exp(min(low, middle)),
        high=math.exp(max(high, middle)),
    )


class Noise:
    """How far twins were apart, for one measure in one run.

    Of a label, it is the median of those of its twins that came out farthest from 1.
    How much such a median could have been another is not added: that is what each
    ratio's own interval says. A label without twins has the largest noise of all labels
    that have some.
    """

    def __init__(
        self,
        series: Mapping[CellKey, Series],
        contestants: Iterable[Contestant],
        bootstrap: Bootstrap,
    ) -> None:
        origins = {it.name: it.twin_of for it in contestants if it.twin_of is not None}
        self._distances: dict[str, dict[str, float]] = {}
        for (name, label), twin in series.items():
            if name in origins:
                original = series.get((origins[name], label), {})
                interval = bootstrap.of_ratios(paired(twin, original))
                if interval is not None:
                    self._distances.setdefault(label, {})[name] = interval.distance

    def at(self, label: str, *, but: str | None = None) -> float | None:
        """As a ratio of at least 1; None without any twins.

        Args:
            label: the workload.
            but: a twin that is left out, to judge it by what the others show: by its
                own noise it could never be found different.
        """
        here = _largest(self._distances.get(label, {}), but)
        if here is not None:
            return here
        everywhere = [_largest(it, but) for it in self._distances.values()]
        return max((it for it in everywhere if it is not None), default=None)


def _largest(distances: Mapping[str, float], but: str | None) -> float | None:
    return max((it for name, it in distances.items() if name != but), default=None)
