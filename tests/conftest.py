"""For all tests: in CI a skip is a failure, since it means that something is missing.

A matrix cell that does not apply is not generated, and what needs a program from
elsewhere is marked ``external`` and deselected; so a skipped test is one that should
have run. With ``CI=true`` in the environment the session then fails, and says where.
"""

import os
import signal

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


def pytest_report_header() -> str:
    """Say what repeats this run."""
    return f"frames of servers are split by {splitting.SEED}={splitting.seed()}"


def pytest_configure(config: pytest.Config) -> None:
    """Take skips for failures where CI runs; let Ctrl-C be Ctrl-C for all."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what runs in the background with SIGINT ignored, and every
        # program below would inherit that: those that tests interrupt, too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if os.environ.get("CI") == "true":
        config.pluginmanager.register(SkipsFail(), "skips-fail")
