"""What two runs have in common, and what changed from one to the other."""

from io import StringIO

import pytest
from msgspec.structs import replace
from rich.console import Console

from chatbench.comparing import agreement, changes, compare, differences
from chatbench.measures import CPU
from chatbench.plans import narrow, standard
from chatbench.results import Results
from tests.unit.chatbench.synthetic import results_of, synthetic_results

SLOWER = "grpc-protobuf-sqlite"
BOTH = {SLOWER, f"{SLOWER}'"}
"""It and its twin: were only one of them dearer, that would be noise."""


def printed(old: Results, new: Results) -> str:
    output = StringIO()

    assert compare(old, new, Console(file=output, width=100)) == 0

    return " ".join(output.getvalue().split())


@pytest.fixture(scope="module")
def old() -> Results:
    return synthetic_results(seed=1)


@pytest.fixture(scope="module")
def new() -> Results:
    return synthetic_results(seed=2)


def test_a_run_agrees_with_itself(old: Results) -> None:
    agreed = agreement(old, old)

    assert agreed.inside == agreed.of > 100
    assert (agreed.outside, agreed.share) == ([], 1.0)


def test_a_second_run_of_the_same_lies_inside(old: Results, new: Results) -> None:
    agreed = agreement(old, new)

    assert agreed.share is not None
    assert agreed.share >= 0.95
    assert sum(of for _, of in agreed.by_table.values()) == agreed.of
    assert sum(inside for inside, _ in agreed.by_measure.values()) == agreed.inside
    assert "twins" not in agreed.by_table


def test_what_lies_outside_is_named(old: Results) -> None:
    first, *others = old.ratios
    assert first.ratio is not None
    moved = replace(old, ratios=[replace(first, ratio=first.ratio * 5), *others])

    agreed = agreement(old, moved)

    assert [(it.of, it.measure) for it in agreed.outside] == [(first.of, first.measure)]
    assert agreed.inside == agreed.of - 1


def test_runs_without_a_ratio_in_common_do_not_agree_or_disagree(old: Results) -> None:
    assert agreement(old, replace(old, ratios=[])).share is None
    assert "no ratio in common" in printed(old, replace(old, ratios=[]))


def test_two_runs_of_the_same_code_have_next_to_no_changes(
    old: Results, new: Results
) -> None:
    found = changes(old, new)

    changed = [it for it in found if it.ratio.finding != "no difference"]
    assert len(changed) <= 0.05 * len(found)


def test_a_cell_that_became_dearer_is_the_one_that_changed(old: Results) -> None:
    plan = standard()
    dearer = [
        replace(it, server_cpu_us_per_message=it.server_cpu_us_per_message * 1.5)
        if it.contestant in BOTH and it.server_cpu_us_per_message is not None
        else it
        for it in old.samples
    ]

    found = changes(old, results_of(plan, dearer))

    changed = [it.ratio for it in found if it.ratio.finding != "no difference"]
    assert {(it.of, it.measure, it.finding) for it in changed} == {
        (name, CPU, "higher") for name in BOTH
    }
    assert all(it.ratio == pytest.approx(1.5) for it in changed)
    assert "Changed beyond noise" in printed(old, results_of(plan, dearer))


def test_another_machine_and_other_versions_are_warned_of(old: Results) -> None:
    machine = replace(old.machine, cores=8, versions={"python": "3.14.0"})
    other = replace(old, machine=machine, plan="full", settings={})

    found = differences(old, other)

    assert "cores: 2, now 8" in found
    assert "version of python: 3.11.7, now 3.14.0" in found
    assert "version of grpcio: 1.85.0, now none" in found
    assert "plan: standard, now full" in found
    assert "These runs differ in cores: 2, now 8" in printed(old, other)
    assert differences(old, old) == []


def test_what_is_only_in_one_run_is_told(old: Results) -> None:
    part = synthetic_results(narrow(standard(), transports=["tcp"]))

    text = printed(old, part)

    assert "Only in the old run:" in text
    assert f"{SLOWER} rtt" in text
    assert "Only in the new run" not in text


def test_the_agreement_is_one_line_with_its_percentage(
    old: Results, new: Results
) -> None:
    agreed = agreement(old, new)

    text = printed(old, new)

    assert f"{agreed.inside} of {agreed.of} ratios ({agreed.share:.0%})" in text
    assert "by table: transports" in text
    assert "by measure: server CPU a message" in text
