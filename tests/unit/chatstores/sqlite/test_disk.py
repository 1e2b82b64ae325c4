"""What the SQLite store writes, when, and what it does when the disk fails."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chatcore.errors import OutcomeUnknown, StoreUnavailable
from chatcore.ids import AddressHash, PasswordHash, Position, Username
from chatcore.limits import DAY_MS
from chatcore.model import DeletionReceipt
from chatcore.store import Declined, Stored
from chatstores.sqlite import SqliteStore, open_sqlite
from tests.unit.chatstores.sqlite.disk import FailingDisk
from tests.unit.chatstores.store_driver import (
    NOW_MS,
    StoreDriver,
    key,
    letter,
    positions,
)


@pytest.fixture
def disk() -> Iterator[FailingDisk]:
    disk = FailingDisk()
    yield disk
    disk.unregister()


@pytest.fixture
async def store(disk: FailingDisk, file: Path) -> AsyncIterator[SqliteStore]:
    async with open_sqlite(file, vfs=disk.name) as store:
        yield store


@pytest.fixture
def driver(store: SqliteStore) -> StoreDriver:
    return StoreDriver(store)


@pytest.mark.rule("M1")
async def test_calls_that_wait_share_one_commit(
    store: SqliteStore, driver: StoreDriver, disk: FailingDisk
) -> None:
    ada, bob = await driver.register("ada"), await driver.register("bob")
    transactions, syncs = store.transactions, disk.syncs

    # All of them are queued before the event loop lets go of this task.
    async with asyncio.TaskGroup() as callers:
        for number in range(100):
            sender, to = (ada, "bob") if number % 2 else (bob, "ada")
            callers.create_task(driver.send(sender, to, f"message {number}"))

    assert await driver.queued(bob) == 50
    # The first caller may have woken the thread before the others came.
    assert store.transactions - transactions <= 1 + 2 + 1
    assert disk.syncs - syncs <= 1 + 2


@pytest.mark.rule("M1")
async def test_a_result_comes_after_the_sync(
    driver: StoreDriver, disk: FailingDisk
) -> None:
    ada = await driver.register("ada")
    syncs = disk.syncs

    await driver.send(ada, "ada", "hi")

    assert disk.syncs == syncs + 1


@pytest.mark.rule("M4")
async def test_acknowledgements_ride_on_the_next_transaction(
    store: SqliteStore, driver: StoreDriver
) -> None:
    ada = await driver.register("ada")
    await driver.send(ada, "ada", *"12345")
    transactions = store.transactions

    for position in range(1, 5):
        driver.acknowledge(ada, position)
    await driver.send(ada, "ada", "6")

    assert store.transactions == transactions + 1
    assert await driver.bodies(ada) == ["5", "6"]


@pytest.mark.rule("M4")
async def test_the_next_page_of_mail_does_not_wait_for_a_sync_of_acknowledgements(
    store: SqliteStore, driver: StoreDriver, disk: FailingDisk
) -> None:
    ada = await driver.register("ada")
    await driver.send(ada, "ada", *"12345")
    assert await driver.bodies(ada) == [*"12345"]  # which writes the journal's rows
    syncs = disk.syncs

    driver.acknowledge(ada, 2)
    page = await store.read(ada.id, after=Position(2), messages=2, body_bytes=1000)
    driver.acknowledge(ada, 4)
    last = await store.read(ada.id, after=Position(4), messages=2, body_bytes=1000)

    assert [it.position for it in (*page, *last)] == [3, 4, 5]
    assert disk.syncs == syncs
    assert await driver.bodies(ada) == ["5"]  # whoever begins anew has it done first


async def test_many_acknowledgements_do_not_wait_for_a_second(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is too little to be written at once would wait for as long as the test has.
    monkeypatch.setattr("chatstores.call_queue.TELL_WITHIN_S", 3600)
    ada = await driver.register("ada")
    await driver.deposit(*(letter(ada, "ada", "x") for _ in range(1024)))
    committed = asyncio.Event()

    for position in range(1, 1025):
        driver.store.acknowledge(
            ada.id,
            ada.epoch,
            Position(position),
            committed.set if position == 1024 else None,
        )

    async with asyncio.timeout(30):
        await committed.wait()


async def test_a_caller_that_is_cancelled_harms_nobody(driver: StoreDriver) -> None:
    ada = await driver.register("ada")
    async with asyncio.TaskGroup() as callers:
        cancelled = callers.create_task(driver.send(ada, "ada", "one"))
        other = callers.create_task(driver.send(ada, "ada", "two"))
        await asyncio.sleep(0)

        cancelled.cancel()

    assert len(positions(other.result())) == 1
    assert "two" in await driver.bodies(ada)


async def test_what_committed_raises_is_its_own_affair(driver: StoreDriver) -> None:
    ada = await driver.register("ada")
    await driver.send(ada, "ada", "one")
    loop, raised = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: raised.append(context["exception"]))

    def fail() -> None:
        raise LookupError

    driver.store.acknowledge(ada.id, ada.epoch, Position(1), fail)
    await driver.store.flush()
    await asyncio.sleep(0)

    assert [type(it) for it in raised] == [LookupError]
    assert await driver.queued(ada) == 0


@pytest.mark.rule("E2")
async def test_a_full_disk_refuses_and_changes_nothing(
    driver: StoreDriver, disk: FailingDisk
) -> None:
    ada = await driver.register("ada")
    await driver.send(ada, "ada", "one", under=key(1))

    disk.full = True
    with pytest.raises(StoreUnavailable, match="full"):
        await driver.send(ada, "ada", "two", under=key(2))
    with pytest.raises(StoreUnavailable):
        await driver.register("bob")

    # It can still be read,
    assert await driver.bodies(ada) == ["one"]
    disk.full = False
    # and once there is room, all is as if nothing had been tried.
    assert await driver.store.find_account(Username("bob")) is None
    assert await driver.send(ada, "ada", "two", under=key(2)) == [
        Stored(ada.id, Position(2), NOW_MS, new=True)
    ]


async def test_on_a_full_disk_those_who_only_read_are_served(
    driver: StoreDriver, disk: FailingDisk
) -> None:
    ada = await driver.register("ada")
    await driver.send(ada, "ada", "one")
    disk.full = True

    results = await asyncio.gather(
        driver.send(ada, "ada", "two"),
        driver.bodies(ada),
        driver.send(ada, "ada", "three"),
        driver.store.find_account(ada.name),
        return_exceptions=True,
    )

    disk.full = False
    assert [type(it).__name__ for it in results] == [
        "StoreUnavailable",
        "list",
        "StoreUnavailable",
        "Account",
    ]


async def test_an_acknowledgement_that_found_no_room_is_not_told(
    driver: StoreDriver, disk: FailingDisk
) -> None:
    ada = await driver.register("ada")
    await driver.send(ada, "ada", "one", "two")
    told: list[str] = []
    disk.full = True

    driver.store.acknowledge(ada.id, ada.epoch, Position(1), lambda: told.append("1"))
    await driver.store.flush()

    disk.full = False
    assert await driver.bodies(ada) == ["one", "two"]
    assert told == []
    driver.acknowledge(ada, 2)
    assert await driver.queued(ada) == 0


@pytest.mark.rule("M1")
async def test_a_commit_without_an_answer_is_its_own_error(
    driver: StoreDriver, disk: FailingDisk
) -> None:
    ada = await driver.register("ada")
    disk.broken = True

    results = await asyncio.gather(
        driver.send(ada, "ada", "one", under=key(1)),
        driver.send(ada, "ada", "two", under=key(2)),
        return_exceptions=True,
    )

    disk.broken = False
    assert [type(it) for it in results] == [OutcomeUnknown, OutcomeUnknown]
    again = await driver.send(ada, "ada", "one", under=key(1))
    assert len(positions(again)) == 1
    assert (await driver.bodies(ada)).count("one") == 1


async def test_a_fault_reaches_its_caller_and_nobody_else(driver: StoreDriver) -> None:
    ada = await driver.register("ada")
    not_utf8 = letter(ada, "ada", "x", under=key(1))._replace(body="\ud800")

    fault, fine = await asyncio.gather(
        driver.deposit(not_utf8),
        driver.send(ada, "ada", "fine"),
        return_exceptions=True,
    )

    assert isinstance(fault, UnicodeEncodeError)
    assert isinstance(fine, list)
    assert await driver.bodies(ada) == ["fine"]


async def test_a_closed_store_says_so_and_takes_no_more(file: Path) -> None:
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada = await driver.register("ada")
        await driver.send(ada, "ada", "one")

    with pytest.raises(StoreUnavailable, match="closed"):
        await store.flush()
    driver.acknowledge(ada, 1)

    async with open_sqlite(file) as store:
        assert await StoreDriver(store).bodies(ada) == ["one"]


@pytest.mark.rule("S6")
async def test_everything_is_there_when_the_store_is_opened_again(file: Path) -> None:
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        await store.create_account(
            Username("zoe"), PasswordHash("z"), key=key(5), at_ms=NOW_MS
        )
        ada, bob = await driver.register("ada"), await driver.register("bob")
        token = driver.new_token()
        bob = await driver.login(bob.id, token=token, address=AddressHash(b"home"))
        await driver.send(ada, "bob", "one", "two", "three")
        await driver.send(ada, "bob", "four", under=key(1))
        driver.acknowledge(bob, 1)

    async with open_sqlite(file) as store:
        driver = StoreDriver(store)

        assert (await store.mailbox(bob.id)).acknowledged == 1
        assert await driver.bodies(bob) == ["two", "three", "four"]
        assert [it.token_hash for it in await store.sessions()][-1] == token
        again = await store.resume_session(token, last_seen=Position(4))
        assert again is not None
        assert again.epoch == bob.epoch + 1
        assert await store.knows_address(bob.id, AddressHash(b"home"), since_ms=NOW_MS)
        assert await driver.send(ada, "bob", "four", under=key(1)) == [
            Stored(bob.id, Position(4), NOW_MS, new=False)
        ]
        assert positions(await driver.send(ada, "bob", "five", under=key(2))) == [5]
        first = await store.first_use(key(5))
        assert first is not None
        assert first.username == "zoe"


@pytest.mark.rule("M2")
async def test_keys_of_several_days_are_known_when_opened_again(file: Path) -> None:
    keys = [key(1, at_ms=NOW_MS + day * DAY_MS) for day in range(3)]
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada = await driver.register("ada")
        for it in keys:
            await driver.send(ada, "ada", "x", under=it)

    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        repeats = [await driver.send(ada, "ada", "x", under=it) for it in keys]

        assert [positions(it) for it in repeats] == [[1], [2], [3]]
        assert await driver.queued(ada) == 3


@pytest.mark.rule("B7", "M2")
async def test_a_forgotten_key_stays_forgotten_when_opened_again(file: Path) -> None:
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada = await driver.register("ada")
        await driver.send(ada, "ada", "one", under=key(1))
        await store.forget(key(2))

    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        again = await driver.send(ada, "ada", "one", under=key(1))
        never_seen = await driver.send(ada, "ada", "two", under=key(0))
        horizon = await store.horizon()

    assert again == never_seen == [Declined.KEY_EXPIRED]
    assert horizon == key(2)


@pytest.mark.rule("D5")
@pytest.mark.parametrize("retract", [True, False])
async def test_a_clean_up_goes_on_where_it_was(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    retract: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setattr("chatstores.sqlite.pagination.PAGE_ROWS", 2)
    monkeypatch.setattr("chatstores.sqlite.clean_up.PAGE_ROWS", 2)
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada, bob = await driver.register("ada"), await driver.register("bob")
        await driver.send(bob, "ada", *"123")
        await driver.send(ada, "bob", *"45678")
        assert await driver.delete(ada, retract=retract, under=key(1))

    steps = 0
    finished = False
    while not finished:
        async with open_sqlite(file) as store:
            assert list(await store.pending_deletions()) == [ada.id]
            done = await StoreDriver(store).clean_up(ada.id, rows=2, bounce_messages=2)
            finished = done.finished
            steps += 1

    assert steps > 3
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        assert await store.pending_deletions() == []
        assert await driver.receipt_under(key(1)) == DeletionReceipt(
            discarded=3,
            bounces=2,
            kept=0 if retract else 5,
            retracted=5 if retract else 0,
        )
        assert await driver.bounces(bob) == [(1, 2), (3,)]
        assert await driver.bodies(bob) == ([] if retract else list("45678"))


async def test_tombstones_that_nothing_names_are_swept(file: Path) -> None:
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        people = [await driver.register(name) for name in ("ada", "bob", "carol")]
        ada, bob, carol = people
        await driver.send(ada, "carol", "kept")
        await driver.delete(bob, under=key(9))
        await driver.finish(bob.id)
        await driver.erase(ada)

        await store.forget(key(5))
        assert await _tombstones(store) == {ada.id: "", bob.id: "hash of bob"}
        await store.forget(key(10))
        assert await _tombstones(store) == {ada.id: ""}
        driver.acknowledge(carol, 1)
        await store.forget(key(10))
        assert await _tombstones(store) == {}


@pytest.mark.rule("M2", "B2")
async def test_a_key_ahead_of_its_time_makes_no_other_pair_look_keys_up(
    file: Path,
) -> None:
    ahead = key(1, at_ms=NOW_MS + DAY_MS)
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada, bob = await driver.register("ada"), await driver.register("bob")
        await driver.send(ada, "bob", "x", under=key(1))
        await driver.send(ada, "bob", "y", under=ahead)

    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        highest = await store._writer.ask(
            lambda database: [
                database.cache.highest_key(it.id, bob.name) for it in (ada, bob)
            ]
        )
        repeated = await driver.send(ada, "bob", "y", under=ahead)

    assert highest == [ahead, key(1)]
    assert repeated == [Stored(bob.id, Position(2), NOW_MS, new=False)]


@pytest.mark.rule("M2")
async def test_keys_below_the_horizon_are_swept_in_pages(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatstores.sqlite.retention.PURGE_ROWS", 4)
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada = await driver.register("ada")
        for day in range(40):
            for number in range(3):
                at_ms = NOW_MS + day * DAY_MS
                await driver.send(ada, "ada", "x", under=key(number, at_ms=at_ms))

        await store.forget(key(1, at_ms=NOW_MS + 38 * DAY_MS))

        assert await _count_keys(store) == 5
        cache = key(1, at_ms=NOW_MS + 38 * DAY_MS)
        assert positions(await driver.send(ada, "ada", "x", under=cache)) == [
            38 * 3 + 2
        ]
        forgotten = key(0, at_ms=NOW_MS + 38 * DAY_MS)
        assert await driver.send(ada, "ada", "x", under=forgotten, oldest=cache) == [
            Declined.KEY_EXPIRED
        ]


async def _tombstones(store: SqliteStore) -> dict[int, str]:
    return dict(
        await store._writer.ask(
            lambda database: database.batch.rows(
                "SELECT id, password_hash FROM account WHERE deleted = 1"
            )
        )
    )


async def _count_keys(store: SqliteStore) -> int:
    rows = await store._writer.ask(
        lambda database: database.batch.rows("SELECT count(*) FROM send_key")
    )
    return int(rows[0][0])
