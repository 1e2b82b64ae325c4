"""What is compared: the measures, and where a sample has each.

A *series* is one measure of one cell by round; rounds that failed, or did not measure
it, are not in it. Ratios are taken between series, round by round.
"""

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from chatbench.cells import Workload
from chatbench.results import Result
from chatbench.samples import Percentiles, Sample

CPU: Final = "server_cpu_us_per_message"
THROUGHPUT: Final = "throughput_per_s"
P50: Final = "p50_us"
P99: Final = "p99_us"
RECEIPT_P50: Final = "receipt_p50_us"
SESSION_BYTES: Final = "server_bytes_per_session"
GENERATOR_CPU: Final = "generator_cpu_us_per_message"
WIRE_BYTES: Final = "wire_bytes"

BYTES_SCATTER: Final = 1.01
"""Bytes a message depend on how batches fall, and are counted in one pass: two standard
runs of the same code differed by up to 0.7 %. What is within 1 % is no difference."""

TIMED: Final = (CPU, THROUGHPUT, P50, P99, RECEIPT_P50, SESSION_BYTES)
"""What each round measures, and every table compares."""

OF_THE_LIMIT: Final = frozenset({THROUGHPUT, P50, P99, RECEIPT_P50})
"""What says more of the generator than of the server where the generator is bound."""

THROUGHPUT_IS_GIVEN: Final = frozenset({"rtt", "rate"})
"""Workloads that say themselves how much goes through, or only latency's inverse."""

MORE_IS_BETTER: Final = frozenset({THROUGHPUT})

NAMES: Final[Mapping[str, str]] = {
    CPU: "server CPU a message",
    THROUGHPUT: "throughput",
    P50: "median latency",
    P99: "p99 latency",
    RECEIPT_P50: "median receipt",
    SESSION_BYTES: "memory a session",
    GENERATOR_CPU: "client CPU a message",
    WIRE_BYTES: "bytes a message",
}

SHORT_NAMES: Final[Mapping[str, str]] = {
    **NAMES,
    CPU: "CPU",
    P50: "p50",
    P99: "p99",
    RECEIPT_P50: "receipt p50",
    GENERATOR_CPU: "client CPU",
    WIRE_BYTES: "bytes",
}
"""For narrow columns."""

CellKey: TypeAlias = tuple[str, str]
"""A contestant's name and a workload's label."""

Series: TypeAlias = dict[int, float]
"""A measure by round."""


def measures_of(workload: Workload) -> list[str]:
    """What is compared under a load, of what the rounds measure."""
    is_given = workload.name in THROUGHPUT_IS_GIVEN
    return [it for it in TIMED if not (is_given and it == THROUGHPUT)]


def figure(sample: Sample, measure: str) -> float | None:
    """This measure of one round; None where it was not measured, or is not above 0."""
    value: float | None
    match measure:
        case "p50_us":
            value = _at(sample.latency_us, "p50")
        case "p99_us":
            value = _at(sample.latency_us, "p99")
        case "receipt_p50_us":
            value = _at(sample.receipt_us, "p50")
        case "server_bytes_per_session":
            value = sample.extras.get(SESSION_BYTES)
        case _:
            value = getattr(sample, measure)
    # No ratio can be made of what is not above 0, such as memory that became less.
    return value if value is not None and value > 0 else None


def _at(latency: Percentiles | None, name: str) -> float | None:
    value: float | None = None if latency is None else getattr(latency, name)
    return value


def series_of(samples: Iterable[Sample], measure: str) -> dict[CellKey, Series]:
    """This measure of every cell, by round; only of rounds that are valid."""
    found: dict[CellKey, Series] = {}
    for sample in samples:
        value = figure(sample, measure) if sample.is_valid else None
        if value is not None:
            key = sample.contestant, sample.workload
            found.setdefault(key, {})[sample.round] = value
    return found


def wire_bytes(result: Result | None) -> float | None:
    """Bytes that a message takes in both directions, where they were counted."""
    if result is None or result.wire_bytes_per_message is None:
        return None
    return result.wire_bytes_per_message.up + result.wire_bytes_per_message.down
