"""A file without its log: whether the log was lost, or copied back by somebody else."""

# ruff: noqa: ASYNC240 (nothing else runs on these event loops)

import sqlite3
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from chatstores.errors import WalMissing
from chatstores.sqlite import open_sqlite
from chatstores.sqlite.checking import check
from chatstores.sqlite.wal import checkpoint
from tests.unit.chatstores.store_driver import StoreDriver

MESSAGES = 60


@pytest.fixture
def copied_back_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it comes between the messages."""
    monkeypatch.setattr("chatstores.sqlite.wal.CHECKPOINT_PAGES", 6)


class Killed:
    """What a server leaves that is killed now: a file, and its log."""

    def __init__(self, file: Path, folder: Path) -> None:
        folder.mkdir()
        self.file = folder / "chat.db"
        self.log = folder / "chat.db-wal"
        self.file.write_bytes(file.read_bytes())
        self.log.write_bytes(file.with_name("chat.db-wal").read_bytes())

    def opened_by_another(self) -> None:
        """Have a program look into it that knows nothing of chatcore."""
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute("SELECT count(*) FROM account").fetchall()


@pytest.mark.rule("M1")
@pytest.mark.usefixtures("copied_back_often")
async def test_a_log_that_another_program_has_copied_back_is_not_missed(
    file: Path, tmp_path: Path
) -> None:
    left: list[Killed] = []
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada = await driver.register("ada")
        for number in range(MESSAGES):
            await driver.send(ada, "ada", f"{number}" * 100)
            if number % 7 == 0:
                left.append(Killed(file, tmp_path / f"{number}"))

    for index, killed in enumerate(left):
        killed.opened_by_another()

        assert not killed.log.exists()
        assert check(killed.file).findings == []
        async with open_sqlite(killed.file) as store:
            assert len(await StoreDriver(store).bodies(ada)) == 7 * index + 1


@pytest.mark.rule("M1")
@pytest.mark.usefixtures("copied_back_often")
async def test_a_file_that_was_taken_from_its_log_is_missing_it_at_each_moment(
    file: Path, tmp_path: Path
) -> None:
    contents: set[bytes] = set()
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada = await driver.register("ada")
        for number in range(MESSAGES):
            await driver.send(ada, "ada", f"{number}" * 100)
            contents.add(file.read_bytes())

    assert len(contents) > 5  # it was copied back again and again
    for number, content in enumerate(contents):
        alone = tmp_path / f"alone{number}.db"
        alone.write_bytes(content)
        with pytest.raises(WalMissing, match=r"alone\d+\.db\?missing-wal=accept'"):
            async with open_sqlite(alone):
                pass


@pytest.mark.rule("M1")
async def test_a_copy_that_is_broken_off_leaves_the_mark_in_the_file(
    file: Path, tmp_path: Path
) -> None:
    """Killed before the log is said to be whole by itself again."""
    async with open_sqlite(file) as store:
        await StoreDriver(store).register("ada")
        killed = Killed(file, tmp_path / "killed")
    connection = apsw.Connection(str(killed.file))
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")

    def die(*_: object) -> int:
        raise KeyboardInterrupt

    connection.execute(
        "CREATE TEMP TRIGGER die BEFORE UPDATE ON state WHEN NEW.wal_needed = 0 "
        "BEGIN SELECT die(); END"
    )
    connection.create_scalar_function("die", die)
    with pytest.raises(KeyboardInterrupt):
        checkpoint(connection, truncates=False)
    alone = tmp_path / "alone.db"
    alone.write_bytes(killed.file.read_bytes())
    connection.close()

    with pytest.raises(WalMissing):
        async with open_sqlite(alone):
            pass
