"""Opening a file, and every way in which that is refused."""

# ruff: noqa: ASYNC240 (nothing else runs on these event loops)

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

import chatstores
from chatcore.errors import StoreUnavailable
from chatstores.errors import (
    CopyFailed,
    FolderMissing,
    SchemaUnreadable,
    StoreInUse,
    StoreNotOurs,
    StoreReadOnly,
    StoreTooNew,
)
from chatstores.sqlite import open_sqlite
from chatstores.sqlite.address import parse_sqlite_url
from chatstores.sqlite.checking import check
from chatstores.sqlite.migrations import APPLICATION_ID, read_steps
from tests.unit.chatstores.sqlite.disk import FailingDisk
from tests.unit.chatstores.store_driver import StoreDriver

NOBODY = 65534
SCHEMA = 7


def test_three_slashes_are_relative_and_four_absolute() -> None:
    assert parse_sqlite_url("sqlite:///chat.db").path == Path("chat.db")
    assert parse_sqlite_url("sqlite:///data/chat.db").path == Path("data/chat.db")
    assert parse_sqlite_url("sqlite:////data/chat%20%3F.db").path == Path(
        "/data/chat ?.db"
    )


async def test_a_new_file_says_whose_it_is(file: Path) -> None:
    async with open_sqlite(file):
        pass

    assert _pragma(file, "application_id") == APPLICATION_ID
    assert _pragma(file, "user_version") == SCHEMA
    assert _pragma(file, "journal_mode") == "wal"
    assert not file.with_name("chat.db-wal").exists()


async def test_a_file_that_is_no_database_is_refused_and_left_alone(file: Path) -> None:
    content = b"It was a dark and stormy night; the rain fell in torrents." * 99
    file.write_bytes(content)

    with pytest.raises(StoreNotOurs) as refused:
        await _open(file)

    assert refused.value.code == 601
    assert str(file) in str(refused.value)
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE note (text)",
        "PRAGMA application_id = 7",
        "PRAGMA user_version = 1",
    ],
)
async def test_the_database_of_another_application_is_refused_and_left_alone(
    file: Path, sql: str
) -> None:
    _execute(file, sql)
    content = file.read_bytes()

    with pytest.raises(StoreNotOurs, match="another application"):
        await _open(file)

    assert file.read_bytes() == content


async def test_a_damaged_database_is_refused(file: Path) -> None:
    async with open_sqlite(file):
        pass
    content = bytearray(file.read_bytes())
    content[100:4000] = bytes(3900)  # the first page of the schema
    file.write_bytes(content)

    with pytest.raises(StoreNotOurs, match="malformed"):
        await _open(file)


async def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreNotOurs, match="it is a folder"):
        await _open(tmp_path)


async def test_an_empty_file_becomes_a_store(file: Path) -> None:
    file.touch()

    await _open(file)

    assert _pragma(file, "application_id") == APPLICATION_ID


async def test_a_newer_schema_is_refused_and_left_alone(file: Path) -> None:
    await _open(file)
    _execute(file, "PRAGMA user_version = 99")
    content = file.read_bytes()

    message = f"schema 99, and this version knows up to {SCHEMA}"
    with pytest.raises(StoreTooNew, match=message):
        await _open(file)

    assert file.read_bytes() == content


async def test_a_second_store_on_the_same_file_is_refused_at_once(file: Path) -> None:
    async with open_sqlite(file):
        with pytest.raises(StoreInUse) as refused:
            await _open(file)
        assert refused.value.code == 603

    await _open(file)


def test_a_server_that_was_killed_leaves_no_lock_and_loses_nothing(file: Path) -> None:
    with _other_server(file) as server:
        assert _try_to_open(file) == "[603]"

        server.send_signal(signal.SIGKILL)
        server.wait()

    assert _try_to_open(file) == "ada"


async def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderMissing, match="missing does not exist") as refused:
        await _open(tmp_path / "missing" / "chat.db")

    assert refused.value.code == 605
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("what", ["file", "folder", "new file", "closed folder"])
async def test_what_cannot_be_written_is_refused(what: str) -> None:
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)  # noqa: PTH101, S103 (for the user that is nobody)
        file = Path(folder) / "chat.db"
        with _as_nobody():
            if what != "new file":
                await _open(file)
            if what == "file":
                file.chmod(0o444)
        modes = {"file": 0o777, "closed folder": 0o000}
        os.chmod(folder, modes.get(what, 0o555))  # noqa: PTH101

        with _as_nobody(), pytest.raises(StoreReadOnly) as refused:
            await _open(file)

        os.chmod(folder, 0o777)  # noqa: PTH101, S103
        assert refused.value.code == 604


async def test_an_error_names_the_folder_that_is_closed() -> None:
    with TemporaryDirectory() as outer:
        os.chmod(outer, 0o755)  # noqa: PTH101, S103 (for the user that is nobody)
        closed = Path(outer) / "closed"
        (closed / "inner").mkdir(parents=True)
        closed.chmod(0o000)

        with _as_nobody(), pytest.raises(StoreReadOnly) as refused:
            await _open(closed / "inner" / "chat.db")

        closed.chmod(0o700)
        assert refused.value.fields["path"] == str(closed / "inner")


async def test_the_schema_is_read_before_a_store_is_opened(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object, **__: object) -> str:
        raise PermissionError

    monkeypatch.setattr(Path, "read_text", unreadable)
    monkeypatch.setattr(Path, "iterdir", unreadable)

    await _open(file)

    assert _pragma(file, "application_id") == APPLICATION_ID


