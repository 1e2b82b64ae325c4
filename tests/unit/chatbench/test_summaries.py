"""From samples to rows."""

import pytest
from msgspec.structs import replace

from chatbench.cells import Cell
from chatbench.contestants import ChatContestant
from chatbench.plans import Plan
from chatbench.samples import Sample, WireBytes
from chatbench.summaries import summarise
from chatbench.workloads import CAPACITY, throughput

CONTESTANT = ChatContestant("tcp").plain()
PLAN = Plan(
    name="quick",
    rounds=3,
    cells=(Cell(contestant=CONTESTANT, workload=throughput(8, 16)),),
    wire_labels=(CAPACITY,),
)


def sample(number: int, cpu_us: float = 10.0) -> Sample:
    return Sample(
        contestant=CONTESTANT.name,
        workload=CAPACITY,
        round=number,
        messages=100,
        throughput_per_s=1_000.0 * (number + 1),
        server_cpu_us_per_message=cpu_us,
        server_rss_bytes=1_000,
        generator_core_share=0.5,
        extras={"hits": float(number)},
    )


ROUNDS = [sample(0, 10.0), sample(1, 90.0), sample(2, 12.0)]


def test_figures_are_medians_of_the_rounds() -> None:
    (row,) = summarise(PLAN, ROUNDS)

    assert row.valid
    assert (row.contestant, row.transport, row.codec) == (
        "tcp-protobuf-sqlite",
        "tcp",
        "protobuf",
    )
    assert (row.label, row.workload, row.pairs, row.in_flight) == (
        CAPACITY,
        "throughput",
        8,
        16,
    )
    assert row.server_cpu_us_per_message == 12.0
    assert row.throughput_per_s == 2_000.0
    assert row.messages == 300
    assert row.rounds == 3
    assert row.server_rss_bytes == 1_000
    assert row.extras == {"hits": 1.0}
    assert row.latency_us is None
    assert row.faults == []


@pytest.mark.parametrize("wrong", ["lost", "duplicated", "out_of_order"])
def test_one_message_that_is_not_accounted_for_makes_the_row_invalid(
    wrong: str,
) -> None:
    bad = sample(1)
    setattr(bad, wrong, 1)

    (row,) = summarise(PLAN, [ROUNDS[0], bad, ROUNDS[2]])

    assert not row.valid
    assert getattr(row, wrong) == 1
    assert len(row.faults) == 1
    assert row.faults[0].startswith("round 1: ")
    assert row.server_cpu_us_per_message == 11.0  # of the valid rounds
    assert row.messages == 200


def test_a_round_that_was_not_run_makes_the_row_invalid() -> None:
    (row,) = summarise(PLAN, ROUNDS[:2])

    assert not row.valid


def test_bytes_on_the_wire_come_from_their_own_pass_alone() -> None:
    wire = WireBytes(up=80.0, down=90.0)
    counted = Sample(
        contestant=CONTESTANT.name,
        workload=CAPACITY,
        round=3,
        messages=50,
        wire_bytes_per_message=wire,
    )

    (row,) = summarise(PLAN, [*ROUNDS, counted])

    assert row.valid
    assert row.wire_bytes_per_message == wire
    assert (row.rounds, row.messages) == (3, 300)


def test_a_fault_in_the_pass_that_counts_bytes_is_a_fault_of_the_row() -> None:
    failed = Sample(
        contestant=CONTESTANT.name, workload=CAPACITY, round=3, fault="It broke."
    )

    (row,) = summarise(PLAN, [*ROUNDS, failed])

    assert not row.valid
    assert row.wire_bytes_per_message is None
    assert row.faults == ["round 3: It broke."]


@pytest.mark.parametrize(("busy", "is_bound"), [(1, False), (2, True)])
def test_the_generator_is_the_limit_where_it_was_in_most_rounds(
    *, busy: int, is_bound: bool
) -> None:
    rounds = [
        replace(it, generator_core_share=0.99 if it.round < busy else 0.3)
        for it in ROUNDS
    ]

    (row,) = summarise(PLAN, rounds)

    assert row.generator_bound is is_bound
    assert row.throughput_per_s == 2_000.0


def test_disturbed_rounds_are_counted_and_stay_in() -> None:
    rounds = [ROUNDS[0], replace(ROUNDS[1], stolen_share=0.5), ROUNDS[2]]

    (row,) = summarise(PLAN, rounds)

    assert row.disturbed_rounds == 1
    assert row.messages == 300
    assert row.valid
