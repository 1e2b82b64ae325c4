"""For all tests: in CI a skip is a failure, since it means that something is missing.

A matrix cell that does not apply is not generated, and what needs a program from
elsewhere is marked ``external`` and deselected; so a skipped test is one that should
have run. With ``CI=true`` in the environment the session then fails, and says where.
"""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import splitting


class SkipsFail:
    """A plugin that fails the session when any test or file was skipped."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that skipped itself."""
        if report.skipped:
            self.skipped.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that was skipped; an expected failure is none."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turn a success into a failure."""
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Say which ones, above the closing line."""
        for nodeid in self.skipped:
            terminalreporter.write_line(f"skipped in CI, which fails it: {nodeid}")


class OneAlone:
    """A plugin that lets a test marked ``alone`` run beside no other worker's test.

    Workers wait at the entry in the order of coming, so that who wants to be alone is
    not passed by those who share. The locks are of files that are there anyway
    (flock(2)); nothing is written.
    """

    def __init__(self, root: Path) -> None:
        self._entry = (root / "README.md").open("rb")
        self._machine = (root / "pyproject.toml").open("rb")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Hold the machine's lock during a test, with its fixtures."""
        import fcntl  # noqa: PLC0415  # Windows has none

        is_alone = item.get_closest_marker("alone") is not None
        fcntl.flock(self._entry, fcntl.LOCK_EX)
        fcntl.flock(self._machine, fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH)
        fcntl.flock(self._entry, fcntl.LOCK_UN)
        try:
            return (yield)
        finally:
            fcntl.flock(self._machine, fcntl.LOCK_UN)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take what conformance and moving both know."""
    parser.addoption(
        "--transport-module",
        default="",
        metavar="FILE.py",
        help="a transport to run on, with SCHEME, LISTENS and TRANSPORT; for "
        "tests/conformance and tests/moving",
    )


def pytest_report_header() -> str:
    """Say what repeats this run."""
    return f"frames of servers are split by {splitting.SEED}={splitting.seed()}"


def pytest_configure(config: pytest.Config) -> None:
    """Take skips for failures where CI runs; let Ctrl-C be Ctrl-C for all."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what runs in the background with SIGINT ignored, and every
        # program below would inherit that: those that tests interrupt, too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput") and sys.platform != "win32":
        config.pluginmanager.register(OneAlone(config.rootpath), "one-alone")
    if os.environ.get("CI") == "true":
        config.pluginmanager.register(SkipsFail(), "skips-fail")
