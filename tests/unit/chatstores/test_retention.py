"""Forgetting old keys, and what only they kept, in each store."""

import pytest

from chatcore.ids import BEFORE_FIRST, NO_KEY
from chatcore.limits import DAY_MS
from chatcore.model import Bounce, DeletionReceipt, Message
from chatcore.store import Declined
from tests.unit.chatstores.store_driver import (
    LAST_KEY,
    NOW_MS,
    Person,
    StoreDriver,
    key,
    positions,
)


@pytest.fixture
async def ada(driver: StoreDriver) -> Person:
    return await driver.register("ada")


@pytest.fixture
async def bob(driver: StoreDriver) -> Person:
    return await driver.register("bob")


@pytest.fixture
async def carol(driver: StoreDriver) -> Person:
    return await driver.register("carol")


@pytest.mark.rule("M2")
async def test_forgotten_keys_are_unknown(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "1", under=key(1))
    await driver.send(ada, "bob", "2", under=key(2))

    await driver.store.forget(key(2))

    old = await driver.send(ada, "bob", "1", under=key(1), oldest=key(2))
    known = await driver.send(ada, "bob", "2", under=key(2), oldest=key(2))
    assert old == [Declined.KEY_EXPIRED]
    assert positions(known) == [2]
    assert await driver.queued(bob) == 2


@pytest.mark.rule("B7", "M2")
async def test_a_key_below_the_horizon_is_expired_whatever_the_clock_says(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    ahead_ms = NOW_MS + 3650 * DAY_MS
    await driver.send(ada, "bob", "1", under=key(1))
    await driver.store.forget(key(0, at_ms=ahead_ms))

    repeats = [
        await driver.send(ada, "bob", "1", under=key(1), oldest=it)
        for it in (NO_KEY, key(0), key(0, at_ms=ahead_ms))
    ]
    known = await driver.send(ada, "bob", "2", under=key(1, at_ms=ahead_ms))
    again = await driver.send(
        ada, "bob", "2", under=key(1, at_ms=ahead_ms), oldest=LAST_KEY, newest=NO_KEY
    )

    assert repeats == [[Declined.KEY_EXPIRED]] * 3
    assert positions(known) == positions(again) == [2]
    assert await driver.queued(bob) == 2


@pytest.mark.rule("B7")
async def test_the_horizon_never_goes_back(driver: StoreDriver, ada: Person) -> None:
    assert await driver.store.horizon() == NO_KEY

    await driver.store.forget(key(5))
    await driver.store.forget(key(3))

    assert await driver.store.horizon() == key(5)
    assert await driver.send(ada, "ada", "x", under=key(4)) == [Declined.KEY_EXPIRED]
    assert positions(await driver.send(ada, "ada", "x", under=key(5))) == [1]


@pytest.mark.rule("D6")
async def test_forgetting_a_request_forgets_its_deletion(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.delete(ada, delivered=3, under=key(1))
    await driver.delete(bob, delivered=4, under=key(2))
    await driver.finish(ada.id)

    await driver.store.forget(key(3))

    assert await driver.store.first_use(key(1)) is None
    assert await driver.store.first_use(key(2)) is None
    assert (await driver.clean_up(ada.id)).receipt == DeletionReceipt()
    assert list(await driver.store.pending_deletions()) == [bob.id]
    assert (await driver.finish(bob.id)).receipt == DeletionReceipt(delivered=4)


@pytest.mark.rule("A5")
async def test_forgetting_leaves_the_names_that_mail_shows(
    driver: StoreDriver, ada: Person, bob: Person, carol: Person
) -> None:
    await driver.send(ada, "bob", "kept")
    await driver.send(bob, "carol", "discarded")
    await driver.erase(ada)
    await driver.erase(carol)

    await driver.store.forget(key(1))
    await driver.store.forget(key(1))

    message, bounce = await driver.read(bob)
    assert isinstance(message, Message)
    assert (message.sender, message.sender_deleted) == ("ada", True)
    assert isinstance(bounce, Bounce)
    assert (bounce.recipient, bounce.recipient_id) == ("carol", carol.id)
    assert bounce.position > BEFORE_FIRST
