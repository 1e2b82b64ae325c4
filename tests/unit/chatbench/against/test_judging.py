"""What comes out when two versions differ, and when they do not."""

from collections.abc import Callable, Iterator
from io import StringIO
from random import Random

import pytest
from rich.console import Console

from chatbench.against.blocks import versions
from chatbench.against.command import exit_status, headline
from chatbench.against.judging import ALL, is_worse, judge, middle
from chatbench.cells import Cell
from chatbench.measures import CPU, THROUGHPUT
from chatbench.results import Ratio
from chatbench.samples import Sample

CELLS = headline().cells
ROUNDS = 12


def samples(
    factor: Callable[[Cell], float], *, scatter: float = 0.02
) -> Iterator[Sample]:
    """Of a new server that takes ``factor`` times the CPU, with some chance in it."""
    draw = Random(5)  # noqa: S311  # a simulation
    for cell in CELLS:
        new, twin, old = versions(cell.contestant)
        for version in (new, twin, old):
            for number in range(ROUNDS):
                cost = 1.0 if version is old else factor(cell)
                yield Sample(
                    contestant=version.name,
                    workload=cell.workload.label,
                    round=number,
                    messages=1_000,
                    server_cpu_us_per_message=50
                    * cost
                    * draw.lognormvariate(0, scatter),
                    throughput_per_s=20_000.0,
                )


def of_cpu(found: list[Ratio]) -> tuple[Ratio, list[Ratio]]:
    whole, *cells = (it for it in found if it.measure == CPU)
    return whole, cells


def test_the_cells_are_the_headlines() -> None:
    keys = {it.key for it in CELLS}

    assert len(keys) == len(CELLS) == 12
    assert ("grpc-protobuf-sqlite", "throughput-200x1") in keys


def test_equal_servers_are_no_difference() -> None:
    found = judge(CELLS, list(samples(lambda _: 1.0)), seed=1)

    whole, cells = of_cpu(found)
    assert whole.label == ALL
    assert {it.finding for it in (whole, *cells)} == {"no difference"}
    assert not is_worse(found)


def test_a_cost_everywhere_is_found_with_its_size() -> None:
    found = judge(CELLS, list(samples(lambda _: 1.3)), seed=1)

    whole, cells = of_cpu(found)
    assert whole.ratio == pytest.approx(1.3, rel=0.02)
    assert {it.finding for it in (whole, *cells)} == {"higher"}
    assert all(it.rounds == ROUNDS for it in cells)
    assert is_worse(found)


def test_a_small_cost_everywhere_is_found_over_all() -> None:
    found = judge(CELLS, list(samples(lambda _: 1.02)), seed=1)

    whole, _ = of_cpu(found)
    assert whole.finding == "higher"
    assert whole.high is not None
    assert whole.high < 1.05
    assert is_worse(found)


def test_what_is_slower_in_one_cell_and_faster_in_others_is_worse() -> None:
    def factor(cell: Cell) -> float:
        return 1.3 if cell.key == CELLS[0].key else 0.9

    found = judge(CELLS, list(samples(factor)), seed=1)

    whole, cells = of_cpu(found)
    assert whole.finding == "lower"
    assert [it.finding for it in cells] == ["higher"] + ["lower"] * 11
    assert is_worse(found)


def test_a_faster_server_is_not_worse() -> None:
    found = judge(CELLS, list(samples(lambda _: 0.8)), seed=1)

    assert of_cpu(found)[0].finding == "lower"
    assert not is_worse(found)


def test_the_noise_is_that_of_the_twins_of_the_same_load() -> None:
    kept = [
        it
        for it in samples(lambda _: 1.0, scatter=0)
        if it.server_cpu_us_per_message is not None
    ]
    for it in kept:
        if (it.contestant, it.workload) == (
            "tcp-protobuf-memory new'",
            "throughput-8x16",
        ):
            it.server_cpu_us_per_message = 55.0

    _, cells = of_cpu(judge(CELLS, kept, seed=1))

    noises = {it.label: it.noise for it in cells}
    assert noises == {
        "throughput-8x16": pytest.approx(1.1),
        "throughput-200x1": pytest.approx(1.0),
    }


def test_a_round_that_failed_in_one_cell_is_in_no_mean_over_all() -> None:
    kept = list(samples(lambda _: 1.0))
    kept[0].fault = "A process ended."

    whole, cells = of_cpu(judge(CELLS, kept, seed=1))

    assert [it.rounds for it in cells] == [ROUNDS - 1] + [ROUNDS] * 11
    assert whole.rounds == ROUNDS - 1


def test_without_rounds_nothing_can_be_compared() -> None:
    found = judge(CELLS, [], seed=1)

    assert {it.finding for it in found} == {"not comparable"}
    assert {it.measure for it in found} == {CPU, THROUGHPUT}
    assert not is_worse(found)


def test_the_mean_is_geometric_and_of_the_rounds_that_all_have() -> None:
    assert middle([{0: 2.0, 1: 1.0}, {0: 8.0, 2: 1.0}]) == {0: pytest.approx(4.0)}


@pytest.mark.parametrize(
    ("cost", "fails_on_worse", "status"),
    [(1.3, True, 1), (1.3, False, 0), (1, True, 0)],
)
def test_only_who_asks_for_it_fails_on_a_worse_server(
    cost: float, *, fails_on_worse: bool, status: int
) -> None:
    kept = list(samples(lambda _: cost))
    notes = Console(file=StringIO())

    ratios = judge(CELLS, kept, seed=1)

    assert exit_status(ratios, kept, notes, fails_on_worse=fails_on_worse) == status


def test_a_loss_fails_the_run_and_is_told() -> None:
    kept = list(samples(lambda _: 1.0))
    kept[0].lost = 2
    told = StringIO()

    ratios = judge(CELLS, kept, seed=1)
    status = exit_status(ratios, kept, Console(file=told), fails_on_worse=False)

    assert status == 1
    assert "tcp-protobuf-memory new throughput-8x16: 2 lost" in told.getvalue()
