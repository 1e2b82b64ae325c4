"""What stores count of themselves: the mail that waits, and their commits."""

import asyncio
from pathlib import Path

import pytest

from chatcore.counters import StoreCounters
from chatcore.ids import Position
from chatstores.sqlite import open_sqlite
from tests.unit.chatstores.store_driver import StoreDriver


def counters_of(driver: StoreDriver) -> StoreCounters:
    """Those of the store."""
    found: object = getattr(driver.store, "counters", None)
    assert isinstance(found, StoreCounters)
    return found


async def waiting(driver: StoreDriver) -> int:
    """How much mail waits, once all that was acknowledged is committed."""
    await driver.store.flush()
    return counters_of(driver).waiting


async def test_mail_waits_from_its_deposit_to_its_acknowledgement(
    driver: StoreDriver,
) -> None:
    ada, bob = await driver.register("ada"), await driver.register("bob")

    seen = [await waiting(driver)]
    await driver.send(ada, "bob", "1", "2", "3")
    await driver.send(bob, "ada", "4")
    await driver.send(bob, "nobody", "5")
    seen.append(await waiting(driver))
    driver.acknowledge(bob, 2)
    seen.append(await waiting(driver))
    driver.acknowledge(bob, 2)
    seen.append(await waiting(driver))

    assert seen == [0, 4, 2, 2]


@pytest.mark.rule("D4")
async def test_a_deletion_takes_mail_out_and_puts_bounces_in(
    driver: StoreDriver,
) -> None:
    ada, bob = await driver.register("ada"), await driver.register("bob")
    await driver.send(ada, "bob", "1", "2", "3")
    await driver.send(bob, "bob", "to myself")
    await driver.send(bob, "ada", "mine")

    await driver.erase(bob, retract=True)
    discarded = await waiting(driver)
    held = await driver.read(ada)
    await driver.erase(ada)

    assert discarded == len(held) == 1
    assert await waiting(driver) == 0


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
