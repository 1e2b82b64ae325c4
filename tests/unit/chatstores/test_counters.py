"""What stores count of themselves: the mail that waits, and their commits."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatcore.counters import StoreCounters
from chatstores import open_store
from tests.stores import StoreKind
from tests.unit.chatstores.store_driver import StoreDriver


@pytest.fixture
async def driver(
    counting_kind: StoreKind, tmp_path: Path
) -> AsyncIterator[StoreDriver]:
    with counting_kind.running(tmp_path):
        async with open_store(counting_kind.url_in(tmp_path)) as store:
            yield StoreDriver(store)


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
