"""What an export of an account is made from, in each store."""

from chatcore.ids import AccountId, AddressHash, Position
from chatcore.model import BEFORE_ALL_MAIL, AccountRecord, Place, SentPlace
from tests.unit.chatstores.store_driver import NOW_MS, Person, StoreDriver


async def walk(
    driver: StoreDriver, sender: Person, *, messages: int
) -> tuple[list[SentPlace], int]:
    """All that a walk finds, and the most that a part of it found."""
    found: list[SentPlace] = []
    most = 0
    place: Place | None = BEFORE_ALL_MAIL
    while place is not None:
        page = await driver.store.sent(sender.id, after=place, messages=messages)
        found += page.places
        most = max(most, len(page.places))
        place = page.after
    return found, most


async def test_a_record_tells_of_the_account_and_no_secret(
    driver: StoreDriver,
) -> None:
    ada = await driver.register("ada")
    for at_ms, address in ((NOW_MS + 7, b"work"), (NOW_MS + 5, b"home")):
        await driver.login(ada.id, address=AddressHash(address), at_ms=at_ms)

    record = await driver.store.account_record(ada.id)
    none = await driver.store.account_record(AccountId(77))

    assert record == AccountRecord(
        created_at_ms=NOW_MS,
        epoch=record.epoch if record else ada.epoch,
        has_session=True,
        logins_at_ms=(NOW_MS + 5, NOW_MS + 7),
    )
    assert record.epoch == ada.epoch + 2
    assert none is None


async def test_what_was_sent_and_not_acknowledged_is_found_in_parts(
    driver: StoreDriver,
) -> None:
    ada, bob = await driver.register("ada"), await driver.register("bob")
    eve, gone = await driver.register("eve"), await driver.register("gone")
    await driver.send(ada, "eve", "1", "2", "3")
    await driver.send(bob, "eve", "of bob")
    await driver.send(ada, "bob", "4", "taken")
    await driver.send(ada, "ada", "to oneself")
    await driver.send(ada, "gone", "discarded")
    driver.acknowledge(eve, 1)
    await driver.delete(gone)

    found, most = await walk(driver, ada, messages=2)
    nothing, _ = await walk(driver, gone, messages=2)

    assert found == [
        SentPlace(bob.name, bob.id, Position(1)),
        SentPlace(bob.name, bob.id, Position(2)),
        SentPlace(eve.name, eve.id, Position(2)),
        SentPlace(eve.name, eve.id, Position(3)),
    ]
    assert most == 2
    assert nothing == []
