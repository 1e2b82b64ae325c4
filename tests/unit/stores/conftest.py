"""Each store, open and empty."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stores import open_store
from tests.unit.stores.desk import Desk


@pytest.fixture(params=["memory", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return {"memory": "memory:", "sqlite": f"sqlite:///{tmp_path}/chat.db"}[
        request.param
    ]


@pytest.fixture
async def desk(url: str) -> AsyncIterator[Desk]:
    async with open_store(url) as store:
        yield Desk(store)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a store on disk may be."""
    return tmp_path / "chat.db"
