"""``chatcore backup`` and ``chatcore check``, as people run them."""

import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatstores.sqlite import open_sqlite
from chatstores.sqlite.checking import check
from tests.app.processes import (
    PASSWORD,
    chatcore,
    client,
    on_disk,
    on_memory,
    running_server,
    with_accounts,
    with_messages,
)
from tests.unit.chatstores.store_driver import StoreDriver


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    """One with an account, which nobody has open."""
    async with open_sqlite(tmp_path / "chat.db") as store:
        await StoreDriver(store).register("ada")
    return tmp_path / "chat.db"


@pytest.mark.rule("M1", "B8")
def test_what_a_killed_server_has_left_is_backed_up_checked_and_served(
    tmp_path: Path,
) -> None:
    killed = tmp_path / "chat.db"
    with running_server(*on_disk(tmp_path)) as server:
        with_accounts(server.url, "ada", "bob")
        with_messages(server.url, "ada", "bob", "hello")
        used = chatcore("check", str(killed))
        server.stop(signal.SIGKILL)
    folder = tmp_path / "copy"
    folder.mkdir()
    backup = folder / "chat.db"

    done = chatcore("backup", str(backup), "--store", f"sqlite:///{killed}")
    again = chatcore("backup", str(backup), "--store", f"sqlite:///{killed}", "--json")
    checked = chatcore("check", str(backup))

    assert used.status == 1
    assert "[603]" in used.errors
    assert done.status == 0
    assert f"{backup}: " in done.lines[0]
    assert backup.stat().st_mode & 0o777 == 0o600
    assert again.status == 1
    assert json.loads(again.errors)["error"]["code"] == 609
    assert checked.status == 0
    assert "2 accounts, 1 messages that wait: nothing found." in checked.lines[0]
    with running_server(*on_disk(folder)) as server:
        seen = client(server.url, "login bob", PASSWORD, "deliver")
    assert any("hello" in line for line in seen.lines)


@pytest.mark.rule("M1", "B8")
def test_a_running_server_makes_its_backup_over_the_operators_socket(
    tmp_path: Path,
) -> None:
    backup, door = tmp_path / "backup.db", tmp_path / "door"
    asked = ("backup", "backup.db", "--socket", str(door))
    with running_server(*on_disk(tmp_path), "--admin-socket", str(door)) as server:
        with_accounts(server.url, "ada", "bob")
        with_messages(server.url, "ada", "bob", "hello")

        done = chatcore(*asked, folder=tmp_path)
        again = chatcore(*asked, "--json", folder=tmp_path)

    assert done.status == 0, done.errors
    assert f"{backup}: " in done.lines[0]
    assert backup.stat().st_mode & 0o777 == 0o600
    assert again.status == 1
    assert json.loads(again.errors)["error"]["code"] == 609
    report = check(backup)
    assert (report.accounts, report.messages, report.findings) == (2, 1, [])


def test_findings_are_lines_and_status_1(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM mailbox WHERE account = 1")
    connection.close()

    shown = chatcore("check", str(database))
    told = chatcore("check", str(database), "--json")

    assert (shown.status, told.status) == (1, 1)
    assert shown.lines[0] == "[804] a live account has no mailbox (1): 1"
    finding, last = map(json.loads, told.lines)
    assert (finding["type"], finding["code"], finding["count"]) == ("finding", 804, 1)
    assert (last["type"], last["findings"]) == ("checked", 1)


def test_a_file_that_has_lost_its_log_is_refused_by_a_server(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE state SET wal_needed = 1")
    connection.close()

    refused = chatcore("serve", *on_disk(database.parent))

    assert refused.status == 1
    assert "[607]" in refused.errors.splitlines()[-1]
    assert "Traceback" not in refused.errors


@pytest.mark.rule("D5")
def test_a_log_that_does_not_go_on_is_refused_by_a_server_and_a_restore(
    database: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE state SET log_sequence = 3, log_digest = x'00'")
    backup = tmp_path / "backup.db"
    backup.write_bytes(database.read_bytes())
    log = ("--erasure-log", str(tmp_path / "erasures"))
    store = ("--store", f"sqlite:///{tmp_path}/new.db")

    served = chatcore("serve", *on_disk(tmp_path), *log)
    restored = chatcore("restore", str(backup), *store, *log)
    forgotten = chatcore("restore", str(backup), *store)

    assert (served.status, restored.status, forgotten.status) == (1, 1, 2)
    assert "[608]" in served.errors.splitlines()[-1]
    assert "[608]" in restored.errors
    assert "was served with an erasure log" in forgotten.errors
    assert "Traceback" not in served.errors
    assert not (tmp_path / "new.db").exists()


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (("backup", "out.db", "--store", "memory:"), 2, "[701]"),
        (("backup", "out.db", "--store", "sqlite:///missing.db"), 1, "[601]"),
        (("check",), 2, "FILE is missing"),
        (("serve", *on_memory(), "--erasure-log", "log"), 2, "[701]"),
    ],
)
def test_what_is_asked_wrongly_is_one_line(
    tmp_path: Path, words: tuple[str, ...], status: int, text: str
) -> None:
    done = chatcore(*words, folder=tmp_path)

    assert done.status == status
    assert text in done.errors
    assert "Traceback" not in done.errors
    assert list(tmp_path.iterdir()) == []
