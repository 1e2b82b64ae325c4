"""A mailbox in numbers, in each store."""

from chatcore.ids import AccountId
from chatcore.model import MailboxContents
from tests.unit.chatstores.store_driver import NOW_MS, StoreDriver


async def test_an_empty_mailbox_and_none_hold_nothing(driver: StoreDriver) -> None:
    ada = await driver.register("ada")

    empty = await driver.store.mailbox_contents(ada.id)
    none = await driver.store.mailbox_contents(AccountId(77))

    assert empty == none == MailboxContents()


async def test_messages_are_counted_with_their_senders_and_bytes(
    driver: StoreDriver,
) -> None:
    ada, bob = await driver.register("ada"), await driver.register("bob")
    await driver.send(ada, "bob", "one", "zwölf", "x")
    await driver.send(bob, "bob", "nul\0nul")
    driver.acknowledge(bob, 1)

    contents = await driver.store.mailbox_contents(bob.id)

    assert contents == MailboxContents(
        messages=3, body_bytes=6 + 1 + 7, senders=2, oldest_at_ms=NOW_MS
    )


async def test_bounces_are_counted_apart_and_what_is_retracted_is_not(
    driver: StoreDriver,
) -> None:
    ada, bob = await driver.register("ada"), await driver.register("bob")
    eve = await driver.register("eve")
    await driver.send(ada, "eve", "one", "two")
    await driver.send(eve, "ada", "taken back")
    await driver.send(bob, "ada", "stays")

    assert await driver.delete(eve, retract=True)
    decided = await driver.store.mailbox_contents(ada.id)
    await driver.finish(eve.id)
    finished = await driver.store.mailbox_contents(ada.id)

    stays = MailboxContents(messages=1, body_bytes=5, senders=1, oldest_at_ms=NOW_MS)
    assert decided == stays
    assert (finished.messages, finished.bounces, finished.body_bytes) == (1, 1, 5)
