"""A backup that is put in place: all that was in it, and nobody who was erased (D5)."""

# ruff: noqa: ASYNC240 (nothing else runs on these event loops)

import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatcore.ids import NO_KEY
from chatcore.model import NO_MARK, Erasure
from chatstores.erasure_log import FileErasureLog
from chatstores.errors import (
    AlreadyThere,
    CopyFailed,
    ErasureLogRefused,
    StoreInUse,
    StoreNotOurs,
    WalMissing,
)
from chatstores.sqlite import SqliteStore, open_sqlite
from chatstores.sqlite.restoring import log_place, restore
from tests.unit.chatstores.store_driver import NOW_MS, Person, StoreDriver

pytestmark = pytest.mark.rule("D5")

TOLD = "https://app.example/hooks"


@dataclass(frozen=True, slots=True)
class Past:
    """A database, a backup of it, and the log of what was erased after that.

    ``eve`` was there at the backup, ``late`` came after it; both were erased.
    """

    file: Path
    backup: Path
    log: Path
    ada: Person
    eve: Person
    late: Person


@pytest.fixture
async def past(file: Path, tmp_path: Path) -> Past:
    backup, log = tmp_path / "backup.db", tmp_path / "erasures"
    async with served(file, log) as (store, erasures):
        driver = StoreDriver(store)
        ada, eve = await driver.register("ada"), await driver.register("eve")
        await store.outbox.begin([TOLD], with_body=True, retry_failed=False)
        await driver.send(ada, "ada", "kept")
        await driver.send(eve, "ada", "to be taken back")
        await store.backup(backup)
        late = await driver.register("late")
        await driver.send(ada, "ada", "after the backup")
        for it in (eve, late):
            await erase(store, erasures, it)
    return Past(file, backup, log, ada, eve, late)


