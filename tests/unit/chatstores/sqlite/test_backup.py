"""A copy of a store that is made while it is used."""

# ruff: noqa: ASYNC240 (nothing else runs on these event loops)

import asyncio
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatcore.errors import StoreUnavailable
from chatcore.store import Stored
from chatstores.errors import AlreadyThere, CopyFailed, StoreInUse, WalMissing
from chatstores.sqlite import SqliteStore, open_sqlite
from chatstores.sqlite.checking import check
from chatstores.sqlite.copies import Copy, copy_whole
from chatstores.sqlite.unserved import open_unserved
from tests.unit.chatstores.sqlite.disk import FailingDisk
from tests.unit.chatstores.store_driver import StoreDriver, letter


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.db"


@pytest.fixture
def one_page_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that much comes between the steps."""
    monkeypatch.setattr("chatstores.sqlite.copies.PAGES", 1)
    monkeypatch.setattr("chatstores.sqlite.writer.STEP_EVERY_S", 0.0)


@pytest.fixture
def disk() -> Iterator[FailingDisk]:
    disk = FailingDisk()
    yield disk
    disk.unregister()


@pytest.mark.rule("M1")
@pytest.mark.usefixtures("one_page_a_step")
async def test_a_backup_has_every_message_whose_receipt_is_older(
    file: Path, out: Path
) -> None:
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada = await driver.register("ada")
        bodies = [f"{number}" * 1000 for number in range(100)]
        await driver.send(ada, "ada", *bodies)

        async with asyncio.TaskGroup() as tasks:
            copying = tasks.create_task(store.backup(out))
            meanwhile = 0
            while not copying.done():
                await driver.send(ada, "ada", "meanwhile")
                meanwhile += 1
        report = copying.result()

    assert meanwhile > 1
    assert report.path == out
    assert report.copied_bytes == out.stat().st_size
    assert check(out).findings == []
    async with open_sqlite(out) as copy:
        kept = await StoreDriver(copy).bodies(ada)
        assert kept[:100] == bodies
        # And of what came during it, all up to one moment.
        assert set(kept[100:]) <= {"meanwhile"}
        assert len(kept) <= 100 + meanwhile


@pytest.mark.rule("B8")
async def test_a_backup_is_one_file_for_its_owner_only(file: Path, out: Path) -> None:
    async with open_sqlite(file) as store:
        await StoreDriver(store).register("ada")

        await store.backup(out)

        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        assert sorted(it.name for it in out.parent.iterdir()) == [
            "chat.db",
            "chat.db-wal",
            "out.db",
        ]


async def test_a_backup_overwrites_nothing_unless_told(file: Path, out: Path) -> None:
    async with open_sqlite(file) as store:
        out.write_text("precious")
        with pytest.raises(AlreadyThere, match="--force"):
            await store.backup(out)
        assert out.read_text() == "precious"

        await store.backup(out, replace=True)

        assert check(out).findings == []
        # A log beside it would be taken for the new file's.
        out.with_name("out.db-wal").touch()
        with pytest.raises(AlreadyThere, match=r"out\.db-wal"):
            await store.backup(out, replace=True)


async def test_a_store_is_not_copied_onto_itself(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(file)
    async with open_sqlite(file) as store:
        ada = await StoreDriver(store).register("ada")
        for path in (file, link):
            with pytest.raises(AlreadyThere):
                await store.backup(path, replace=True)

        assert await StoreDriver(store).queued(ada) == 0


async def test_a_backup_that_finds_no_room_leaves_nothing_and_harms_nobody(
    file: Path, out: Path, disk: FailingDisk
) -> None:
    async with open_sqlite(file, vfs=disk.name) as store:
        ada = await StoreDriver(store).register("ada")
        disk.full = True

        with pytest.raises(CopyFailed, match="full") as failed:
            await store.backup(out)

        disk.full = False
        assert failed.value.code == 610
        assert not list(out.parent.glob("out.db*"))
        assert len(await StoreDriver(store).send(ada, "ada", "hi")) == 1
        await store.backup(out)
    assert check(out).messages == 1


async def test_a_backup_into_a_folder_that_is_not_there_fails(
    file: Path, tmp_path: Path
) -> None:
    async with open_sqlite(file) as store:
        with pytest.raises(CopyFailed, match="No such file"):
            await store.backup(tmp_path / "missing" / "out.db")


@pytest.mark.usefixtures("one_page_a_step")
async def test_a_backup_ends_though_transactions_are_rolled_back_all_the_time(
    file: Path, out: Path
) -> None:
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada = await driver.register("ada")
        await driver.send(ada, "ada", *["x" * 4000] * 50)
        broken = [letter(ada, "ada", "fine"), letter(ada, "ada", "x")]
        broken[1] = broken[1]._replace(sent_at_ms="no number")  # type: ignore[arg-type]  # a fault of ours

        async with asyncio.TaskGroup() as tasks:
            copying = tasks.create_task(store.backup(out))
            while not copying.done():
                with pytest.raises(Exception, match="Expected `int`, got `str`"):
                    await driver.deposit(*broken)

    assert check(out).messages == 50


@pytest.mark.usefixtures("one_page_a_step")
async def test_a_store_that_is_closed_first_gives_its_backup_up(
    file: Path, out: Path
) -> None:
    async with asyncio.TaskGroup() as tasks, open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada = await driver.register("ada")
        await driver.send(ada, "ada", *["x" * 4000] * 200)
        given_up = tasks.create_task(give_up(store, out))
        await asyncio.sleep(0)

    assert "closed" in given_up.result()
    assert [it.name for it in out.parent.iterdir()] == ["chat.db"]


async def give_up(store: SqliteStore, out: Path) -> str:
    """Make a backup that does not come to its end; why."""
    with pytest.raises(StoreUnavailable) as refused:
        await store.backup(out)
    return refused.value.text


async def test_two_backups_do_not_write_the_same_file(file: Path, out: Path) -> None:
    async with open_sqlite(file) as store:
        await StoreDriver(store).register("ada")

        ended = await asyncio.gather(
            store.backup(out), store.backup(out), return_exceptions=True
        )

    assert {type(it).__name__ for it in ended} == {"CopyReport", "AlreadyThere"}
    assert check(out).findings == []


async def test_what_a_killed_backup_has_left_is_written_over(
    file: Path, out: Path
) -> None:
    out.with_name("out.db.partial").write_bytes(b"half of it" * 10_000)
    async with open_sqlite(file) as store:
        await store.backup(out)

    assert not out.with_name("out.db.partial").exists()
    assert check(out).findings == []


@pytest.mark.rule("M1")
async def test_a_database_that_no_server_has_is_copied_with_its_log(
    file: Path, out: Path, tmp_path: Path
) -> None:
    left = tmp_path / "left.db"
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada = await driver.register("ada")
        await driver.send(ada, "ada", "hi")
        with pytest.raises(StoreInUse), open_unserved(file):
            pass
        # As a killed server leaves it.
        left.write_bytes(file.read_bytes())
        log = file.with_name("chat.db-wal").read_bytes()
    left.with_name("left.db-wal").write_bytes(log)
    content = left.read_bytes()

    with open_unserved(left) as source:
        copy_whole(source, out)

    assert left.read_bytes() == content
    assert left.with_name("left.db-wal").read_bytes() == log
    async with open_sqlite(out) as store:
        driver = StoreDriver(store)
        assert await driver.bodies(ada) == ["hi"]
        (sent,) = await driver.send(ada, "ada", "again")
        assert isinstance(sent, Stored)


async def test_a_file_that_was_copied_without_its_log_is_told(
    file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alone = tmp_path / "alone.db"
    async with open_sqlite(file) as store:
        await StoreDriver(store).register("ada")
        alone.write_bytes(file.read_bytes())
    content = alone.read_bytes()

    for _ in range(2):
        with pytest.raises(WalMissing, match=r"alone\.db-wal is missing") as refused:
            async with open_sqlite(alone):
                pass
        assert refused.value.code == 607
    assert alone.read_bytes() == content
    assert [it.code for it in check(alone).findings] == [822]

    async with open_sqlite(alone, accept_missing_wal=True) as store:
        assert await store.names(prefix="", after="", limit=9) == []
    assert "opened without its log" in caplog.text
    async with open_sqlite(alone):
        pass


@pytest.mark.rule("M1")
async def test_a_file_that_was_closed_whole_needs_no_log(
    file: Path, tmp_path: Path
) -> None:
    async with open_sqlite(file) as store:
        ada = await StoreDriver(store).register("ada")
        await StoreDriver(store).send(ada, "ada", "hi")
    copy = tmp_path / "copy.db"
    copy.write_bytes(file.read_bytes())

    async with open_sqlite(copy) as store:
        assert await StoreDriver(store).bodies(ada) == ["hi"]


@pytest.mark.rule("M1")
async def test_a_disk_that_is_full_at_the_close_keeps_the_log(
    file: Path, disk: FailingDisk
) -> None:
    async with open_sqlite(file, vfs=disk.name) as store:
        ada = await StoreDriver(store).register("ada")
        await StoreDriver(store).send(ada, "ada", "hi")
        disk.full = True

    disk.full = False
    assert file.with_name("chat.db-wal").exists()
    async with open_sqlite(file) as store:
        assert await StoreDriver(store).bodies(ada) == ["hi"]


async def test_the_thread_that_commits_does_not_close_what_it_has_copied(
    file: Path, out: Path
) -> None:
    """Else the system may write it all to the disk there (auto_da_alloc, ext4(5))."""
    async with open_sqlite(file) as store:
        await StoreDriver(store).register("ada")
    with open_unserved(file) as source:
        copy = Copy(source, out)
        copy.sync()  # of nothing
        while not copy.step():
            copy.sync()
        left = opened(out.with_name("out.db.partial"))

        copy.finish()

    assert left == 2  # its lock, and SQLite's
    assert opened(out) == 0
    assert check(out).findings == []


def opened(path: Path) -> int:
    """How often this process has a file open."""
    return sum(
        it.exists() and it.samefile(path) for it in Path("/proc/self/fd").iterdir()
    )
