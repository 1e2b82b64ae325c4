"""Each store, open and empty."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chatstores import open_store
from tests.stores import StoreKind
from tests.unit.chatstores.store_driver import StoreDriver


@pytest.fixture
def url(store_kind: StoreKind, tmp_path: Path) -> Iterator[str]:
    with store_kind.running(tmp_path):
        yield store_kind.url_in(tmp_path)


@pytest.fixture
async def driver(url: str) -> AsyncIterator[StoreDriver]:
    async with open_store(url) as store:
        yield StoreDriver(store)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a store on disk may be."""
    return tmp_path / "chat.db"