@asynccontextmanager
async def served(
    file: Path, log: Path
) -> AsyncIterator[tuple[SqliteStore, FileErasureLog]]:
    """A store and its log, gone on with as a server does."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_sqlite(file))
        erasures = FileErasureLog(log)
        stack.callback(erasures.close)
        after = await erasures.after(await store.identity(), await store.log_mark())
        for it in after:
            await store.erase_again(it)
        yield store, erasures


async def erase(store: SqliteStore, log: FileErasureLog, who: Person) -> None:
    mark = await log.append(
        Erasure(account=who.id, discard=True, retract=True, key=NO_KEY, at_ms=NOW_MS)
    )
    assert await store.delete_account(
        who.id,
        who.epoch,
        discard=True,
        retract=True,
        delivered=0,
        key=NO_KEY,
        at_ms=NOW_MS,
        mark=mark,
    )


async def names(file: Path) -> list[str]:
    async with open_sqlite(file) as store:
        return [name for _, name in await store.names(prefix="", after="", limit=9)]


async def test_who_was_erased_after_the_backup_is_not_in_it_any_more(
    past: Past,
) -> None:
    past.file.unlink()

    report = restore(past.backup, past.file, log=past.log)

    assert (report.erased, report.log_sequence, report.kept) == (1, 2, None)
    assert stat.S_IMODE(past.file.stat().st_mode) == 0o600
    async with served(past.file, past.log) as (store, _):
        driver = StoreDriver(store)
        assert [
            name for _, name in await store.names(prefix="", after="", limit=9)
        ] == ["ada"]
        assert await driver.bodies(past.ada) == ["kept"]
        # And nobody gets the id of one who was erased.
        assert (await driver.register("new")).id > past.late.id
        # Webhooks of the backup are sent again, without what was retracted.
        due = await store.outbox.due(TOLD, now_ms=NOW_MS, longest_ms=0, limit=9)
        assert [it.body for it in due] == ["kept", None]
    assert sorted(it.name for it in past.file.parent.iterdir()) == [
        "backup.db",
        "chat.db",
        "erasures",
    ]


async def test_the_next_backup_needs_only_what_comes_after_it(
    past: Past, tmp_path: Path
) -> None:
    past.file.unlink()
    restore(past.backup, past.file, log=past.log)
    async with served(past.file, past.log) as (store, _):
        new = await StoreDriver(store).register("new")
        report = await store.backup(tmp_path / "second.db")

    again = restore(tmp_path / "second.db", tmp_path / "third.db", log=past.log)

    assert report.log_sequence == 2
    assert again.erased == 0
    assert await names(tmp_path / "third.db") == ["ada", new.name]


async def test_a_server_that_is_given_an_old_copy_erases_again_by_itself(
    past: Past,
) -> None:
    past.file.write_bytes(past.backup.read_bytes())

    async with served(past.file, past.log) as (store, _):
        found = await store.find_account(past.eve.name)

    assert found is None


async def test_what_is_there_is_kept_and_only_replaced_when_told(past: Past) -> None:
    before = past.file.read_bytes()
    with pytest.raises(AlreadyThere, match="--force"):
        restore(past.backup, past.file, log=past.log)
    assert past.file.read_bytes() == before

    report = restore(past.backup, past.file, log=past.log, replace=True)

    assert report.kept == past.file.with_name("chat.db.before-restore-1")
    assert report.kept.read_bytes() == before
    again = restore(past.backup, past.file, log=past.log, replace=True)
    assert again.kept == past.file.with_name("chat.db.before-restore-2")


async def test_the_log_of_what_was_there_goes_with_it(past: Past) -> None:
    log = past.file.with_name("chat.db-wal")
    log.write_bytes(b"of another file")
    past.file.unlink()
    with pytest.raises(AlreadyThere, match=r"chat\.db-wal"):
        restore(past.backup, past.file, log=past.log)

    restore(past.backup, past.file, log=past.log, replace=True)

    assert not log.exists()
    kept = past.file.with_name("chat.db.before-restore-1-wal")
    assert kept.read_bytes() == b"of another file"


async def test_a_database_in_use_is_not_replaced(past: Past) -> None:
    async with open_sqlite(past.file):
        with pytest.raises(StoreInUse):
            restore(past.backup, past.file, log=past.log, replace=True)


async def test_a_damaged_database_is_replaced(past: Past) -> None:
    past.file.write_bytes(b"damaged" * 1000)

    restore(past.backup, past.file, log=past.log, replace=True)

    assert await names(past.file) == ["ada"]


async def test_without_the_log_everybody_is_back_and_the_log_knows_better(
    past: Past,
) -> None:
    past.file.unlink()

    report = restore(past.backup, past.file, log=None)

    assert (report.erased, report.log_sequence) == (0, 0)
    assert await names(past.file) == ["ada", "eve"]
    async with served(past.file, past.log) as (store, _):
        assert await store.find_account(past.eve.name) is None


async def test_a_log_that_is_missing_or_has_gaps_is_refused_unless_told(
    past: Past, tmp_path: Path
) -> None:
    past.file.unlink()
    lines = past.log.read_bytes().splitlines(keepends=True)
    begin, of_eve, of_late = lines
    for content in ([], [begin, of_late], [of_eve, of_late], [begin, b"{}\n", of_late]):
        past.log.write_bytes(b"".join(content))
        with pytest.raises(ErasureLogRefused, match="--accept-log-gaps"):
            restore(past.backup, past.file, log=past.log)
        assert not past.file.exists()
    with pytest.raises(ErasureLogRefused, match="missing"):
        restore(past.backup, past.file, log=tmp_path / "other")

    # What can be read is done all the same: of eve there is a record.
    past.log.write_bytes(b"".join([begin, b"{}\n", of_eve, of_late[:-1]]))
    report = restore(past.backup, past.file, log=past.log, skip_gaps=True)

    assert report.erased == 1
    assert await names(past.file) == ["ada"]


async def test_the_log_of_another_database_is_always_refused(
    past: Past, tmp_path: Path
) -> None:
    other = tmp_path / "other-erasures"
    async with served(tmp_path / "other.db", other):
        pass

    for skip in (False, True):
        with pytest.raises(ErasureLogRefused, match="another database"):
            restore(past.backup, tmp_path / "new.db", log=other, skip_gaps=skip)
    assert not (tmp_path / "new.db").exists()


async def test_a_backup_that_is_none_or_is_damaged_changes_nothing(
    past: Past, tmp_path: Path
) -> None:
    before = past.file.read_bytes()
    wrong = tmp_path / "wrong.db"
    wrong.write_bytes(b"no database" * 500)
    with pytest.raises(StoreNotOurs):
        restore(wrong, past.file, log=past.log, replace=True)
    with pytest.raises(StoreNotOurs, match="no such file"):
        restore(tmp_path / "missing.db", past.file, log=past.log, replace=True)
    with closing(sqlite3.connect(past.backup)) as connection, connection:
        connection.execute("DELETE FROM mailbox WHERE account = 1")

    with pytest.raises(CopyFailed, match=r"\[804\]"):
        restore(past.backup, past.file, log=past.log, replace=True)

    assert past.file.read_bytes() == before
    assert [it.name for it in tmp_path.glob("chat.db*")] == ["chat.db"]


async def test_a_copy_that_has_lost_its_log_is_not_restored(
    past: Past, tmp_path: Path
) -> None:
    alone = tmp_path / "alone.db"
    async with open_sqlite(past.file):
        alone.write_bytes(past.file.read_bytes())

    with pytest.raises(WalMissing):
        restore(alone, tmp_path / "new.db", log=past.log)


async def test_a_backup_that_is_older_than_such_logs_takes_theirs(
    past: Past, tmp_path: Path
) -> None:
    from chatstores.sqlite.migrations import APPLICATION_ID, steps  # noqa: PLC0415

    old = tmp_path / "old.db"
    with closing(sqlite3.connect(old)) as connection:
        for step in steps()[:2]:
            connection.executescript(step)
        for name in ("ada", "eve"):
            connection.execute(
                "INSERT INTO account (username, password_hash, created_at_ms) "
                "VALUES (?, '', 0)",
                (name,),
            )
        connection.execute("INSERT INTO mailbox (account) SELECT id FROM account")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 2")
        connection.commit()
    past.file.unlink()

    report = restore(old, past.file, log=past.log)

    assert (report.schema, report.erased) == (len(steps()), 1)
    assert log_place(old).mark == NO_MARK
    async with served(past.file, past.log) as (store, _):
        assert await store.find_account(past.eve.name) is None
    assert list(tmp_path.glob("*before*")) == []
