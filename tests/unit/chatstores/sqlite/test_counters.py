"""What the SQLite store counts of itself, over faults and restarts."""

import asyncio
from pathlib import Path

from chatcore.ids import Position
from chatstores.sqlite import open_sqlite
from tests.unit.chatstores.store_driver import StoreDriver
from tests.unit.chatstores.test_counters import counters_of, waiting


async def test_what_was_rolled_back_does_not_wait(file: Path) -> None:
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada = await driver.register("ada")
        await driver.send(ada, "ada", "1", "2")

        outcomes = await asyncio.gather(
            driver.send(ada, "ada", "\ud800 cannot be written"),
            driver.send(ada, "ada", "3"),
            return_exceptions=True,
        )
        store.acknowledge(ada.id, ada.epoch, Position(1))

        assert isinstance(outcomes[0], UnicodeEncodeError)
        assert await waiting(driver) == 2

    async with open_sqlite(file) as store:
        assert await waiting(StoreDriver(store)) == 2


async def test_commits_that_write_are_observed_and_those_that_read_are_not(
    file: Path,
) -> None:
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada = await driver.register("ada")
        commit_s, rows = counters_of(driver).commit_s, counters_of(driver).commit_rows
        assert commit_s is not None
        assert rows is not None
        before = sum(commit_s.counts), sum(rows.counts), rows.total

        await driver.send(ada, "ada", *map(str, range(20)))
        await driver.read(ada)
        await store.mailbox(ada.id)

        assert sum(commit_s.counts) == before[0] + 1
        assert sum(rows.counts) == before[1] + 1
        assert rows.total == before[2] + 20
        assert commit_s.total > 0
