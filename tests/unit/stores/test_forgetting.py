"""Forgetting old keys, and what only they kept, in each store."""

import pytest

from chatcore.ids import BEFORE_FIRST, NO_KEY
from chatcore.limits import DAY_MS
from chatcore.model import Bounce, DeletionReceipt, Message
from chatcore.store import Declined
from tests.unit.stores.desk import LAST_KEY, NOW_MS, Desk, Person, key, positions


@pytest.fixture
async def ada(desk: Desk) -> Person:
    return await desk.register("ada")


@pytest.fixture
async def bob(desk: Desk) -> Person:
    return await desk.register("bob")


@pytest.fixture
async def carol(desk: Desk) -> Person:
    return await desk.register("carol")


@pytest.mark.rule("M2")
async def test_forgotten_keys_are_unknown(desk: Desk, ada: Person, bob: Person) -> None:
    await desk.send(ada, "bob", "1", under=key(1))
    await desk.send(ada, "bob", "2", under=key(2))

    await desk.store.forget(key(2))

    old = await desk.send(ada, "bob", "1", under=key(1), oldest=key(2))
    known = await desk.send(ada, "bob", "2", under=key(2), oldest=key(2))
    assert old == [Declined.KEY_EXPIRED]
    assert positions(known) == [2]
    assert await desk.queued(bob) == 2


@pytest.mark.rule("B7", "M2")
async def test_a_key_below_the_horizon_is_expired_whatever_the_clock_says(
    desk: Desk, ada: Person, bob: Person
) -> None:
    ahead_ms = NOW_MS + 3650 * DAY_MS
    await desk.send(ada, "bob", "1", under=key(1))
    await desk.store.forget(key(0, at_ms=ahead_ms))

    repeats = [
        await desk.send(ada, "bob", "1", under=key(1), oldest=it)
        for it in (NO_KEY, key(0), key(0, at_ms=ahead_ms))
    ]
    known = await desk.send(ada, "bob", "2", under=key(1, at_ms=ahead_ms))
    again = await desk.send(
        ada, "bob", "2", under=key(1, at_ms=ahead_ms), oldest=LAST_KEY, newest=NO_KEY
    )

    assert repeats == [[Declined.KEY_EXPIRED]] * 3
    assert positions(known) == positions(again) == [2]
    assert await desk.queued(bob) == 2


@pytest.mark.rule("B7")
async def test_the_horizon_never_goes_back(desk: Desk, ada: Person) -> None:
    assert await desk.store.horizon() == NO_KEY

    await desk.store.forget(key(5))
    await desk.store.forget(key(3))

    assert await desk.store.horizon() == key(5)
    assert await desk.send(ada, "ada", "x", under=key(4)) == [Declined.KEY_EXPIRED]
    assert positions(await desk.send(ada, "ada", "x", under=key(5))) == [1]


@pytest.mark.rule("D6")
async def test_forgetting_a_request_forgets_its_deletion(
    desk: Desk, ada: Person, bob: Person
) -> None:
    await desk.delete(ada, delivered=3, under=key(1))
    await desk.delete(bob, delivered=4, under=key(2))
    await desk.finish(ada.id)

    await desk.store.forget(key(3))

    assert await desk.store.first_answer(key(1)) is None
    assert await desk.store.first_answer(key(2)) is None
    assert (await desk.clean_up(ada.id)).receipt == DeletionReceipt()
    assert list(await desk.store.pending_deletions()) == [bob.id]
    assert (await desk.finish(bob.id)).receipt == DeletionReceipt(delivered=4)


@pytest.mark.rule("A5")
async def test_forgetting_leaves_the_names_that_mail_shows(
    desk: Desk, ada: Person, bob: Person, carol: Person
) -> None:
    await desk.send(ada, "bob", "kept")
    await desk.send(bob, "carol", "discarded")
    await desk.erase(ada)
    await desk.erase(carol)

    await desk.store.forget(key(1))
    await desk.store.forget(key(1))

    message, bounce = await desk.read(bob)
    assert isinstance(message, Message)
    assert (message.sender, message.sender_deleted) == ("ada", True)
    assert isinstance(bounce, Bounce)
    assert (bounce.recipient, bounce.recipient_id) == ("carol", carol.id)
    assert bounce.position > BEFORE_FIRST
