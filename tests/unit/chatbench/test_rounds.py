"""How a plan is run: orders, rates found on the way, and rounds that fail."""

from pathlib import Path

from msgspec.structs import replace

from chatbench.cells import Cell
from chatbench.contestants import ChatContestant
from chatbench.machine import Cores
from chatbench.plans import Plan, narrow, quick
from chatbench.rounds import RunContext, run_cell, run_plan, with_rate
from chatbench.samples import Sample
from chatbench.workloads import CAPACITY, rtt, share, throughput


class Follower:
    """Notes what a run tells."""

    def __init__(self) -> None:
        self.turns: list[tuple[str, int]] = []
        self.cells: list[tuple[str, str]] = []

    def begins(self, turn: str, cells: int) -> None:
        self.turns.append((turn, cells))

    def ends(self, cell: Cell, sample: Sample, seconds: float) -> None:
        assert seconds > 0
        assert sample.contestant == cell.contestant.name
        self.cells.append(cell.key)


def context(folder: Path, seed: int = 1) -> RunContext:
    return RunContext(cores=Cores(None, None), folder=folder, seed=seed)


def hopeless(*loads: str) -> Plan:
    """Cells of a transport that there is not: each fails at once."""
    contestants = [ChatContestant("pigeon", it).plain() for it in ("memory", "sqlite")]
    workloads = [
        it for it in (rtt(), throughput(8, 16), share(50)) if it.label in loads
    ]
    cells = [
        Cell(contestant=contestant, workload=workload)
        for contestant in contestants
        for workload in workloads
    ]
    return replace(quick(), rounds=2, cells=tuple(cells))


def test_an_order_is_drawn_anew_for_each_round_and_the_same_from_the_same_seed(
    tmp_path: Path,
) -> None:
    cells = list(range(20))
    orders = []

    for seed, number in ((1, 0), (1, 1), (1, 0), (2, 0)):
        order = list(cells)
        context(tmp_path, seed).draw("round", number).shuffle(order)
        orders.append(order)

    first, second, again, other = orders
    assert first == again
    assert first not in (second, other, cells)
    assert sorted(second) == cells


def test_a_server_that_does_not_start_is_a_fault_of_the_sample_and_the_run_goes_on(
    tmp_path: Path,
) -> None:
    plan, follower = hopeless("rtt", CAPACITY), Follower()

    samples = list(run_plan(plan, context(tmp_path), follower))

    timed, counted = samples[:8], samples[8:]
    assert [it.round for it in samples] == [0] * 4 + [1] * 4 + [2] * 2
    assert {it.workload for it in counted} == {CAPACITY}
    assert not any(it.is_valid for it in samples)
    assert all("pigeon" in (it.fault or "") for it in timed)
    assert follower.turns == [
        ("round 1 of 2", 4),
        ("round 2 of 2", 4),
        ("bytes on the wire", 2),
    ]
    assert follower.cells == [(it.contestant, it.workload) for it in samples]
    assert list(tmp_path.iterdir()) == []


def test_shares_of_a_capacity_run_in_rounds_after_those_that_find_it(
    tmp_path: Path,
) -> None:
    plan, follower = hopeless(CAPACITY, "rate-50pct"), Follower()

    samples = list(run_plan(plan, context(tmp_path), follower))

    shared = [it for it in samples if it.workload == "rate-50pct"]
    assert [it for it, _ in follower.turns] == [
        "round 1 of 2",
        "round 2 of 2",
        "rates, round 1 of 2",
        "rates, round 2 of 2",
        "bytes on the wire",
    ]
    assert len(shared) == 4
    assert all("no capacity was measured" in (it.fault or "") for it in shared)


def test_a_rate_is_a_share_of_the_median_of_the_valid_rounds() -> None:
    contestant = ChatContestant("tcp").plain()
    cell = Cell(contestant=contestant, workload=share(50))
    rounds = [
        Sample(
            contestant=contestant.name,
            workload=CAPACITY,
            round=number,
            throughput_per_s=throughput_per_s,
            lost=lost,
        )
        for number, (throughput_per_s, lost) in enumerate(
            [(10_000.0, 0), (30_000.0, 0), (20_000.0, 0), (90_000.0, 1), (91_000.0, 2)]
        )
    ]
    others = replace(rounds[0], contestant="grpc-protobuf-sqlite")

    rated = with_rate(cell, [*rounds, others])

    assert rated.workload.rate_per_s == 10_000.0
    assert rated.key == cell.key


def test_a_rate_stays_open_while_no_capacity_is_known() -> None:
    cell = Cell(contestant=ChatContestant("tcp").plain(), workload=share(50))

    assert with_rate(cell, []) == cell


def test_a_real_round_accounts_for_its_messages_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    plan = narrow(quick(), transports=["tcp"], stores=["memory"], workloads=["rtt"])
    cell = plan.cells[0]
    brief = Cell(
        contestant=cell.contestant,
        workload=replace(cell.workload, warm_up_s=0.05, measure_s=0.1),
    )

    sample = run_cell(brief, context(tmp_path), 3)

    assert sample.fault is None
    assert sample.is_valid
    assert sample.round == 3
    assert sample.messages > 0
    assert list(tmp_path.iterdir()) == []
