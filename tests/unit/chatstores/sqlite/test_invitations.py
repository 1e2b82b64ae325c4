"""A file that is older than invitations."""

from pathlib import Path

import apsw
import pytest

from chatcore.ids import AccountId, AddressHash, Epoch, Position, Username
from chatcore.model import DeletionReceipt
from chatcore.store import Declined, Stored
from chatstores.sqlite import open_sqlite
from chatstores.sqlite.migrations import APPLICATION_ID
from tests.unit.chatstores.store_driver import NOW_MS, Person, StoreDriver, key
from tests.unit.chatstores.test_invitations import create, invite


@pytest.mark.rule("M2", "S6", "A3")
async def test_a_file_from_before_there_were_any_is_whole_and_learns_them(
    file: Path,
) -> None:
    _load(file, Path(__file__).with_name("schema_2.sql"), version=2)

    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        ada = Person(AccountId(1), Username("ada"), Epoch(2))
        bob = Person(AccountId(2), Username("bob"), Epoch(1))
        bodies, bounces = await driver.bodies(ada), await driver.bounces(ada)
        sessions = [it.account for it in await store.sessions()]
        home = AddressHash(b"home")
        known = await store.knows_address(ada.id, home, since_ms=NOW_MS)
        repeated = await driver.send(bob, "ada", "one", under=key(5))
        other = await driver.send(bob, "ada", "two", under=key(5))
        receipt = await driver.receipt_under(key(7))
        await invite(driver)
        made = await create(driver, "eve")

    assert (bodies, bounces) == (["zwölf", "three"], [(1,)])
    assert (sessions, known) == ([1, 2], True)
    assert repeated == [Stored(ada.id, Position(1), NOW_MS, new=False)]
    assert other == [Declined.OTHER_BODY]
    assert receipt == DeletionReceipt(discarded=1, bounces=1)
    assert made == 4


def _load(file: Path, dump: Path, *, version: int) -> None:
    """Make a file of an earlier schema out of a dump of one."""
    connection = apsw.Connection(str(file))
    connection.execute(dump.read_text(encoding="utf-8"))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
