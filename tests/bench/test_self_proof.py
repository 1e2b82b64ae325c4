"""The harness finds what was planted, with its size, and nothing where nothing is.

It is the real one, its servers and generators processes on their cores: what is proved
here holds for what ``chatcore bench`` prints. Machines that run tests are busy ones, so
all that is set against each other runs in rounds by turns, and medians count.
"""

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import pytest
from msgspec.structs import replace

from chatbench.cells import Cell, Contestant
from chatbench.contestants import ChatContestant, twin
from chatbench.machine import choose_cores
from chatbench.measures import CPU, P50, Series, series_of
from chatbench.plans import Plan
from chatbench.ratios import all_ratios
from chatbench.results import Finding
from chatbench.rounds import RunContext, run_cell, run_plan
from chatbench.samples import Sample
from chatbench.summaries import summarise
from chatbench.workloads import rate, throughput, timed

pytestmark = pytest.mark.slow

ROUNDS: Final = 5
COST_US: Final = 50
COST_WITHIN: Final = 0.2
# Long beside the milliseconds by which a busy machine wakes a relay too late.
DELAY_S: Final = 0.05
NO_DELAY_S: Final = 1e-6
DELAY_WITHIN: Final = 0.1
DROPS: Final = 20

# Large batches make a message cheap, so that what is planted stands out.
LOAD: Final = timed(throughput(8, 16), warm_up_s=0.1, measure_s=0.2)
# The same few messages whatever they take: nothing queues, with the delay or without.
LIGHT_LOAD: Final = timed(rate(1_000), warm_up_s=0.1, measure_s=0.25)
PLAIN: Final = ChatContestant("tcp", "memory").plain()
TWIN: Final = twin(PLAIN)
COSTLY: Final = replace(PLAIN, name="costly", planted=f"cpu_us={COST_US}")


class Nobody:
    """An audience that has left."""

    def begins(self, turn: str, cells: int) -> None:
        """See ``rounds.Audience``."""

    def ends(self, cell: Cell, sample: Sample, seconds: float) -> None:
        """See ``rounds.Audience``."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a plan gave."""

    plan: Plan
    samples: list[Sample]

    def finding_of_twins(self, measure: str) -> Finding:
        """What comes out where the twin is set against the one that it repeats."""
        ratios = all_ratios(
            summarise(self.plan, self.samples),
            self.samples,
            self.plan.contestants,
            self.plan.workloads,
            seed=1,
        )
        of_twins = [it for it in ratios if (it.table, it.measure) == ("twins", measure)]
        (ratio,) = of_twins
        return ratio.finding


def run(context: RunContext, *contestants: Contestant) -> Run:
    """All of these by turns, on a fresh server each time."""
    cells = (Cell(contestant=it, workload=LOAD) for it in contestants)
    plan = Plan(
        name="quick", rounds=ROUNDS, cells=tuple(cells), wire_labels=(), is_result=False
    )
    return Run(plan, list(run_plan(plan, context, Nobody())))


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> RunContext:
    folder: Path = tmp_path_factory.mktemp("bench")
    return RunContext(cores=choose_cores(), folder=folder, seed=1)


@pytest.fixture(scope="module")
def by_turns(context: RunContext) -> Run:
    return run(context, PLAIN, TWIN, COSTLY)


def median_difference(of: Series, to: Series) -> float:
    """By how much the one was above the other, round by round."""
    return median(differences(of, to))


def differences(of: Series, to: Series) -> list[float]:
    """By how much the one was above the other in each round, the least first."""
    return sorted(of[number] - to[number] for number in of.keys() & to.keys())


@pytest.mark.alone
def test_a_round_without_a_fault_is_valid(by_turns: Run) -> None:
    complaints = [it.fault for it in by_turns.samples if not it.is_valid]

    assert complaints == []
    assert len(by_turns.samples) == ROUNDS * len(by_turns.plan.cells)


@pytest.mark.alone
def test_a_planted_cpu_cost_is_found_with_its_size(by_turns: Run) -> None:
    costly = Cell(contestant=COSTLY, workload=LOAD)
    plain = Cell(contestant=PLAIN, workload=LOAD)

    cpu_us = series_of(by_turns.samples, CPU)
    least_us, *_, most_us = differences(cpu_us[costly.key], cpu_us[plain.key])

    # Five rounds have the true median between the least and the most of them in 94 of
    # 100 runs, whatever the machine adds to a server that is busier.
    assert least_us <= COST_US * (1 + COST_WITHIN)
    assert most_us >= COST_US * (1 - COST_WITHIN)
    assert least_us > COST_US / 2


@pytest.mark.alone
def test_twins_are_found_equal(by_turns: Run, context: RunContext) -> None:
    finding = by_turns.finding_of_twins(CPU)

    # Chance puts all rounds on one side now and then; a difference would stay there.
    for _ in range(2):
        if finding != "no difference" and (
            run(context, PLAIN, TWIN).finding_of_twins(CPU) != finding
        ):
            finding = "no difference"
    assert finding == "no difference"


@pytest.mark.alone
def test_a_delay_each_way_is_found_with_its_size(context: RunContext) -> None:
    cell = Cell(contestant=PLAIN, workload=LIGHT_LOAD)

    direct: list[Sample] = []
    delayed: list[Sample] = []
    for number in range(3):
        direct.append(run_cell(cell, context, number, relay_delay_s=NO_DELAY_S))
        delayed.append(run_cell(cell, context, number, relay_delay_s=DELAY_S))

    # A send is held up on its way to the server, its delivery on the way from it.
    p50_us, delayed_p50_us = series_of(direct, P50), series_of(delayed, P50)
    found_us = median_difference(delayed_p50_us[cell.key], p50_us[cell.key])
    assert all(it.is_valid for it in (*direct, *delayed))
    assert found_us == pytest.approx(2 * DELAY_S * 1e6, rel=DELAY_WITHIN)


def test_a_loss_on_the_way_fails_the_round(context: RunContext) -> None:
    # Its senders do not stop at a loss: what comes behind it soon tells of the gap.
    cell = Cell(contestant=PLAIN, workload=LIGHT_LOAD)

    sample = run_cell(cell, context, 0, relay_drops=DROPS)

    assert sample.lost > 0
    assert not sample.is_valid
