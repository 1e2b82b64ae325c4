"""Stores whose rows another database keeps: what that is told, and when it fails."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import apsw
import pytest
from msgspec.msgpack import encode

from chatcore.errors import OutcomeUnknown, StoreUnavailable
from chatcore.ids import AccountId, Epoch, Username
from chatcore.model import Erasure, LoggedErasure, LogMark
from chatcore.store import Stored
from chatstores.errors import StoreTooNew
from chatstores.sqlite.migrations import steps
from chatstores.sqlite.replication import open_row_store
from chatstores.sqlite.row_database import KeptRow, WriteRefused
from tests.unit.chatstores.store_driver import (
    NOW_MS,
    Person,
    StoreDriver,
    key,
    positions,
)

DUMP: Final = Path(__file__).with_name("schema_5.sql")


class Tables:
    """A database that keeps rows in dictionaries, and fails as it is told.

    Attributes:
        writes: the rows of each write that was carried out.
        fails: what happens to the next write, if anything.
        is_gone: whether it cannot be reached.
        takes_only_what_gives_room: whether it is full.
    """

    durable = True

    def __init__(self) -> None:
        self.tables: dict[str, dict[bytes, bytes]] = {}
        self.commit = ""
        self.writes: list[Sequence[KeptRow]] = []
        self.fails = ""
        self.is_gone = False
        self.takes_only_what_gives_room = False

    def load(self, table: str) -> Iterable[tuple[bytes, bytes]]:
        return list(self.tables.get(table, {}).items())

    def last_commit(self) -> str:
        if self.is_gone:
            raise ConnectionError("it is gone")
        return self.commit

    def write(self, commit: str, rows: Sequence[KeptRow], *, gives_room: bool) -> None:
        fails, self.fails = self.fails, ""
        if self.is_gone:
            raise StoreUnavailable(reason="it is gone")
        if fails == "refused" or (self.takes_only_what_gives_room and not gives_room):
            raise WriteRefused("there is no room")
        if fails != "lost before":
            self._keep(commit, rows)
        if fails:
            raise ConnectionError(fails)

    def _keep(self, commit: str, rows: Sequence[KeptRow]) -> None:
        for it in rows:
            table = self.tables.setdefault(it.table, {})
            if it.row is None:
                table.pop(it.key, None)
            else:
                table[it.key] = it.row
        self.commit = commit
        self.writes.append(rows)


@pytest.fixture
def database() -> Tables:
    return Tables()


@asynccontextmanager
async def opened(database: Tables) -> AsyncIterator[StoreDriver]:
    async with open_row_store(database) as store:
        yield StoreDriver(store)


async def test_what_was_answered_is_there_when_the_rows_are_opened_again(
    database: Tables,
) -> None:
    async with opened(database) as driver:
        ada, bob = await driver.register("ada"), await driver.register("bob")
        await driver.send(ada, "bob", "one", "two\0", "three", under=key(1))
        await driver.send(bob, "ada", "gone")
        driver.acknowledge(bob, 1)
        await driver.delete(ada, retract=False)
        identity = await driver.store.identity()

    async with opened(database) as driver:
        assert await driver.bodies(bob) == []
        assert (await driver.finish(ada.id)).receipt.discarded == 1
        assert await driver.bounces(bob) == [(1,)]
        assert await driver.store.identity() == identity
        names = await driver.store.names(prefix="", after="", limit=9)
        assert [name for _, name in names] == ["bob"]


async def test_what_was_answered_is_there_also_after_a_crash(database: Tables) -> None:
    async with opened(database) as driver:
        ada = await driver.register("ada")
        await driver.send(ada, "ada", "hello")

        async with opened(database) as after:  # what a crash leaves is what it has now
            assert await after.bodies(ada) == ["hello"]


async def test_the_rows_there_open_however_often_a_store_has_gone_on_from_them(
    database: Tables,
) -> None:
    async with opened(database) as driver:
        ada = await driver.register("ada")
    sent: list[str] = []

    for number in range(4):
        async with opened(database) as driver:
            there = await driver.bodies(ada)
            for body in (f"{number}, first", f"{number}, second"):
                await driver.send(ada, "ada", body)

        assert there == sent
        sent += [f"{number}, first", f"{number}, second"]


async def test_a_message_costs_one_row(database: Tables) -> None:
    async with opened(database) as driver:
        ada = await driver.register("ada")
        database.writes.clear()

        await driver.send(ada, "ada", "hello", under=key(1))

        assert [it.table for rows in database.writes for it in rows] == ["journal"]


async def test_who_only_reads_writes_nothing(database: Tables) -> None:
    async with opened(database) as driver:
        ada = await driver.register("ada")
        database.writes.clear()

        await driver.bodies(ada)
        await driver.store.find_account(ada.name)

        assert database.writes == []


async def test_an_id_is_never_given_again_though_nothing_is_left_of_its_account(
    database: Tables,
) -> None:
    async with opened(database) as driver:
        ada = await driver.register("ada")
        await driver.erase(ada)
        await driver.store.forget(key(1))
        erasure = Erasure(
            account=AccountId(7), discard=True, retract=False, key=key(0), at_ms=NOW_MS
        )
        await driver.store.erase_again(LoggedErasure(LogMark(1, b"x"), erasure))

    async with opened(database) as driver:
        assert (await driver.register("bob")).id > AccountId(7)


@pytest.mark.rule("M1")
async def test_a_write_that_is_refused_changes_nothing_and_takes_nobody_along(
    database: Tables,
) -> None:
    async with opened(database) as driver:
        ada = await driver.register("ada")
        await driver.send(ada, "ada", "before")
        database.takes_only_what_gives_room = True

        refused, bodies = await asyncio.gather(
            driver.send(ada, "ada", "too much", under=key(1)),
            driver.bodies(ada),
            return_exceptions=True,
        )
        driver.acknowledge(ada, 1)
        await driver.store.flush()

        assert isinstance(refused, StoreUnavailable)
        assert "there is no room" in str(refused)
        assert bodies == ["before"]
        assert await driver.queued(ada) == 0
        database.takes_only_what_gives_room = False
        assert positions(await driver.send(ada, "ada", "hi", under=key(1))) == [2]


@pytest.mark.rule("M1", "M2")
@pytest.mark.parametrize("lost", ["lost before", "lost after"])
async def test_a_deposit_whose_outcome_is_unknown_is_stored_once_when_it_is_repeated(
    database: Tables, lost: str
) -> None:
    async with opened(database) as driver:
        ada = await driver.register("ada")
        database.fails = lost

        with pytest.raises(OutcomeUnknown):
            await driver.send(ada, "ada", "once", under=key(1))
        (again,) = await driver.send(ada, "ada", "once", under=key(1))

        assert isinstance(again, Stored)
        assert (again.position, again.new) == (1, lost == "lost before")
    async with opened(database) as driver:
        assert await driver.bodies(ada) == ["once"]
        assert positions(await driver.send(ada, "ada", "next")) == [2]


async def test_outcomes_that_are_unknown_one_after_another_are_all_found_out(
    database: Tables,
) -> None:
    async with opened(database) as driver:
        ada = await driver.register("ada")
        for number, lost in enumerate(["lost after", "lost before", "lost after"]):
            database.fails = lost
            with pytest.raises(OutcomeUnknown):
                await driver.send(ada, "ada", lost, under=key(number))
        database.fails = "refused"
        with pytest.raises(StoreUnavailable):
            await driver.send(ada, "ada", "refused")

        there = await driver.bodies(ada)
        await driver.register("bob")

        assert there == ["lost after", "lost after"]
    async with opened(database) as driver:
        assert await driver.bodies(ada) == there


async def test_while_it_cannot_be_reached_nothing_is_changed_and_then_it_goes_on(
    database: Tables,
) -> None:
    async with opened(database) as driver:
        ada = await driver.register("ada")
        database.fails = "lost after"
        with pytest.raises(OutcomeUnknown):
            await driver.send(ada, "ada", "unknown")
        database.is_gone = True

        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="it is gone"):
                await driver.send(ada, "ada", "refused")
            with pytest.raises(StoreUnavailable):  # it might not be what is there
                await driver.bodies(ada)
        database.is_gone = False

        assert await driver.bodies(ada) == ["unknown"]


async def test_what_a_database_has_lost_that_was_not_durable_is_written_anew(
    database: Tables,
) -> None:
    async with opened(database) as driver:
        ada = await driver.register("ada")
        await driver.send(ada, "ada", "old")
        before = {name: dict(rows) for name, rows in database.tables.items()}, ""
        driver.acknowledge(ada, 1)
        await driver.send(ada, "ada", "new")
        database.tables, database.commit = before
        database.fails = "lost before"
        with pytest.raises(OutcomeUnknown):
            await driver.send(ada, "ada", "lost")

        assert await driver.bodies(ada) == ["new"]
    async with opened(database) as driver:
        assert await driver.bodies(ada) == ["new"]


async def test_rows_of_an_earlier_schema_are_brought_to_this_one(
    database: Tables,
) -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(DUMP.read_text(encoding="utf-8"))
    database.tables["schema"] = {b"": encode(5)}
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table'"
    for (table,) in connection.execute(tables).fetchall():
        rows = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 (of the dump)
        database.tables[str(table)] = {encode(row[:3]): encode(row) for row in rows}
    ada = Person(AccountId(1), Username("ada"), Epoch(2))

    async with opened(database) as driver:
        there = await driver.bodies(ada)
        await driver.send(ada, "ada", "another")

    async with opened(database) as driver:
        assert there
        assert await driver.bodies(ada) == [*there, "another"]
    assert database.tables["schema"] == {b"": encode(len(steps()))}


async def test_rows_of_a_later_schema_are_refused_and_left_alone(
    database: Tables,
) -> None:
    database.tables["schema"] = {b"": encode(len(steps()) + 1)}

    with pytest.raises(StoreTooNew):
        async with opened(database):
            pass

    assert database.writes == []


def test_each_table_of_the_schema_has_a_key_by_which_a_change_of_it_is_told() -> None:
    connection = apsw.Connection(":memory:")
    for step in steps():
        connection.execute(step)

    # SQLite's session extension passes over tables that have none.
    without = connection.execute(
        "SELECT name FROM sqlite_schema AS it WHERE type = 'table' AND name <> ? "
        "AND NOT EXISTS (SELECT 1 FROM pragma_table_info(it.name) WHERE pk > 0)",
        ("sqlite_sequence",),
    )

    assert without.fetchall() == []


async def test_a_store_is_as_durable_as_its_database(database: Tables) -> None:
    database.durable = False

    async with open_row_store(database) as store:
        assert not store.durable
