"""What is told while a plan runs."""

import io

import pytest
from rich.console import Console

from chatbench.cells import Cell
from chatbench.plans import narrow, quick
from chatbench.progress import ProgressShown, TimeLeft, complaint
from chatbench.samples import Sample
from chatbench.workloads import expected_s

PLAN = narrow(quick(), transports=["tcp"], stores=["memory"], workloads=["rtt"])
CELL = PLAN.cells[0]


def outcome(cell: Cell, fault: str | None = None) -> Sample:
    return Sample(
        contestant=cell.contestant.name,
        workload=cell.workload.label,
        round=0,
        fault=fault,
    )


def test_the_time_left_comes_from_what_cells_took() -> None:
    left = TimeLeft(PLAN)

    before_s = left.seconds
    for _ in range(2):
        left.took("rtt", 5.0)

    assert left.total == 6
    assert before_s == pytest.approx(6 * expected_s(CELL.workload))
    assert left.seconds == pytest.approx(4 * 5.0)


def test_without_a_terminal_it_is_a_line_a_round() -> None:
    said = io.StringIO()
    progress = ProgressShown(PLAN, Console(file=said, width=200))

    with progress.shown():
        progress.begins("round 1 of 3", 2)
        for cell in PLAN.cells:
            progress.ends(cell, outcome(cell), 1.0)
        progress.begins("round 2 of 3", 2)

    assert said.getvalue().splitlines() == [
        f"round 1 of 3: 2 cells; about 0:{round(TimeLeft(PLAN).seconds):02} left",
        "round 2 of 3: 2 cells; about 0:04 left",
    ]


def test_on_a_terminal_it_is_one_bar_with_the_time_left() -> None:
    said = io.StringIO()
    console = Console(file=said, width=120, force_terminal=True, color_system=None)
    progress = ProgressShown(PLAN, console)

    with progress.shown():
        progress.begins("round 1 of 3", 2)
        progress.ends(CELL, outcome(CELL), 2.0)

    assert "round 1 of 3" in said.getvalue()
    assert "1/6" in said.getvalue()
    assert "0:10 left" in said.getvalue()


def test_a_round_that_failed_is_told_at_once() -> None:
    said = io.StringIO()
    progress = ProgressShown(PLAN, Console(file=said, width=200))

    with progress.shown():
        progress.begins("round 1 of 3", 2)
        progress.ends(CELL, outcome(CELL, "The link broke."), 1.0)

    assert said.getvalue().splitlines()[1:] == [
        "round 1 of 3: tcp-protobuf-memory rtt: The link broke."
    ]


def test_a_complaint_without_a_fault_counts_messages() -> None:
    wrong = Sample(contestant="it", workload="rtt", round=0, lost=2, out_of_order=1)

    assert complaint(wrong) == "2 lost, 0 duplicated, 1 out of order"
