"""What commits have brought in is whole, whether the tables have it yet or not."""

# ruff: noqa: ASYNC240 (nothing else runs on these event loops)

import shutil
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from chatcore.ids import Position
from chatcore.store import Declined, Stored
from chatstores.sqlite import open_sqlite
from chatstores.sqlite.checking import check
from chatstores.sqlite.store import SqliteStore
from chatstores.sqlite.values import fetch_int
from tests.unit.chatstores.store_driver import (
    NOW_MS,
    Person,
    StoreDriver,
    key,
    positions,
)


@pytest.fixture
async def store(file: Path) -> AsyncIterator[SqliteStore]:
    async with open_sqlite(file) as opened:
        yield opened


@pytest.fixture
async def driver(store: SqliteStore) -> StoreDriver:
    return StoreDriver(store)


@pytest.fixture
async def ada(driver: StoreDriver) -> Person:
    return await driver.register("ada")


@pytest.fixture
async def bob(driver: StoreDriver) -> Person:
    return await driver.register("bob")


def crashed(file: Path, name: str = "crashed.db") -> Path:
    """The file and its log as they are now, which is what a crash would leave."""
    copy = file.with_name(name)
    for end in ("", "-wal"):
        shutil.copyfile(f"{file}{end}", f"{copy}{end}")
    return copy


def rows(file: Path, table: str) -> int:
    """How many the table has, in a copy of the file, and of its log if it has one."""
    seen = file
    if file.with_name(f"{file.name}-wal").exists():
        seen = crashed(file, "seen.db")
    with closing(apsw.Connection(str(seen))) as connection:
        return fetch_int(connection, f"SELECT count(*) FROM {table}")  # noqa: S608 (ours)


@pytest.mark.rule("M1", "M2", "M3", "M4")
async def test_what_is_in_the_journal_survives_a_crash(
    file: Path, driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "zero", under=key(0))
    await driver.send(bob, "ada", "zero")
    await driver.read(bob)  # the tables have these
    await driver.send(ada, "bob", "one", under=key(1))
    driver.acknowledge(bob, 2)
    await driver.send(ada, "bob", "two", under=key(2))
    await driver.send(bob, "ada", "three")
    left = crashed(file)
    journaled = rows(left, "journal"), rows(left, "message")

    async with open_sqlite(left) as store:
        again = StoreDriver(store)
        mailbox = await store.mailbox(bob.id)
        bodies = await again.bodies(bob), await again.bodies(ada)
        repeats = [
            await again.send(ada, "bob", body, under=key(number))
            for number, body in enumerate(("zero", "one", "two"))
        ]
        other = await again.send(ada, "bob", "other", under=key(2))
        sent = await again.send(ada, "bob", "four", under=key(3))

    assert journaled == (3, 2)
    assert (mailbox.acknowledged, mailbox.head, mailbox.queued) == (2, 3, 1)
    assert bodies == (["two"], ["zero", "three"])
    assert [positions(it) for it in repeats] == [[1], [2], [3]]
    assert other == [Declined.OTHER_BODY]
    assert sent == [Stored(bob.id, Position(4), NOW_MS, new=True)]


async def test_a_file_that_crashed_is_sound_and_counts_what_is_in_its_journal(
    file: Path, driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "one", "two", under=key(1))
    await driver.send(ada, "bob", "three", "four")
    driver.acknowledge(bob, 2)
    await driver.store.flush()

    report = check(crashed(file))

    assert (report.messages, report.findings) == (1, [])


async def test_a_file_that_was_closed_has_an_empty_journal(file: Path) -> None:
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada = await driver.register("ada")
        await driver.send(ada, "ada", "one", "two", under=key(1))
        await driver.send(ada, "ada", "three")

    assert (rows(file, "journal"), rows(file, "message")) == (0, 2)
    assert rows(file, "send_key") == 1


@pytest.mark.rule("M4")
async def test_what_is_acknowledged_in_time_never_becomes_a_row(
    file: Path, driver: StoreDriver, ada: Person, bob: Person
) -> None:
    for number in range(1, 6):
        await driver.send(ada, "bob", "x", under=key(number))
        driver.acknowledge(bob, number)
    await driver.read(bob)

    left = crashed(file)

    assert (rows(left, "journal"), rows(left, "message")) == (0, 0)
    assert check(left).findings == []


@pytest.mark.rule("M2")
async def test_a_key_is_known_before_and_after_the_journal_is_applied(
    driver: StoreDriver, ada: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatstores.sqlite.journal.ENTRIES", 6)
    monkeypatch.setattr("chatstores.sqlite.journal.COMMITS", 0)
    for number in range(20):
        await driver.send(ada, "bob", "x", under=key(number))

    again = [
        await driver.send(ada, "bob", "x", under=key(number)) for number in range(20)
    ]

    assert [positions(it) for it in again] == [[it] for it in range(1, 21)]
    assert await driver.queued(bob) == 20


@pytest.mark.rule("D3", "D5")
async def test_a_retraction_finds_what_is_in_the_journal(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "one", "two")
    await driver.send(ada, "bob", "three")
    driver.acknowledge(bob, 1)

    done = await driver.erase(ada, retract=True)

    assert done.receipt.retracted == 2
    assert await driver.bodies(bob) == []


async def test_large_bodies_are_not_written_twice(
    file: Path, driver: StoreDriver, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatstores.sqlite.journal.BYTES", 1000)
    await driver.send(ada, "ada", "x" * 500)
    await driver.send(ada, "ada", "x" * 2000)

    left = crashed(file)

    assert (rows(left, "journal"), rows(left, "message")) == (0, 2)


async def test_the_log_grows_by_pieces_and_is_gone_when_the_file_is_closed(
    file: Path,
) -> None:
    log = Path(f"{file}-wal")
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada = await driver.register("ada")
        grown = log.stat().st_size
        await driver.send(ada, "ada", "x")
        after = log.stat().st_size

    assert after == grown > 512 * 1024
    assert not log.exists()
