"""Runs tests with a violation planted: ``python -m tests.proof.plant M4 W6``.

This process imports the product and collects the tests, both once, and forks for each
rule. The child plants its violation, runs the tests that are marked with its rule until
one fails, and ends: no plant can leak into another. Beside them the same tests run with
nothing planted. What became of each is written as a line of JSON: the rule ("" for
nothing planted), pytest's exit code, and the tests that failed.

It has to be a process of its own: a fork is safe only where no thread runs. None does
here: grpc, too, has its own only from the first server or channel on, in a child.
"""

import gc
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

import pytest

from tests.proof.violations import VIOLATIONS

ROOT: Final = Path(__file__).resolve().parents[2]
AT_ONCE: Final = 2
NOTHING_PLANTED: Final = ""
CELLS: Final = ("loopback-protobuf-memory", "tcp-json-memory")
"""Of the matrix of tests/conformance, where a violation is looked for."""


class Outcome(NamedTuple):
    """What pytest made of a rule's tests."""

    rule: str
    exit_code: int
    failed: list[str]


class PlantedRun:
    """A plugin of a child: it plants a violation, and notes what fails.

    With a violation planted, one failure is enough; setting a test up or down is none.
    """

    def __init__(self, planted: str, left: Path) -> None:
        self._planted = planted
        self._left = left
        self._failed: list[str] = []

    def begin(self, items: list[pytest.Item]) -> None:
        """Plant it, and keep of the tests what is to find it."""
        log = os.open(self._left.with_suffix(".log"), os.O_WRONLY | os.O_CREAT)
        os.dup2(log, sys.stdout.fileno())
        os.dup2(log, sys.stderr.fileno())
        if self._planted != NOTHING_PLANTED:
            VIOLATIONS[self._planted].plant()
            items[:] = [it for it in items if looks_for(it, self._planted)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        if report.failed and report.when == "call":
            self._failed.append(report.nodeid)
            if self._planted != NOTHING_PLANTED:
                self.end(pytest.ExitCode.TESTS_FAILED)

    def end(self, exit_code: int) -> NoReturn:
        """End this process, and leave what became of its tests."""
        outcome = Outcome(self._planted, exit_code, self._failed)
        self._left.write_text(json.dumps(outcome), encoding="utf-8")
        os._exit(0)


class Forks:
    """A plugin that runs the tests of each of some rules in a child of its own.

    ``outcomes`` is the open file that their outcomes are written to.
    """

    def __init__(self, rules: Sequence[str], folder: Path, outcomes: int) -> None:
        self._rules = rules
        self._folder = folder
        self._outcomes = outcomes
        self._running: dict[int, Path] = {}
        self.child: PlantedRun | None = None
        """What this process has become by a fork."""

    def pytest_configure(self) -> None:
        """Let a property fail at once, and not by what another plant has found."""
        # Not above: pytest wants to load it first, to rewrite its asserts.
        from hypothesis import Phase, settings  # noqa: PLC0415

        at_once = (Phase.explicit, Phase.generate)
        settings.register_profile("planted", database=None, phases=at_once)
        settings.load_profile("planted")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what looks for one of the violations."""
        items[:] = [it for it in items if any(looks_for(it, of) for of in self._rules)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Fork for all, and then for each rule; in a child, go on to run the tests."""
        gc.freeze()  # what is not walked is not copied
        for planted in (NOTHING_PLANTED, *self._rules):
            if len(self._running) == AT_ONCE:
                self._wait_for_one()
            left = self._folder / f"{planted or 'nothing'}.json"
            child = os.fork()
            if not child:
                self.child = PlantedRun(planted, left)
                session.config.pluginmanager.register(self.child)
                self.child.begin(session.items)
                return None
            self._running[child] = left
        while self._running:
            self._wait_for_one()
        return True

    def _wait_for_one(self) -> None:
        child, status = os.wait()
        left = self._running.pop(child)
        if status:
            log = left.with_suffix(".log").read_text(encoding="utf-8")
            pytest.exit(f"{left.stem} came to no end:\n{log}", returncode=1)
        os.write(self._outcomes, left.read_bytes() + b"\n")


def looks_for(item: pytest.Item, rule: str) -> bool:
    """Whether a test is one that has to find the violation of a rule."""
    path = item.path.relative_to(ROOT).as_posix()
    is_in_matrix = "cell" in getattr(item, "fixturenames", ())
    return (
        path.startswith(VIOLATIONS[rule].tests)
        and any(rule in mark.args for mark in item.iter_markers("rule"))
        and (not is_in_matrix or any(cell in item.name for cell in CELLS))
    )


def run(rules: Sequence[str], folder: Path, outcomes: int) -> int:
    """Run the tests of some rules, as often as there are rules and once more."""
    forks = Forks(rules, folder, outcomes)
    places = dict.fromkeys(VIOLATIONS[rule].tests for rule in rules)
    options = ["-q", "-p", "no:cacheprovider", "--timeout=20", f"--rootdir={ROOT}"]
    # What is captured would be in one file for all the children.
    exit_code = int(pytest.main([*options, "--capture=no", *places], plugins=[forks]))
    if forks.child is not None:
        forks.child.end(exit_code)
    return exit_code


def main() -> None:
    """Plant what the command line names, or everything."""
    os.chdir(ROOT)
    # Who reads the outcomes is not told what pytest says meanwhile.
    outcomes = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with tempfile.TemporaryDirectory(prefix="chatcore-") as folder:
        sys.exit(run(sys.argv[1:] or list(VIOLATIONS), Path(folder), outcomes))


if __name__ == "__main__":
    main()