@pytest.mark.parametrize("closed", ["schema", "schema/0001_first.sql"])
def test_a_schema_that_cannot_be_read_is_named_and_no_store(closed: str) -> None:
    with TemporaryDirectory() as package:
        os.chmod(package, 0o755)  # noqa: PTH101, S103 (for the user that is nobody)
        schema = Path(package) / "schema"
        schema.mkdir()
        (schema / "0001_first.sql").write_text("CREATE TABLE one (x)")
        assert read_steps(schema) == ("CREATE TABLE one (x)",)
        (Path(package) / closed).chmod(0o000)

        with _as_nobody(), pytest.raises(SchemaUnreadable) as refused:
            read_steps(schema)

        schema.chmod(0o700)
        assert refused.value.code == 606
        assert refused.value.fields["path"] == str(Path(package) / closed)
        assert "Permission denied" in refused.value.text


async def test_a_disk_that_fails_while_opening_is_an_outage(file: Path) -> None:
    disk = FailingDisk()
    disk.full = True

    with pytest.raises(StoreUnavailable):
        async with open_sqlite(file, vfs=disk.name):
            pass

    disk.full = False
    async with open_sqlite(file, vfs=disk.name) as store:
        assert await store.sessions() == []
    disk.unregister()


async def test_a_failed_migration_leaves_the_file_as_it_was(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            "chatstores.sqlite.migrations.steps",
            lambda: ["CREATE TABLE one (x)", "CREATE TABLE one (x)"],
        )
        with pytest.raises(StoreUnavailable, match="already exists"):
            await _open(file)

    await _open(file)
    assert _pragma(file, "user_version") == SCHEMA


async def test_an_older_schema_is_migrated(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chatstores.sqlite.migrations import steps  # noqa: PLC0415 (is replaced below)

    async with open_sqlite(file) as store:
        await StoreDriver(store).register("ada")
    both = [*steps(), "ALTER TABLE account ADD COLUMN colour TEXT"]
    monkeypatch.setattr("chatstores.sqlite.migrations.steps", lambda: both)

    async with open_sqlite(file) as store:
        names = await store.names(prefix="", after="", limit=9)

    assert [name for _, name in names] == ["ada"]
    assert _pragma(file, "user_version") == SCHEMA + 1


async def test_a_database_is_kept_as_it_was_before_it_is_migrated(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from chatstores.sqlite.migrations import steps  # noqa: PLC0415 (is replaced below)

    caplog.set_level("INFO")
    async with open_sqlite(file) as store:
        await StoreDriver(store).register("ada")
    before = file.with_name(f"chat.db.before-{SCHEMA + 1}")
    assert not before.exists()
    both = [*steps(), "ALTER TABLE account ADD COLUMN colour TEXT"]

    with monkeypatch.context() as patch:
        patch.setattr("chatstores.sqlite.migrations.steps", lambda: both)
        await _open(file)

    assert stat.S_IMODE(before.stat().st_mode) == 0o600
    assert f"it is kept in {before}" in caplog.text
    assert check(before).findings == []
    async with open_sqlite(before) as store:
        assert len(await store.names(prefix="", after="", limit=9)) == 1
    assert _pragma(before, "user_version") == SCHEMA
    assert sorted(it.name for it in file.parent.iterdir()) == [file.name, before.name]


async def test_without_room_for_that_nothing_is_migrated(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chatstores.sqlite.migrations import steps  # noqa: PLC0415 (is replaced below)

    class Usage(NamedTuple):
        free: int = 1

    await _open(file)
    both = [*steps(), "ALTER TABLE account ADD COLUMN colour TEXT"]
    monkeypatch.setattr("chatstores.sqlite.migrations.steps", lambda: both)
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage())

    with pytest.raises(CopyFailed, match="MiB, and the disk has 0") as refused:
        await _open(file)

    assert refused.value.code == 610
    assert _pragma(file, "user_version") == SCHEMA
    assert [it.name for it in file.parent.iterdir()] == [file.name]


async def _open(file: Path) -> None:
    async with open_sqlite(file):
        pass


def _execute(file: Path, sql: str) -> None:
    connection = sqlite3.connect(file)
    connection.execute(sql)
    connection.close()


def _pragma(file: Path, name: str) -> object:
    connection = sqlite3.connect(file)
    value = connection.execute(f"PRAGMA {name}").fetchone()[0]
    connection.close()
    return value


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Root may write anything: be somebody who may not."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(user)


def _environment() -> dict[str, str]:
    source = Path(chatstores.__file__).parents[1]
    return {**os.environ, "PYTHONPATH": str(source)}


OTHER_SERVER = """
import asyncio, sys
from chatstores import open_store

async def main():
    async with open_store(sys.argv[1]) as store:
        await store.create_account("ada", "-", key=b"", at_ms=0)
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""

VISITOR = """
import asyncio, sys
from chatstores import open_store
from chatstores.errors import OpeningError

async def main():
    try:
        async with open_store(sys.argv[1]) as store:
            for _, name in await store.names(prefix="", after="", limit=9):
                print(name)
    except OpeningError as error:
        print(f"[{error.code}]")

asyncio.run(main())
"""


@contextmanager
def _other_server(file: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", OTHER_SERVER, f"sqlite:///{file}"],
        env=_environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        try:
            yield server
        finally:
            server.kill()


def _try_to_open(file: Path) -> str:
    visit = subprocess.run(
        [sys.executable, "-c", VISITOR, f"sqlite:///{file}"],
        env=_environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    return visit.stdout.strip()
