"""Warnings before a full disk, or a log that grows, hurts."""

import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import apsw
import pytest

from chatcore.errors import StoreUnavailable
from chatstores import open_store
from chatstores.errors import BadStoreUrl
from chatstores.sqlite import SqliteStore, open_sqlite
from chatstores.sqlite.address import parse_sqlite_url
from chatstores.sqlite.disk_monitor import LOOK_EVERY_S, TELL_EVERY_S, DiskMonitor
from tests.unit.chatstores.sqlite.disk import FailingDisk
from tests.unit.chatstores.store_driver import StoreDriver

MORE_THAN_ANY_DISK_MIB = 2**31


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def disk() -> Iterator[FailingDisk]:
    disk = FailingDisk()
    yield disk
    disk.unregister()


@pytest.fixture
def connection() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    yield connection
    connection.close()


@pytest.fixture
async def store(file: Path, disk: FailingDisk) -> AsyncIterator[SqliteStore]:
    async with open_sqlite(file, vfs=disk.name) as store:
        yield store


def test_a_disk_nearly_full_is_told_with_figures_and_not_all_the_time(
    file: Path, connection: apsw.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    monitor = DiskMonitor(file, least_free_mib=MORE_THAN_ANY_DISK_MIB, clock=clock)

    told = []
    for _ in range(int(TELL_EVERY_S / LOOK_EVERY_S) + 1):
        monitor.look(connection)
        clock.now_s += LOOK_EVERY_S
        told.append(len(caplog.records))

    assert (told[0], told[-2], told[-1]) == (1, 1, 2)
    text = caplog.records[0].getMessage()
    assert f"The disk of {file} is nearly full: " in text
    assert f"MiB are free, less than {MORE_THAN_ANY_DISK_MIB}" in text
    assert caplog.records[0].levelno == logging.WARNING


def test_it_looks_now_and_then_only(
    file: Path, connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, looks = Clock(), []

    class Usage(NamedTuple):
        free: int

    def disk_usage(path: Path) -> Usage:
        looks.append(path)
        return Usage(2**40)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    monitor = DiskMonitor(file, least_free_mib=1, clock=clock)

    for _ in range(100):
        monitor.look(connection)
        clock.now_s += LOOK_EVERY_S / 10

    assert len(looks) == 10


def test_what_was_over_is_told_again_when_it_comes_back(
    file: Path,
    connection: apsw.Connection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Usage(NamedTuple):
        free: int

    clock, free = Clock(), [0, 2**40, 0]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free.pop()))
    monitor = DiskMonitor(file, least_free_mib=1, clock=clock)

    for _ in range(3):
        monitor.look(connection)
        clock.now_s += LOOK_EVERY_S

    assert len(caplog.records) == 2


async def test_the_store_looks_and_goes_on_after_the_full_disk(
    file: Path, disk: FailingDisk, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_sqlite(
        file, vfs=disk.name, least_free_mib=MORE_THAN_ANY_DISK_MIB
    ) as store:
        driver = StoreDriver(store)
        ada = await driver.register("ada")
        disk.full = True
        with pytest.raises(StoreUnavailable):
            await driver.send(ada, "ada", "one")
        disk.full = False

        await driver.send(ada, "ada", "two")

        assert await driver.bodies(ada) == ["two"]
    assert "is nearly full" in caplog.text


async def test_a_log_that_cannot_be_copied_back_is_told_and_nothing_is_lost(
    store: SqliteStore,
    disk: FailingDisk,
    file: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chatstores.sqlite.disk_monitor.LOOK_EVERY_S", 0.0)
    monkeypatch.setattr("chatstores.sqlite.disk_monitor.WAL_BYTES", 20_000)
    driver = StoreDriver(store)
    ada = await driver.register("ada")
    disk.full_but_for_log = True

    for _ in range(3):
        await driver.send(ada, "ada", "x" * 20_000)

    (record,) = caplog.records
    assert "chat.db-wal has 0 MiB and cannot be copied into" in record.getMessage()
    assert "full" in record.getMessage()
    disk.full_but_for_log = False
    await driver.send(ada, "ada", "last")
    await store.flush()
    assert len(await driver.bodies(ada)) == 4
    # It is copied back by the look that finds it so.
    await store.flush()
    assert file.with_name("chat.db-wal").stat().st_size < 20_000


async def test_a_url_says_how_much_room_is_enough(tmp_path: Path) -> None:
    address = parse_sqlite_url("sqlite:///chat.db?least-free-mib=7&missing-wal=accept")

    assert (address.least_free_mib, address.accept_missing_wal) == (7, True)
    for option in ("least-free-mib=-1", "least-free-mib=x", "missing-wal=no", "a=b"):
        with pytest.raises(BadStoreUrl):
            async with open_store(f"sqlite:///{tmp_path}/chat.db?{option}"):
                pass
