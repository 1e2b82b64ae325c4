"""For all tests: over which stores they run, and that in CI a skip is a failure.

A test that takes an argument of ``_CHOICES`` runs over each store that it is for: see
``tests.stores``.

A matrix cell that does not apply is not generated, and what needs a program from
elsewhere is marked ``external`` and deselected; so a skipped test is one that should
have run. With ``CI=true`` in the environment the session then fails, and says where.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

from tests.faults import splitting
from tests.modules import UnusableModule
from tests.stores import NEEDED, STORE_MODULE, StoreKind, kinds_of

# How long one example takes says how busy the machine is, and nothing else.
settings.register_profile("chatcore", deadline=None)
settings.load_profile("chatcore")

STORE_KINDS: Final = pytest.StashKey[Sequence[StoreKind]]()

_CHOICES: Final[Mapping[str, Callable[[StoreKind], bool]]] = {
    "store_kind": lambda _: True,
    "durable_kind": lambda it: it.durable,
    "counting_kind": lambda it: it.counts,
    "outbox_kind": lambda it: it.keeps_webhooks,
    "served_kind": lambda it: bool(it.server),
}
"""Over which stores a test runs that takes an argument of this name."""


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
    """Take what several folders of tests know."""
    parser.addoption(
        "--transport-module",
        default="",
        metavar="FILE.py",
        help="a transport to run on, with SCHEME, LISTENS and TRANSPORT; for "
        "tests/conformance and tests/moving",
    )
    parser.addoption(
        STORE_MODULE,
        default="",
        metavar="FILE.py",
        help=f"a store to run on instead of ours: a module with {', '.join(NEEDED)}; "
        "of other tests none is run",
    )


def store_kinds(config: pytest.Config) -> Sequence[StoreKind]:
    """The stores that tests go over; raises ``pytest.UsageError``."""
    if STORE_KINDS not in config.stash:
        try:
            config.stash[STORE_KINDS] = kinds_of(config.getoption(STORE_MODULE))
        except UnusableModule as error:
            raise pytest.UsageError(str(error)) from error
    return config.stash[STORE_KINDS]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test over the stores that it asks for."""
    nothing = pytest.param(None, id="no store", marks=pytest.mark.no_store)
    for name in _CHOICES.keys() & set(metafunc.fixturenames):
        kinds = [it for it in store_kinds(metafunc.config) if _CHOICES[name](it)]
        metafunc.parametrize(name, kinds or [nothing], ids=str)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Deselect what goes over no store, or with another store over none at all."""
    is_asked = bool(config.getoption(STORE_MODULE))
    left_out = [
        it
        for it in items
        if it.get_closest_marker("no_store") or (is_asked and not _goes_over_stores(it))
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [it for it in items if it not in set(left_out)]


def _goes_over_stores(item: pytest.Item) -> bool:
    taken = getattr(item, "fixturenames", ())
    return bool(_CHOICES.keys() & set(taken) or item.get_closest_marker("cells"))


def pytest_report_header() -> str:
    """Say what repeats this run."""
    return f"frames of servers are split by {splitting.SEED}={splitting.seed()}"


def pytest_configure(config: pytest.Config) -> None:
    """Take skips for failures where CI runs; let Ctrl-C be Ctrl-C for all."""
    config.addinivalue_line("markers", "no_store: runs over none of the stores")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what runs in the background with SIGINT ignored, and every
        # program below would inherit that: those that tests interrupt, too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput") and sys.platform != "win32":
        config.pluginmanager.register(OneAlone(config.rootpath), "one-alone")
    if os.environ.get("CI") == "true":
        config.pluginmanager.register(SkipsFail(), "skips-fail")
