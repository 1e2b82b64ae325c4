"""What ``check`` finds in a database, and that it finds nothing in a sound one."""

# ruff: noqa: ASYNC240 (nothing else runs on these event loops)

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from chatcore.ids import AddressHash
from chatcore.limits import DAY_MS
from chatstores.errors import StoreInUse, StoreNotOurs
from chatstores.sqlite import open_sqlite
from chatstores.sqlite.checking import INVARIANTS, check
from chatstores.sqlite.migrations import APPLICATION_ID, steps
from tests.unit.chatstores.store_driver import NOW_MS, StoreDriver, key


@pytest.fixture
async def used(file: Path) -> Path:
    """A database in which everything has happened that leaves rows."""
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada, bob, carol, dave = [
            await driver.register(name) for name in ("ada", "bob", "carol", "dave")
        ]
        await driver.login(ada.id, address=AddressHash(b"home"))
        ada = await driver.login(ada.id)
        for number in range(5):
            await driver.send(bob, "ada", f"keyed {number}", under=key(number))
            await driver.send(carol, "bob", "x", under=key(9, at_ms=NOW_MS + DAY_MS))
        await driver.send(ada, "bob", *["y"] * 20)
        await driver.send(carol, "ada", "to be retracted")
        await driver.send(ada, "carol", "to be bounced", "this too")
        await driver.send(dave, "bob", "kept")
        driver.acknowledge(ada, 3)
        await driver.erase(carol, retract=True)
        # Decided and not worked off.
        await driver.delete(dave, under=key(7))
        await store.forget(key(2))
    return file


async def test_it_finds_nothing_in_a_sound_database_and_changes_nothing(
    used: Path,
) -> None:
    content = used.read_bytes()

    report = check(used)

    assert report.findings == []
    assert (report.schema, report.accounts, report.messages) == (len(steps()), 2, 24)
    assert used.read_bytes() == content
    assert [it.name for it in used.parent.iterdir()] == ["chat.db"]


_WEBHOOK = "INSERT INTO webhook VALUES (1, 'https://a.example', 1, 0, 0,"


@pytest.mark.parametrize(
    ("code", "sql"),
    [
        (804, "DELETE FROM mailbox WHERE account = 1"),
        (805, "INSERT INTO mailbox VALUES (77, 0, 0)"),
        (805, "UPDATE account SET deleted = 1 WHERE id = 1"),
        (806, "INSERT INTO message VALUES (3, 900, 1, 0, 1, 'secret')"),
        (807, "UPDATE mailbox SET acknowledged = 4 WHERE account = 1"),
        (808, "INSERT INTO message VALUES (2, -1, 1, 0, 1, 'secret')"),
        (808, "UPDATE mailbox SET removed = -1 WHERE account = 2"),
        (809, "INSERT INTO message VALUES (2, 900, 88, 0, 1, 'secret')"),
        (810, "UPDATE message SET body = 'secret' WHERE bounced = 1"),
        (810, "UPDATE message SET body = '{}' WHERE bounced = 1"),
        (810, "UPDATE message SET body = '[1,\"secret\"]' WHERE bounced = 1"),
        (811, "INSERT INTO session VALUES (3, x'00')"),
        (812, "UPDATE account SET epoch = 0 WHERE id = 1"),
        (813, "UPDATE sqlite_sequence SET seq = 1"),
        (814, "UPDATE send_key SET position = 900 WHERE recipient_id = 1"),
        (815, "UPDATE send_key SET key = x'00' WHERE position = 3 AND sender = 2"),
        (823, "UPDATE send_key SET ahead = 1 - ahead WHERE sender = 2"),
        (825, f"{_WEBHOOK} 1, 'ada', 99, 'zoe', 1, 1, 'a body')"),
        (826, f"{_WEBHOOK} 1, 'ada', 1, 'ada', 0, 1, NULL)"),
        (826, f"{_WEBHOOK} 99999, 'zoe', 1, 'ada', 1, 1, NULL)"),
        (816, "INSERT INTO request VALUES (x'01', 99, 0)"),
        (816, "INSERT INTO request VALUES (x'01', 1, 1)"),
        (
            817,
            "INSERT INTO deletion VALUES (99, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0)",
        ),
        (818, "UPDATE deletion SET finished = 1, inbox_finished = 0"),
        (819, "DELETE FROM horizon"),
        (820, "INSERT INTO known_address VALUES (3, x'00', 0)"),
        (821, "DELETE FROM state"),
        (824, "INSERT INTO journal (entries) VALUES (x'c1')"),
        (803, "DROP INDEX account_tombstone"),
        (803, "ALTER TABLE session ADD COLUMN more TEXT"),
        (803, "CREATE TABLE other (x)"),
    ],
)
async def test_each_planted_fault_is_found_by_its_number(
    used: Path, code: int, sql: str
) -> None:
    with closing(apsw.Connection(str(used))) as connection:
        connection.execute(sql)

    findings = check(used).findings

    assert code in [it.code for it in findings]
    told = "\n".join(map(str, findings))
    assert f"[{code}]" in told
    # No body and no name in it (B8).
    assert "secret" not in told
    assert "ada" not in told


def test_every_invariant_has_its_own_number() -> None:
    codes = [it.code for it in INVARIANTS]

    assert codes == sorted(set(codes))


async def test_a_damaged_page_is_found(used: Path) -> None:
    content = bytearray(used.read_bytes())
    # Not the first page, so that it is still known for ours.
    content[-4096:] = b"\x55" * 4096
    used.write_bytes(content)

    findings = check(used).findings

    assert [it.code for it in findings] == [801]


async def test_an_index_that_disagrees_with_its_table_is_found(used: Path) -> None:
    with closing(apsw.Connection(str(used))) as connection:
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
        connection.execute("PRAGMA writable_schema = 1")
        connection.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'deleted = 0', 'deleted = 1') "
            "WHERE name = 'account_live'"
        )

    assert [it.code for it in check(used).findings] == [801, 803]


async def test_an_older_schema_is_checked_as_what_it_is(file: Path) -> None:
    with closing(apsw.Connection(str(file))) as connection:
        connection.execute(steps()[0])
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")

    report = check(file)

    assert (report.schema, report.findings) == (1, [])


async def test_a_database_in_use_is_refused(file: Path) -> None:
    async with open_sqlite(file):
        with pytest.raises(StoreInUse):
            check(file)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 300])
async def test_what_is_no_database_of_ours_is_refused(
    file: Path, content: bytes
) -> None:
    file.write_bytes(content)

    with pytest.raises(StoreNotOurs):
        check(file)

    assert file.read_bytes() == content


async def test_another_applications_database_and_no_file_are_refused(
    file: Path, tmp_path: Path
) -> None:
    with closing(apsw.Connection(str(file))) as connection:
        connection.execute("CREATE TABLE note (text)")

    with pytest.raises(StoreNotOurs, match="another application"):
        check(file)
    with pytest.raises(StoreNotOurs, match="no such file"):
        check(tmp_path / "missing.db")
    with pytest.raises(StoreNotOurs):
        check(tmp_path)
