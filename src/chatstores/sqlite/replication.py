"""A store whose rows another database keeps, which need know nothing of a chat.

::

    store ─ asks ─→ writer (a thread) ─ carries out ─→ SQLite, a file of this process
                      └─ before each commit ─→ replica ─ changed rows ─→ database

One process at a time has the rows, so it may have them all at hand: it reads them when
it opens, and from then on only writes. What SQLite's session extension says a
transaction has changed is written in one piece, and committed here once that is there.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir
from typing import Final

import apsw
from msgspec.msgpack import decode, encode

from chatcore.errors import OutcomeUnknown, StoreUnavailable
from chatstores.errors import StoreTooNew
from chatstores.sqlite.database import Database
from chatstores.sqlite.disk_monitor import DiskMonitor
from chatstores.sqlite.migrations import steps
from chatstores.sqlite.row_database import KeptRow, RowDatabase, WriteRefused
from chatstores.sqlite.store import SqliteStore
from chatstores.sqlite.values import Row, Value

_SCHEMA: Final = "schema"
"""A table with one row: how many steps of the schema the rows are of."""

_SEQUENCE: Final = "sqlite_sequence"
"""The highest id that was given; SQLite's own table, which no session attends to."""


class Replica:
    """The rows here, which are those of ``database``. Used by one thread at a time."""

    def __init__(self, database: RowDatabase) -> None:
        self._database = database
        self.connection = apsw.Connection("")  # a temporary file that has no name
        self.connection.execute("PRAGMA journal_mode = MEMORY")
        self.connection.execute("PRAGMA temp_store = MEMORY")
        self._keys: dict[str, Mapping[str, int]] = {}
        # From the first statement on: one that was prepared while there is no session
        # (apsw keeps it) may clear a table without telling.
        self._session = apsw.Session(self.connection, "main")
        self._unknown: tuple[str, bytes] | None = None
        self._behind: list[bytes] = []
        self._load()
        self._commit = database.last_commit()
        self._last_id = self._read_last_id()
        self._record()

    def ship(self, *, gives_room: bool) -> None:
        """Write what this transaction has changed; it is to be committed only then."""
        changeset = self._session.changeset()
        rows, last_id = list(self._changed(changeset)), self._read_last_id()
        if last_id != self._last_id:
            rows += last_id
        if rows:
            commit = token_hex(8)
            try:
                self._database.write(commit, rows, gives_room=gives_room)
            except WriteRefused as refused:
                raise apsw.FullError(str(refused)) from refused
            except StoreUnavailable:
                raise
            except Exception as error:
                self._unknown = commit, changeset
                raise OutcomeUnknown from error
            self._commit, self._last_id = commit, last_id
            self._record()
        self._behind.clear()

    def catch_up(self) -> None:
        """Change what commits have changed there whose outcome was unknown.

        It is committed with the transaction that this is called in, and until then
        changed anew in each that comes after. What a database has lost that was not
        durable is written anew.
        """
        if self._unknown is not None:
            try:
                self._find_out(*self._unknown)
            except Exception as error:
                raise StoreUnavailable(reason=str(error)) from error
            self._unknown = None
        for changeset in self._behind:
            apsw.Changeset.apply(changeset, self.connection)
        if self._behind:
            self._record()  # from here on: what was there before is not to be written

    def _find_out(self, commit: str, changeset: bytes) -> None:
        last = self._database.last_commit()
        if last == commit:
            self._commit = commit
            self._behind.append(changeset)
        elif last != self._commit:
            self._write_all(self._rows_there())

    def _record(self) -> None:
        self._session = apsw.Session(self.connection, "main")
        self._session.attach()

    def _changed(self, changeset: bytes) -> Iterator[KeptRow]:
        for it in apsw.Changeset.iter(changeset):
            known: Row = it.new or it.old or ()
            if it.op == "UPDATE":  # of `new` it has only the columns that are another's
                known = it.old or ()
            columns = self._keys[it.name]
            key = [known[place] for place in columns.values()]
            row = self._find(it.name, columns, key) if it.op == "UPDATE" else known
            kept = None if it.op == "DELETE" else encode(row)
            yield KeptRow(it.name, encode(key), kept)

    def _find(self, table: str, columns: Iterable[str], key: Sequence[Value]) -> Row:
        where = " AND ".join(f"{column} = ?" for column in columns)
        sql = f"SELECT * FROM {table} WHERE {where}"  # noqa: S608 (of the schema)
        return self.connection.execute(sql, key).fetchone() or ()

    def _read_last_id(self) -> list[KeptRow]:
        return list(self._rows_of(_SEQUENCE))

    def _rows_of(self, table: str) -> Iterator[KeptRow]:
        places = self._keys[table].values()
        for row in self.connection.execute(f"SELECT * FROM {table}"):  # noqa: S608 (of the schema)
            yield KeptRow(table, encode([row[it] for it in places]), encode(row))

    # opening

    def _load(self) -> None:
        """Read all rows, and bring them to the newest schema, here and there."""
        newest = len(steps())
        found: int = max(
            (decode(it) for _, it in self._database.load(_SCHEMA)), default=0
        )
        if found > newest:
            raise StoreTooNew(path="the database", found=found, known=newest)
        self.connection.execute("BEGIN")
        self._take(steps()[:found])
        for table in self._keys:
            self._insert(table, self._database.load(table))
        if found < newest:
            before = list(self._rows_there())
            self._take(steps()[found:])
            self._write_all(before)
        self.connection.execute("COMMIT")

    def _rows_there(self) -> Iterator[KeptRow]:
        for table in self._keys:
            for key, row in self._database.load(table):
                yield KeptRow(table, key, row)

    def _write_all(self, before: Iterable[KeptRow]) -> None:
        """Write all rows instead of those that were there before."""
        gone = [it._replace(row=None) for it in before]
        kept = chain.from_iterable(map(self._rows_of, self._keys))
        schema = KeptRow(_SCHEMA, b"", encode(len(steps())))
        self._commit = token_hex(8)
        self._database.write(self._commit, [*gone, *kept, schema], gives_room=False)

    def _take(self, sql: Sequence[str]) -> None:
        """Take these steps of the schema, and see which tables there are, by which
        columns their rows are found, and where in a row those are.
        """
        for step in sql:
            self.connection.execute(step)
        tables = self.connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name = ?",
            (_SEQUENCE,),  # last: other tables change it
        )
        self._keys = {str(it): self._key_of(str(it)) for (it,) in tables.fetchall()}

    def _key_of(self, table: str) -> Mapping[str, int]:
        if table == _SEQUENCE:
            return {"name": 0}
        rows: Iterable[Row] = self.connection.execute(
            "SELECT name, cid FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk",
            (table,),
        )
        return dict(rows)

    def _insert(self, table: str, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Have these rows in a table instead of those that its step has made."""
        self.connection.execute(f"DELETE FROM {table}")  # noqa: S608 (of the schema)
        for _, row in rows:
            values = decode(row)
            marks = ", ".join("?" * len(values))
            self.connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608 (of the schema)


@asynccontextmanager
async def open_row_store(database: RowDatabase) -> AsyncIterator[SqliteStore]:
    """The store whose rows ``database`` keeps; closing that is its opener's affair.

    Raises ``chatstores.errors.StoreTooNew``, and whatever loading the rows does.
    """
    replica = await asyncio.to_thread(Replica, database)
    here = Database(replica.connection)
    here.batch.replica = replica
    monitor = DiskMonitor(Path(gettempdir(), "chatcore"), least_free_mib=0)
    store = SqliteStore(here, monitor)
    store.durable = database.durable
    try:
        yield store
    finally:
        await store.close()
