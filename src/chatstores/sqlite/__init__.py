"""A store in one SQLite file, by apsw, which brings a SQLite of its own.

::

    store ─ asks ─→ writer (a thread) ─ begins, commits ─→ database
                      │ does the work of                    ├── cache
                      └─→ accounts, mailboxes,              └── write_batch  the file
                          deletions, clean_up, retention

``opening``, ``permissions`` and ``migrations`` come before, ``schema`` has the SQL of
the tables.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from chatstores.errors import BadStoreUrl
from chatstores.sqlite.database import Database
from chatstores.sqlite.opening import connect
from chatstores.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "open_sqlite", "open_sqlite_url"]


@asynccontextmanager
async def open_sqlite(
    path: Path, *, vfs: str | None = None
) -> AsyncIterator[SqliteStore]:
    """The store in the file ``path``, made when it is missing.

    Raises ``chatstores.errors.OpeningError`` on entering.
    ``vfs`` names the SQLite VFS to go through instead of the default one, such as one
    that encrypts.
    """
    connection = await asyncio.to_thread(connect, path, vfs=vfs)
    store = SqliteStore(Database(connection))
    try:
        yield store
    finally:
        await store.close()


def path_of(url: str) -> Path:
    """``sqlite:///relative.db`` or ``sqlite:////absolute.db`` as a path."""
    parts = urlsplit(url)
    if parts.netloc or not url.startswith("sqlite:///"):
        reason = "three slashes come before a relative path, four before an absolute"
        raise BadStoreUrl(url=url, reason=reason)
    if parts.query or parts.fragment:
        raise BadStoreUrl(url=url, reason="it has no options; write ? as %3F, # as %23")
    name = unquote(parts.path.removeprefix("/"))
    if not name or "\0" in name:
        raise BadStoreUrl(url=url, reason="it names no file")
    return Path(name)


@asynccontextmanager
async def open_sqlite_url(url: str) -> AsyncIterator[SqliteStore]:
    """The store in the file that ``url`` names."""
    async with open_sqlite(path_of(url)) as store:
        yield store
