"""What it takes SQLite to know who holds how much of a crowded mailbox (B6)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatcore.errors import StoreUnavailable
from chatcore.store import Declined, MailboxRoom
from chatstores.sqlite import SqliteStore, open_sqlite
from tests.unit.chatstores.sqlite.disk import FailingDisk
from tests.unit.chatstores.store_driver import Person, StoreDriver, letter, positions

STEPS = 10
"""Steps of SQLite's machine between two counts."""

TURNS = 200

ROOM = MailboxRoom(full=2_000, crowded=1_500, share=500)


class Steps:
    """Counts what the connection of a store does from now on."""

    def __init__(self, store: SqliteStore) -> None:
        self.taken = 0
        store._database.batch.connection.set_progress_handler(self._count, STEPS)

    def _count(self) -> bool:
        self.taken += STEPS
        return False


@pytest.fixture
async def store(file: Path) -> AsyncIterator[SqliteStore]:
    async with open_sqlite(file) as store:
        yield store


async def _hover(
    driver: StoreDriver, senders: list[Person], owner: Person, turns: int
) -> None:
    """One message leaves for each that comes."""
    for turn in range(turns):
        acknowledged = (await driver.store.mailbox(owner.id)).acknowledged
        driver.acknowledge(owner, acknowledged + 1)
        sender = senders[turn % len(senders)]
        assert positions(await driver.send(sender, owner.name, "x", room=ROOM))


@pytest.mark.rule("B6")
@pytest.mark.parametrize("messages", [1_501, 1_990])
@pytest.mark.parametrize("bounced", [False, True])
async def test_a_mailbox_at_the_edge_is_not_counted_for_each_deposit(
    store: SqliteStore,
    messages: int,
    bounced: bool,  # noqa: FBT001
) -> None:
    driver = StoreDriver(store)
    owner, gone = await driver.register("owner"), await driver.register("gone")
    senders = [await driver.register(f"sender{number}") for number in range(10)]
    await driver.deposit(
        *(letter(senders[it % 10], "owner", "x") for it in range(messages))
    )
    if bounced:  # not every position has a message then
        await driver.send(owner, "gone", "x")
        await driver.erase(gone)
    steps = Steps(store)

    await _hover(driver, senders, owner, TURNS)

    # To count takes some steps for each message.
    assert steps.taken < TURNS * messages


@pytest.mark.rule("B6", "E2")
async def test_what_was_not_stored_is_in_no_share(file: Path) -> None:
    disk = FailingDisk()
    room = MailboxRoom(full=9, crowded=4, share=3)
    async with open_sqlite(file, vfs=disk.name) as store:
        driver = StoreDriver(store)
        ada, bob = await driver.register("ada"), await driver.register("bob")
        await driver.send(bob, "bob", *"123")
        await driver.send(ada, "bob", "4", "5", room=room)
        disk.full = True
        with pytest.raises(StoreUnavailable):
            await driver.send(ada, "bob", "6", room=room)
        disk.full = False

        results = await driver.send(ada, "bob", "6", "7", room=room)

    assert positions(results[:1]) == [6]
    assert results[1:] == [Declined.MAILBOX_SHARE]
    disk.unregister()


@pytest.mark.rule("B6")
async def test_counts_of_too_many_senders_are_dropped_and_made_again(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = StoreDriver(store)
    people = [await driver.register(name) for name in ("ada", "bob", "carol")]
    for it in people:
        for sender in people:
            await driver.send(sender, it.name, "1", "2")
    monkeypatch.setattr("chatstores.sqlite.cache.CACHED", 4)
    room = MailboxRoom(full=9, crowded=6, share=3)

    for _ in range(2):
        for it in people:
            await driver.send(people[0], it.name, "3", room=room)

    assert [await driver.queued(it) for it in people] == [7, 7, 7]
