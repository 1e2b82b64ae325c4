"""Each store, open and empty."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatstores import open_store
from tests.unit.chatstores.store_driver import StoreDriver


@pytest.fixture(params=["memory", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return {"memory": "memory:", "sqlite": f"sqlite:///{tmp_path}/chat.db"}[
        request.param
    ]


@pytest.fixture
async def driver(url: str) -> AsyncIterator[StoreDriver]:
    async with open_store(url) as store:
        yield StoreDriver(store)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a store on disk may be."""
    return tmp_path / "chat.db"
