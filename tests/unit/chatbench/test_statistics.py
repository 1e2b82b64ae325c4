"""What the intervals hold, and what the noise does to them."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbench.cells import Contestant
from chatbench.contestants import ChatContestant, twin
from chatbench.statistics import (
    FEWEST_ROUNDS,
    Bootstrap,
    Interval,
    Noise,
    paired,
)

PLAIN = ChatContestant("tcp").plain()
TWIN = twin(PLAIN)
OTHER = ChatContestant("grpc").plain()
OTHER_TWIN = twin(OTHER)
RATIOS = st.lists(st.floats(0.01, 100), min_size=FEWEST_ROUNDS, max_size=15)


@given(ratios=RATIOS, seed=st.integers(0, 100))
def test_an_interval_holds_its_median(ratios: list[float], seed: int) -> None:
    interval = Bootstrap(seed).of_ratios(ratios)

    assert interval is not None
    assert interval.low <= interval.ratio <= interval.high
    assert min(ratios) <= interval.low * (1 + 1e-9)
    assert interval.high <= max(ratios) * (1 + 1e-9)


@given(ratios=RATIOS)
def test_the_median_of_the_inverse_is_the_inverse(ratios: list[float]) -> None:
    bootstrap = Bootstrap(1)

    one = bootstrap.of_ratios(ratios)
    other = bootstrap.of_ratios([1 / it for it in ratios])

    assert one is not None
    assert other is not None
    assert one.ratio == pytest.approx(1 / other.ratio)


def test_the_same_seed_gives_the_same_interval() -> None:
    ratios = [1.1, 0.9, 1.3, 1.2, 1.0, 1.05, 1.4, 0.95]

    assert Bootstrap(7).of_ratios(ratios) == Bootstrap(7).of_ratios(ratios)


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    draw = Random(3)  # noqa: S311  # a simulation
    bootstrap = Bootstrap(1)
    runs, held = 400, 0

    for _ in range(runs):
        drawn = [math.exp(draw.gauss(0, 0.05)) for _ in range(12)]
        interval = bootstrap.of_ratios(drawn)
        held += interval is not None and interval.low <= 1 <= interval.high

    # With few rounds the percentile bootstrap of a median is a little too narrow.
    assert held / runs >= 0.90


def test_too_few_rounds_give_no_interval() -> None:
    assert Bootstrap(1).of_ratios([1.2] * (FEWEST_ROUNDS - 1)) is None
    assert Bootstrap(1).unpaired([1.2] * FEWEST_ROUNDS, [1.0]) is None


def test_rounds_are_paired_where_both_have_them() -> None:
    assert paired({0: 4.0, 1: 6.0, 3: 9.0}, {1: 2.0, 2: 5.0, 3: 3.0}) == [3.0, 3.0]


def test_noise_widens_an_interval_on_both_sides() -> None:
    interval = Interval(ratio=1.2, low=1.1, high=1.3)

    widened = interval.widened(1.1)

    assert widened.ratio == 1.2
    assert (widened.low, widened.high) == pytest.approx((1.0, 1.43))
    assert interval.widened(None) == interval


def noise_of(*twins: tuple[Contestant, str, float]) -> Noise:
    """Of twins that are this much above the one that they repeat, in each round."""
    series = {}
    for it, label, ratio in twins:
        series[it.twin_of or "", label] = dict.fromkeys(range(8), 10.0)
        series[it.name, label] = dict.fromkeys(range(8), 10.0 * ratio)
    contestants = [PLAIN, OTHER, TWIN, OTHER_TWIN]
    return Noise(series, contestants, Bootstrap(1))


def test_the_noise_is_of_the_twins_that_are_farthest_apart() -> None:
    noise = noise_of((TWIN, "rtt", 1.02), (OTHER_TWIN, "rtt", 0.9))

    assert noise.at("rtt") == pytest.approx(1 / 0.9)


def test_the_noise_is_of_medians_since_intervals_have_their_own_chance() -> None:
    scattered = [0.5, 0.8, 1.0, 1.0, 1.0, 1.0, 1.25, 2.0]
    series = {
        (PLAIN.name, "rtt"): dict.fromkeys(range(8), 10.0),
        (TWIN.name, "rtt"): {i: 10.0 * it for i, it in enumerate(scattered)},
    }

    noise = Noise(series, [PLAIN, TWIN], Bootstrap(1))

    assert noise.at("rtt") == pytest.approx(1.0)


def test_a_twin_is_judged_by_the_noise_of_the_others() -> None:
    noise = noise_of((TWIN, "rtt", 1.02), (OTHER_TWIN, "rtt", 0.9))

    assert noise.at("rtt", but=OTHER_TWIN.name) == pytest.approx(1.02)


def test_a_label_without_twins_has_the_largest_noise_of_all() -> None:
    noise = noise_of((TWIN, "rtt", 1.02), (TWIN, "throughput", 1.05))

    assert noise.at("rtt") == pytest.approx(1.02)
    assert noise.at("idle") == pytest.approx(1.05)


def test_without_twins_there_is_no_noise() -> None:
    assert noise_of().at("rtt") is None
