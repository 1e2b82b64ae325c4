"""Runs of pytest inside this one, which see the plug-in as an application's would."""

import asyncio
from collections.abc import Callable

import pytest

from chattesting import open_chat

ASYNCIO = "asyncio_default_fixture_loop_scope = function"
ALONE = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:xdist")


async def _open_and_close() -> None:
    async with open_chat() as chat:
        await chat.client("ada")


@pytest.fixture(scope="session")
def _everything_is_imported() -> None:
    """An inner run forgets what it was the first to import, and C modules with it."""
    asyncio.run(_open_and_close())


@pytest.fixture
def run_inside(
    pytester: pytest.Pytester, _everything_is_imported: None
) -> Callable[..., pytest.RunResult]:
    """Runs a file of tests with pytest; ``ini`` is a line of its configuration."""

    def run(tests: str, *arguments: str, ini: str = "") -> pytest.RunResult:
        pytester.makeini(f"[pytest]\n{ASYNCIO}\n{ini}\n")
        pytester.makepyfile(tests)
        return pytester.runpytest_inprocess(*ALONE, *arguments)

    return run
