"""The write-ahead log beside the file: what it is called, and how its loss is seen.

While a store is open its commits are in ``chat.db-wal``, and reach ``chat.db`` only now
and then. So who copies ``chat.db`` alone has a sound database that lacks some of them,
or all. That is why the file says so itself: ``state.wal_needed`` is set, and copied
into the file, when it is opened, and cleared once a clean close has copied all else. A
file that has it set and no log beside it was taken away from its log.

SQLite removes the log when it closes the file; until the mark is cleared it is told not
to. A process that is killed leaves its log, and one of no bytes needs no copying.
"""

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw

from chatstores.errors import WalMissing
from chatstores.sqlite.values import fetch_int

STATE_SINCE: Final = 3
"""The first schema that has the table ``state``."""


def wal_of(path: Path) -> Path:
    """Where the log of a database is; SQLite follows links before it names it."""
    return Path(f"{os.path.realpath(path)}-wal")


def refuse_missing_wal(connection: apsw.Connection, *, path: Path) -> None:
    """Refuse a file that was open when it was copied without its log.

    To be asked of a file that had no log when it was opened; raises ``WalMissing``.
    """
    version = fetch_int(connection, "PRAGMA user_version")
    if version >= STATE_SINCE and fetch_int(
        connection, "SELECT count(*) FROM state WHERE wal_needed = 1"
    ):
        raise WalMissing(path=str(path), wal=str(wal_of(path)))


def mark_open(connection: apsw.Connection) -> None:
    """From here on a copy of the file alone can be told from a whole one."""
    _keep_wal(connection, kept=True)
    connection.execute("UPDATE state SET wal_needed = 1")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def close_whole(connection: apsw.Connection) -> None:
    """Copy the log into the file, say so in it, and give the file back.

    On a disk that fails the log stays where it is, and the next opening copies it.
    """
    with suppress(apsw.Error):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("UPDATE state SET wal_needed = 0")
        _keep_wal(connection, kept=False)
    with suppress(apsw.Error):
        connection.close()


def _keep_wal(connection: apsw.Connection, *, kept: bool) -> None:
    """Whether SQLite leaves the log when it closes the file."""
    flag = ctypes.c_int(kept)
    connection.file_control(
        "main", apsw.SQLITE_FCNTL_PERSIST_WAL, ctypes.addressof(flag)
    )
