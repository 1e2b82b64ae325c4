"""Opening the file: whose it is, who else has it, and how it is written.

The connection holds the file's lock from here to its end (``locking_mode=EXCLUSIVE``).
It is a lock of the operating system on the file itself, so it goes with the process
that held it, also when that was killed, and leaves nothing to tidy up. That nobody
else can write is also what makes the caches of ``batch`` sound.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from chatcore.errors import StoreUnavailable
from chatstores.errors import (
    FolderMissing,
    StoreInUse,
    StoreNotOurs,
    StoreReadOnly,
    WalMissing,
    reason_of,
)
from chatstores.sqlite.migrations import check_ours, migrate
from chatstores.sqlite.permissions import make_private, warn_if_readable
from chatstores.sqlite.wal import (
    CHECKPOINT_PAGES,
    WalGrowth,
    mark_open,
    refuse_missing_wal,
    wal_of,
)

_log = logging.getLogger(__name__)

_WAL_BYTES: Final = 32 * 1024 * 1024
"""One that a large transaction has made larger is cut to this when it is begun anew."""


def connect(
    path: Path,
    *,
    vfs: str | None = None,
    accept_missing_wal: bool = False,
    keeps_copy: bool = True,
) -> apsw.Connection:
    """Open ``path`` as a store of the newest schema, held against all others.

    It is to be closed by ``wal.close_whole``. Raises
    ``chatstores.errors.OpeningError``, or ``StoreUnavailable`` when the disk fails.
    ``accept_missing_wal`` opens what is left of a database whose log is gone;
    ``keeps_copy`` is for a file that is no copy itself (see ``migrations``).
    ``vfs`` names the SQLite VFS to go through instead of the default one; it finds an
    empty file at ``path`` where there was none.
    """
    with translated(path):
        if not path.parent.is_dir():
            raise FolderMissing(folder=str(path.parent))
        if path.is_dir():
            raise StoreNotOurs(path=str(path), reason="it is a folder")
        make_private(path)
        has_wal = wal_of(path).exists()
        # Without SQLITE_OPEN_CREATE: SQLite would make a file that others can read.
        connection = apsw.Connection(
            str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs
        )
        try:
            _claim(connection, path)
            if not has_wal:
                _judge_missing_wal(connection, path, accepted=accept_missing_wal)
            migrate(connection, path=path, keeps_copy=keeps_copy)
            # Not before: a migration may sort more than fits into memory.
            connection.execute("PRAGMA temp_store = MEMORY")
            mark_open(connection)
        except BaseException:
            connection.close()
            raise
        warn_if_readable(path)
        return connection


def growth_of_wal(connection: apsw.Connection, *, vfs: str | None) -> WalGrowth | None:
    """What makes the log longer; None where another VFS says what is in it, or where
    nothing can be written at a place in a file.
    """
    if vfs is not None or not hasattr(os, "pwrite"):
        return None
    return WalGrowth(connection, most_bytes=CHECKPOINT_PAGES * 4096)


def _claim(connection: apsw.Connection, path: Path) -> None:
    if connection.readonly("main"):
        raise StoreReadOnly(path=str(path), reason="the file is read-only")
    connection.set_busy_timeout(0)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    # Before anything is written: the file may be another's.
    check_ours(connection, path=str(path))
    connection.execute("PRAGMA journal_mode = WAL")
    # NORMAL could lose what was acknowledged when the power fails.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")  # see ``wal``
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")


def _judge_missing_wal(
    connection: apsw.Connection, path: Path, *, accepted: bool
) -> None:
    try:
        refuse_missing_wal(connection, path=path)
    except WalMissing as missing:
        if not accepted:
            raise
        _log.warning("%s is opened without its log, as asked: %s", path, missing)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's and the system's reasons, as errors that say what to do."""
    try:
        yield
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise StoreNotOurs(path=str(path), reason=str(error)) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StoreInUse(path=str(path)) from error
    except (apsw.CantOpenError, apsw.PermissionsError, apsw.ReadOnlyError) as error:
        raise StoreReadOnly(path=str(path), reason=str(error)) from error
    except PermissionError as error:
        # It is about the file that it names, which is not always the store's.
        refused = error.filename or path
        raise StoreReadOnly(path=str(refused), reason=reason_of(error)) from error
    except apsw.Error as error:
        raise StoreUnavailable(reason=str(error)) from error
