"""A mailbox in numbers, in each store."""

from chatcore.ids import AccountId
from chatcore.model import MailboxContents, SenderShare
from chatcore.surveys import contents_of
from tests.unit.chatstores.store_driver import NOW_MS, StoreDriver


async def test_an_empty_mailbox_and_none_hold_nothing(driver: StoreDriver) -> None:
    ada = await driver.register("ada")

    empty = await driver.store.shares(ada.id)
    none = await driver.store.shares(AccountId(77))

    assert list(empty) == list(none) == []
    assert contents_of(empty) == MailboxContents()


async def test_messages_are_counted_with_their_senders_and_bytes(
    driver: StoreDriver,
) -> None:
    ada, bob = await driver.register("ada"), await driver.register("bob")
    await driver.send(ada, "bob", "one", "zwölf", "x")
    await driver.send(bob, "bob", "nul\0nul")
    driver.acknowledge(bob, 1)

    shares = await driver.store.shares(bob.id)

    assert list(shares) == [
        SenderShare(ada.id, False, 2, 0, 6 + 1, NOW_MS),  # noqa: FBT003  # a row
        SenderShare(bob.id, False, 1, 0, 7, NOW_MS),  # noqa: FBT003  # a row
    ]
    assert contents_of(shares) == MailboxContents(
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
    decided = await driver.store.shares(ada.id)
    await driver.finish(eve.id)
    finished = await driver.store.shares(ada.id)

    stays = SenderShare(bob.id, False, 1, 0, 5, NOW_MS)  # noqa: FBT003  # a row
    told = SenderShare(eve.id, True, 0, 1, 0, NOW_MS)  # noqa: FBT003  # a row
    assert list(decided) == [stays]
    assert list(finished) == [stays, told]
    assert contents_of(finished) == MailboxContents(
        messages=1, bounces=1, body_bytes=5, senders=1, oldest_at_ms=NOW_MS
    )
