"""Who may read the files of a store on disk (B8)."""

# ruff: noqa: ASYNC240 (nothing else runs on these event loops)

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chatstores.sqlite import open_sqlite
from tests.unit.chatstores.sqlite.disk import FailingDisk
from tests.unit.chatstores.store_driver import StoreDriver

UMASKS = pytest.mark.parametrize("mask", [0o000, 0o022, 0o777], ids=oct)


@pytest.mark.rule("B8")
@UMASKS
async def test_a_new_file_and_all_beside_it_are_for_their_owner_only(
    file: Path, mask: int, caplog: pytest.LogCaptureFixture
) -> None:
    with _umask(mask):
        async with open_sqlite(file) as store:
            await StoreDriver(store).register("ada")

            assert _modes(file) == {"chat.db": 0o600, "chat.db-wal": 0o600}

    assert _modes(file) == {"chat.db": 0o600}
    assert caplog.records == []


@pytest.mark.rule("B8")
async def test_another_layer_under_sqlite_changes_nothing_about_that(
    file: Path,
) -> None:
    disk = FailingDisk()

    with _umask(0o000):
        async with open_sqlite(file, vfs=disk.name) as store:
            await StoreDriver(store).register("ada")

            assert _modes(file) == {"chat.db": 0o600, "chat.db-wal": 0o600}

    disk.unregister()


@pytest.mark.rule("B8")
async def test_a_link_to_a_file_that_is_still_to_be_made_makes_it_private(
    file: Path, tmp_path: Path
) -> None:
    (tmp_path / "disk").mkdir()
    target = tmp_path / "disk" / "mail.db"
    file.symlink_to(target)

    with _umask(0o000):
        async with open_sqlite(file):
            pass

    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert file.is_symlink()


@pytest.mark.rule("B8")
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644], ids=oct)
async def test_a_file_that_others_can_read_is_left_so_and_told_once(
    file: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_sqlite(file):
        pass
    file.chmod(mode)

    async with open_sqlite(file) as store:
        await StoreDriver(store).register("ada")

    assert _modes(file) == {"chat.db": mode}
    (record,) = caplog.records
    assert record.name.startswith("chatstores.sqlite")
    assert record.levelno == logging.WARNING
    assert f"{file} can be read by others (mode {mode:04o})" in record.getMessage()


@pytest.mark.rule("B8")
async def test_a_log_that_a_killed_server_has_left_is_looked_at_too(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_sqlite(file) as store:
        await StoreDriver(store).register("ada")
        database, log = file.read_bytes(), _log_of(file).read_bytes()
    file.write_bytes(database)
    _log_of(file).write_bytes(log)
    _log_of(file).chmod(0o644)

    async with open_sqlite(file) as store:
        assert len(await store.names(prefix="", after="", limit=9)) == 1

    (record,) = caplog.records
    assert f"{_log_of(file)} can be read" in record.getMessage()


@pytest.mark.rule("B8")
async def test_the_folder_keeps_its_rights(file: Path) -> None:
    file.parent.chmod(0o755)

    async with open_sqlite(file):
        pass

    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o755


def _modes(file: Path) -> dict[str, int]:
    """Of all files of this store."""
    return {
        it.name: stat.S_IMODE(it.stat().st_mode)
        for it in sorted(file.parent.iterdir())
        if it.name.startswith(file.name)
    }


def _log_of(file: Path) -> Path:
    return file.with_name(f"{file.name}-wal")


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)
