"""Percentiles are told only with enough behind them, and histograms add up."""

import pytest

from chatbench.latencies import (
    decode,
    encode,
    histogram_of,
    merge,
    percentiles,
    value_us,
)


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        (199, set()),
        (200, {"p50"}),
        (999, {"p50"}),
        (1_000, {"p50", "p90"}),
        (9_999, {"p50", "p90"}),
        (10_000, {"p50", "p90", "p99"}),
        (100_000, {"p50", "p90", "p99", "p999"}),
    ],
)
def test_a_percentile_with_too_few_samples_is_withheld(
    samples: int, told: set[str]
) -> None:
    encoded = encode(histogram_of([5_000] * samples))

    found = percentiles(encoded)

    assert found.samples == samples
    shown = {
        it for it in ("p50", "p90", "p99", "p999") if getattr(found, it) is not None
    }
    assert shown == told


@pytest.mark.parametrize("latency_us", [10.0, 123.4, 5_000.0, 2_000_000.0])
def test_three_digits_hold_from_ten_microseconds_on(latency_us: float) -> None:
    histogram = histogram_of([round(latency_us * 1_000)] * 3)

    found_us = value_us(decode(encode(histogram)), 2)

    assert found_us == pytest.approx(latency_us, rel=0.001)


def test_merged_rounds_are_what_one_long_round_would_have_given() -> None:
    first = [1_000 * it for it in range(1, 1_001)]
    second = [3_000 * it for it in range(1, 1_001)]

    merged = merge([encode(histogram_of(first)), encode(histogram_of(second))])

    assert percentiles(merged) == percentiles(encode(histogram_of(first + second)))


def test_the_largest_is_told_of_a_single_sample() -> None:
    found = percentiles(encode(histogram_of([7_000_000])))

    assert found.max == pytest.approx(7_000, rel=0.001)
    assert found.p50 is None


def test_nothing_has_no_percentiles() -> None:
    found = percentiles(encode(histogram_of([])))

    assert (found.samples, found.p50, found.max) == (0, None, 0)
