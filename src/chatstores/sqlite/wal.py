"""The write-ahead log beside the file: what it is called, and how its loss is seen.

While a store is open its commits are in ``chat.db-wal``, and reach ``chat.db`` only now
and then. So who copies ``chat.db`` alone has a sound database that lacks some of them,
or all. That is why the file says so itself: ``state.wal_needed`` is set in it from its
opening to a clean close. A file that has it set and no log beside it was taken away
from its log.

In the log it is cleared: whoever copies all of a log into its file, as any program with
SQLite does with one that a killed server has left, clears it in the file. So before we
copy (a checkpoint) the mark is set in the log as well, and cleared there afterwards.

SQLite removes the log when it closes the file; until a clean close has copied all else
it is told not to. A process that is killed leaves its log, and one of no bytes needs no
copying.
"""

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw

from chatstores.errors import WalMissing
from chatstores.sqlite.values import fetch_int

_PIECE_BYTES: Final = 512 * 1024

CHECKPOINT_PAGES: Final = 4000
"""The WAL is copied back at 16 MiB: rarely enough that a page which many commits
have written is copied once, and soon enough that recovery after a crash is short."""

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
    """From here on a copy of the file alone can be told from a whole one.

    The log is copied back here, and from here on whenever it has ``CHECKPOINT_PAGES``.
    """
    _keep_wal(connection, kept=True)
    checkpoint(connection, truncates=True)
    is_copying = False

    def look(_: apsw.Connection, __: str, pages: int) -> int:
        nonlocal is_copying
        if pages >= CHECKPOINT_PAGES and not is_copying:
            is_copying = True
            with suppress(apsw.Error):  # the commit that called it stands; it goes on
                checkpoint(connection, truncates=False)
            is_copying = False
        return apsw.SQLITE_OK

    connection.set_wal_hook(look)


def checkpoint(connection: apsw.Connection, *, truncates: bool) -> None:
    """Copy the log into the file, in which it is said to be needed all the while."""
    connection.execute("UPDATE state SET wal_needed = 1")
    how = "TRUNCATE" if truncates else "PASSIVE"
    connection.execute(f"PRAGMA wal_checkpoint({how})")
    connection.execute("UPDATE state SET wal_needed = 0")


def close_whole(connection: apsw.Connection) -> None:
    """Copy the log into the file, say so in it, and give the file back.

    On a disk that fails the log stays where it is, and the next opening copies it.
    """
    with suppress(apsw.Error):
        checkpoint(connection, truncates=True)
        _keep_wal(connection, kept=False)
    with suppress(apsw.Error):
        connection.close()


class WalGrowth:
    """Makes the log longer a piece at a time, before SQLite does so page by page.

    A sync that makes a file longer writes the file system's own journal as well: on
    ext4 a commit took 1.4 ms for 0.3, and 200 µs of CPU in the kernel for 56. What is
    behind the last frame is not read (SQLite file format, 4.4).
    """

    def __init__(self, connection: apsw.Connection, *, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._size = 0
        self._file = os.open(connection.filename_wal, os.O_WRONLY)

    def look(self) -> None:
        """Add a piece if SQLite has come to the end; no harm where there is no room."""
        with suppress(OSError):
            size = os.fstat(self._file).st_size
            if self._size < size < self._most_bytes:
                os.pwrite(self._file, bytes(_PIECE_BYTES), size)
                size += _PIECE_BYTES
            self._size = size

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def _keep_wal(connection: apsw.Connection, *, kept: bool) -> None:
    """Whether SQLite leaves the log when it closes the file."""
    flag = ctypes.c_int(kept)
    connection.file_control(
        "main", apsw.SQLITE_FCNTL_PERSIST_WAL, ctypes.addressof(flag)
    )
