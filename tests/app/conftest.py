"""Servers of the command's tests."""

from collections.abc import Iterator

import pytest

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
