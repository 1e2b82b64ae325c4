"""A database that no server has open, to be read and left as it is.

A log beside it is read along, and stays: it is neither copied into the file nor
removed. Without one the file is read alone, since SQLite would make one, and what has
one does not look like a copy that has lost its log any more.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import apsw

from chatstores.errors import StoreNotOurs, StoreReadOnly, StoreTooNew
from chatstores.sqlite.migrations import APPLICATION_ID, steps
from chatstores.sqlite.opening import translated
from chatstores.sqlite.values import fetch_int
from chatstores.sqlite.wal import wal_of


@contextmanager
def open_unserved(path: Path) -> Iterator[apsw.Connection]:
    """Read a database; a log keeps it locked against servers meanwhile.

    Raises ``StoreNotOurs`` for what is no database of chatcore, ``StoreInUse`` while a
    server has it, ``StoreTooNew``, ``StoreReadOnly`` for a log that cannot be read.
    """
    with translated(path):
        if not path.is_file():
            raise StoreNotOurs(path=str(path), reason="there is no such file")
        connection = _connect(path)
        try:
            _check_ours(connection, path)
            yield connection
        finally:
            connection.close()


def _connect(path: Path) -> apsw.Connection:
    if not wal_of(path).exists():
        return apsw.Connection(
            f"file:{quote(os.path.realpath(path))}?immutable=1",
            flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI,
        )
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    if connection.readonly("main"):
        connection.close()
        reason = "its log cannot be read without that right"
        raise StoreReadOnly(path=str(path), reason=reason)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA query_only = 1")
    return connection


def _check_ours(connection: apsw.Connection, path: Path) -> None:
    connection.set_busy_timeout(0)
    if fetch_int(connection, "PRAGMA application_id") != APPLICATION_ID:
        raise StoreNotOurs(path=str(path), reason="it belongs to another application")
    found = fetch_int(connection, "PRAGMA user_version")
    if found > len(steps()):
        raise StoreTooNew(path=str(path), found=found, known=len(steps()))
