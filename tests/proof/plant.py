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
from collections.abc import Iterator, Sequence
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
    """A plugin that runs only the tests of some rules, and notes what fails."""

    def __init__(self, rules: Sequence[str]) -> None:
        self._rules = rules
        self.failed: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what a violation is looked for with."""
        items[:] = [it for it in items if self._is_wanted(it)]

    def _is_wanted(self, item: pytest.Item) -> bool:
        path = item.path.relative_to(ROOT).as_posix()
        marked = {name for mark in item.iter_markers("rule") for name in mark.args}
        return any(
            rule in marked and path.startswith(VIOLATIONS[rule].tests)
            for rule in self._rules
        ) and ("[" not in item.name or self._is_in_a_quick_cell(item))

    @staticmethod
    def _is_in_a_quick_cell(item: pytest.Item) -> bool:
        is_a_cell = "cell" in getattr(item, "fixturenames", ())
        return not is_a_cell or any(cell in item.name for cell in CELLS)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        if report.failed:
            self.failed.append(report.nodeid)


def run(rules: Sequence[str], *, planted: bool) -> Outcome:
    """Run the tests of some rules here; nothing of this process is fit for more."""
    for rule in rules if planted else ():
        VIOLATIONS[rule].plant()
    only = OnlyMarked(rules)
    places = dict.fromkeys(VIOLATIONS[rule].tests for rule in rules)
    options = ["-q", "-p", "no:cacheprovider", "--timeout=20", *(["-x"] * planted)]
    code = pytest.main([*options, f"--rootdir={ROOT}", *places], plugins=[only])
    return Outcome(rules[0] if planted else "", int(code), only.failed)


def fork(rules: Sequence[str], told: Path, *, planted: bool) -> int:
    """Begin a run in a child; its id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        with told.with_suffix(".log").open("w") as log:
            os.dup2(log.fileno(), sys.stdout.fileno())
            os.dup2(log.fileno(), sys.stderr.fileno())
            outcome = run(rules, planted=planted)
        told.write_text(json.dumps(outcome), encoding="utf-8")
        code = 0
    finally:
        os._exit(code)


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
