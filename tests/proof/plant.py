"""Runs tests with a violation planted: ``python -m tests.proof.plant M4 W6``.

This process imports the product once and forks for each rule. The child plants its
violation, runs the tests that are marked with its rule until one fails, and ends: no
plant can leak into another. Before them the same tests run with nothing planted. What
became of each is written as a line of JSON: the rule ("" for nothing planted), pytest's
exit code, and the tests that failed.

It has to be a process of its own: a fork is safe only where no thread runs.
"""

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.proof.violations import VIOLATIONS

ROOT: Final = Path(__file__).resolve().parents[2]
AT_ONCE: Final = 2
CELLS: Final = ("loopback-protobuf-memory", "tcp-json-memory")
"""Of the matrix of tests/conformance, where a violation is looked for."""


class Outcome(NamedTuple):
    """What pytest made of a rule's tests."""

    rule: str
    exit_code: int
    failed: list[str]


class OnlyMarked:
    """A plugin that runs only the tests of some rules, and notes what fails.

    ``found`` is called at each failure; setting a test up or down is none of them.
    """

    def __init__(self, rules: Sequence[str], found: Callable[[str], None]) -> None:
        self._rules = rules
        self._found = found

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what a violation is looked for with."""
        items[:] = [it for it in items if self._is_wanted(it)]

    def _is_wanted(self, item: pytest.Item) -> bool:
        path = item.path.relative_to(ROOT).as_posix()
        marked = {name for mark in item.iter_markers("rule") for name in mark.args}
        looked_for = marked.intersection(self._rules)
        is_in_matrix = "cell" in getattr(item, "fixturenames", ())
        return any(path.startswith(VIOLATIONS[it].tests) for it in looked_for) and (
            not is_in_matrix or any(cell in item.name for cell in CELLS)
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell of a failure."""
        if report.failed and report.when == "call":
            self._found(report.nodeid)


def run(rules: Sequence[str], found: Callable[[str], None]) -> int:
    """Run the tests of some rules here; pytest's exit code."""
    places = dict.fromkeys(VIOLATIONS[rule].tests for rule in rules)
    options = ["-q", "-p", "no:cacheprovider", "--timeout=20", f"--rootdir={ROOT}"]
    return int(pytest.main([*options, *places], plugins=[OnlyMarked(rules, found)]))


def fork(rules: Sequence[str], told: Path, *, planted: bool) -> int:
    """Begin a run in a child; its id. A planted run ends at its first failure."""
    child = os.fork()
    if child:
        return child
    failed: list[str] = []

    def end(exit_code: int) -> None:
        outcome = Outcome(rules[0] if planted else "", exit_code, failed)
        told.write_text(json.dumps(outcome), encoding="utf-8")
        os._exit(0)

    def found(test: str) -> None:
        failed.append(test)
        if planted:
            end(pytest.ExitCode.TESTS_FAILED)

    try:
        log = os.open(told.with_suffix(".log"), os.O_WRONLY | os.O_CREAT)
        os.dup2(log, sys.stdout.fileno())
        os.dup2(log, sys.stderr.fileno())
        for rule in rules if planted else ():
            VIOLATIONS[rule].plant()
        end(run(rules, found))
    except BaseException:  # noqa: BLE001  # what follows a child's end is its parent's
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(1)


def outcomes(rules: Sequence[str], folder: Path) -> Iterator[Outcome]:
    """What became of each rule, and before them of all without any violation."""
    jobs = [(list(rules), False), *(([rule], True) for rule in rules)]
    running: dict[int, Path] = {}
    while jobs or running:
        while jobs and len(running) < AT_ONCE:
            some, planted = jobs.pop(0)
            told = folder / f"{some[0] if planted else 'nothing'}.json"
            running[fork(some, told, planted=planted)] = told
        child, status = os.wait()
        told = running.pop(child)
        if status:
            log = told.with_suffix(".log").read_text(encoding="utf-8")
            sys.exit(f"{told.stem} came to no end:\n{log}")
        yield Outcome(*json.loads(told.read_text(encoding="utf-8")))


def main() -> None:
    """Plant what the command line names, or everything."""
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory(prefix="chatcore-") as folder:
        for outcome in outcomes(sys.argv[1:] or list(VIOLATIONS), Path(folder)):
            print(json.dumps(outcome), flush=True)  # noqa: T201  # its reader waits


if __name__ == "__main__":
    main()
