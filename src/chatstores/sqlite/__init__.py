"""A store in one SQLite file, by apsw, which brings a SQLite of its own.

::

    store ─ asks ─→ writer (a thread) ─ begins, commits ─→ database
                      │ does the work of                    ├── cache
                      └─→ accounts, mailboxes,              └── write_batch  the file
                          deletions, clean_up, retention          └── journal

``opening``, ``permissions`` and ``migrations`` come before, ``schema`` has the SQL of
the tables. ``replication`` has the rows kept by another database than the file.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chatstores.sqlite.address import LEAST_FREE_MIB, parse_sqlite_url
from chatstores.sqlite.database import Database
from chatstores.sqlite.disk_monitor import DiskMonitor
from chatstores.sqlite.opening import connect, growth_of_wal, translated
from chatstores.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "open_sqlite", "open_sqlite_url"]


@asynccontextmanager
async def open_sqlite(
    path: Path,
    *,
    vfs: str | None = None,
    least_free_mib: int = LEAST_FREE_MIB,
    accept_missing_wal: bool = False,
) -> AsyncIterator[SqliteStore]:
    """The store in the file ``path``, made when it is missing.

    Raises ``chatstores.errors.OpeningError`` on entering.
    ``vfs`` names the SQLite VFS to go through instead of the default one, such as one
    that encrypts. ``address.SqliteAddress`` has the others.
    """
    connection = await asyncio.to_thread(
        connect, path, vfs=vfs, accept_missing_wal=accept_missing_wal
    )
    monitor = DiskMonitor(path, least_free_mib=least_free_mib)
    with translated(path):
        try:
            database = Database(connection, growth_of_wal(connection, vfs=vfs))
        except BaseException:
            connection.close()
            raise
    store = SqliteStore(database, monitor)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_sqlite_url(url: str) -> AsyncIterator[SqliteStore]:
    """The store in the file that ``url`` names; see ``address`` for its options."""
    address = parse_sqlite_url(url)
    async with open_sqlite(
        address.path,
        least_free_mib=address.least_free_mib,
        accept_missing_wal=address.accept_missing_wal,
    ) as store:
        yield store
