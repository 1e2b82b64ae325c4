"""For each rule a violation is planted, and the suite finds it: the proof of the proof.

The violations are in ``violations``; ``plant`` runs them, each in a process of its own
that is forked from one, so that this costs seconds and not ten minutes.
"""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping

import pytest

from tests.proof.plant import NOTHING_PLANTED, ROOT, Outcome
from tests.proof.violations import VIOLATIONS

# All plants run before the first test: for long beside busy neighbours.
pytestmark = pytest.mark.timeout(480)


@pytest.fixture(scope="module")
def found() -> Mapping[str, Outcome]:
    """What became of the tests of each rule."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.proof.plant"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    outcomes = [Outcome(*json.loads(line)) for line in told.stdout.splitlines()]
    return {it.rule: it for it in outcomes}


def test_every_rule_has_a_violation() -> None:
    with (ROOT / "docs" / "rules.toml").open("rb") as file:
        rules = tomllib.load(file)

    assert VIOLATIONS.keys() == rules.keys()


@pytest.mark.slow
def test_without_a_violation_the_same_tests_pass(found: Mapping[str, Outcome]) -> None:
    outcome = found[NOTHING_PLANTED]

    assert outcome == Outcome(NOTHING_PLANTED, pytest.ExitCode.OK, [])


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(rule, id=f"{rule}-{it.plant.__name__}")
        for rule, it in VIOLATIONS.items()
    ],
)
def test_a_violation_fails_a_test_that_is_marked_with_its_rule(
    rule: str, found: Mapping[str, Outcome]
) -> None:
    outcome = found[rule]

    assert outcome.exit_code == pytest.ExitCode.TESTS_FAILED
    assert outcome.failed
