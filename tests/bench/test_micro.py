"""The gate over the hot paths counts the same each time, and finds what is dearer."""

import re
from pathlib import Path

import pytest

from benchmarks.micro.__main__ import main
from benchmarks.micro.base import Benchmark
from benchmarks.micro.calibration import CALIBRATION
from benchmarks.micro.catalogue import BENCHMARKS, chosen
from benchmarks.micro.references import (
    FILE,
    References,
    judge,
    read_references,
    references_of,
)

THEN = References(
    libraries={"msgspec": "0.1"}, calibration=1000, figures={"read": 2.0, "write": 3.0}
)


def now(**figures: float) -> References:
    return References(
        libraries={"msgspec": "0.2"}, calibration=1000, figures={**figures}
    )


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda it: it.name)
def test_a_call_of_each_path_can_be_repeated(benchmark: Benchmark) -> None:
    with benchmark.open() as call:
        first = call()

        assert type(call()) is type(first)


def test_each_path_has_a_reference_for_each_kind_of_build() -> None:
    names = {it.name for it in BENCHMARKS} - {CALIBRATION.name}

    kinds = read_references(FILE)

    assert kinds
    assert all(it.figures.keys() == names for it in kinds.values())


def test_what_is_run_is_chosen_by_a_part_of_its_name() -> None:
    names = [it.name for it in chosen(["msgpack-read-send", "sqlite"])]

    assert names == [
        "calibration",
        "msgpack-read-send-1",
        "msgpack-read-send-16",
        "sqlite-deposit-1",
        "sqlite-deposit-16",
    ]


def test_figures_are_told_in_calibrations() -> None:
    references = references_of({"calibration": 500.0, "read": 1250.0})

    assert references.calibration == 500
    assert references.figures == {"read": 2.5}


def test_ten_in_a_hundred_dearer_is_let_pass() -> None:
    judgement = judge(now(read=2.19, write=2.71), THEN, is_whole=True)

    assert judgement.lines == []
    assert not judgement.is_dearer


def test_what_is_dearer_is_named_with_the_library_that_has_changed() -> None:
    judgement = judge(now(read=2.4, write=3.0), THEN, is_whole=True)

    assert judgement.is_dearer
    assert judgement.lines == [
        "read is 20% dearer than its reference",
        "msgspec was 0.1, and is 0.2",
    ]


def test_what_is_cheaper_is_told_and_let_pass() -> None:
    judgement = judge(now(read=1.0, write=3.0), THEN, is_whole=True)

    assert not judgement.is_dearer
    assert judgement.lines[0] == "read is 50% cheaper than its reference"


@pytest.mark.parametrize(
    ("figures", "line"),
    [
        ({"read": 2.0, "write": 3.0, "new": 1.0}, "new has no reference"),
        ({"read": 2.0}, "write has a reference and no benchmark"),
    ],
)
def test_a_path_and_its_reference_come_and_go_together(
    figures: dict[str, float], line: str
) -> None:
    judgement = judge(now(**figures), THEN, is_whole=True)

    assert judgement.is_dearer
    assert judgement.lines[0] == line


@pytest.mark.external
@pytest.mark.timeout(300)
def test_a_planted_cost_is_found_and_nothing_where_nothing_has_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    references = tmp_path / "references.json"
    only = ["--only", "msgpack-read-send", "--references", str(references)]
    assert main([*only, "--update"]) == 0

    same = main([*only, "--check"])
    planted = main([*only, "--check", "--plant", "msgpack-read-send-1"])

    assert same == 0
    assert planted == 1
    told = capsys.readouterr().out
    assert re.search(r"^msgpack-read-send-1 is 3\d% dearer", told, re.MULTILINE)
    assert "msgpack-read-send-16 is" not in told
