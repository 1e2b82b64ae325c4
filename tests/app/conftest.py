"""Servers of the command's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.oneshots import Commands
from tests.app.processes import RunningServer, on_memory, running_server


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    """A server in memory for all tests: each has accounts of other names."""
    with running_server(*on_memory()) as running:
        yield running


@pytest.fixture
def own_server() -> Iterator[RunningServer]:
    """A server in memory for one test, with no account yet."""
    with running_server(*on_memory()) as running:
        yield running


@pytest.fixture
def run(
    server: RunningServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Commands:
    """One-shot commands against the server that all tests share."""
    return Commands(server.url, tmp_path, monkeypatch, capfd)
