"""Latencies as HDR histograms: merged without loss, and read by percentile.

While a load runs, a latency is one number in an array, which costs next to nothing; the
histogram is made afterwards. It has three digits, in nanoseconds and up to a minute. It
travels as HDR's own compressed text. (G. Tene, HdrHistogram.)
"""

from collections.abc import Iterable, Sequence
from typing import Final

from hdrh.histogram import HdrHistogram

from chatbench.samples import Percentiles

_LONGEST_NS: Final = 60 * 1_000_000_000
_DIGITS: Final = 3
_NS_PER_US: Final = 1_000
_BEHIND: Final = 100
"""A percentile q has at least 100 / (1 - q) samples behind it, or is not told."""
_TOLD: Final = (2, 10, 100, 1_000)
"""The percentiles of ``Percentiles``, as one in so many."""


def histogram_of(latencies_ns: Iterable[int]) -> HdrHistogram:
    """The histogram of these; over a minute counts as a minute."""
    histogram = HdrHistogram(1, _LONGEST_NS, _DIGITS)
    for latency_ns in latencies_ns:
        histogram.record_value(min(max(latency_ns, 1), _LONGEST_NS))
    return histogram


def encode(histogram: HdrHistogram) -> str:
    """The histogram as text."""
    text: bytes = histogram.encode()
    return text.decode()


def decode(encoded: str) -> HdrHistogram:
    """What ``encode`` gave; its values are nanoseconds."""
    return HdrHistogram.decode(encoded.encode())


def merge(encoded: Iterable[str]) -> str:
    """All that these hold, in one."""
    merged = HdrHistogram(1, _LONGEST_NS, _DIGITS)
    for each in encoded:
        merged.add(decode(each))
    return encode(merged)


def value_us(histogram: HdrHistogram, rarity: float) -> float:
    """The latency that one in ``rarity`` exceeds, in microseconds: 100 gives p99."""
    (value,) = values_us(histogram, [rarity])
    return value


def values_us(histogram: HdrHistogram, rarities: Sequence[float]) -> list[float]:
    """The same of each of these, by one walk through the histogram for them all."""
    ranks = [100 - 100 / it for it in rarities]
    values_ns: dict[float, int] = histogram.get_percentile_to_value_dict(ranks)
    return [values_ns.get(it, 0) / _NS_PER_US for it in ranks]


def percentiles(encoded: str) -> Percentiles:
    """The percentiles that have enough samples behind them; see ``Percentiles``."""
    histogram = decode(encoded)
    samples: int = histogram.get_total_count()
    able = [it for it in _TOLD if samples >= _BEHIND * it]
    told = dict(zip(able, values_us(histogram, able), strict=True))
    p50, p90, p99, p999 = map(told.get, _TOLD)
    return Percentiles(
        samples=samples,
        p50=p50,
        p90=p90,
        p99=p99,
        p999=p999,
        max=histogram.get_max_value() / _NS_PER_US if samples else 0.0,
    )
