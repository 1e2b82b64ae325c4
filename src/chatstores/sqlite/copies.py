"""Copies of an open database, whole or not there at all.

SQLite's backup interface copies some pages at a time, and puts what the same connection
commits in between into the copy as well: it ends as the database is at its last step.
The copy is written beside its place, as ``OUT.db.partial``, for its owner only (B8). It
gets its name once it was checked and is on the disk.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from chatstores.errors import AlreadyThere, CopyFailed, reason_of
from chatstores.private_files import open_private, sync_folder
from chatstores.sqlite.values import fetch_int
from chatstores.sqlite.wal import STATE_SINCE, wal_of

PAGES: Final = 32
"""Pages to a step, 128 KiB: that much later a commit begins."""

SYNC_EVERY_S: Final = 0.2
"""How often a copy on its way is brought to the disk, some 5 MiB of it at a time: all
of 288 MiB at the end had one commit wait for 0.3 s."""

_ALL: Final = -1
_RESTARTS: Final = 3
"""A transaction that is rolled back has SQLite begin the copy anew. After so many it is
made in one step, so that it ends."""

_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyReport:
    """A copy that was checked and is on the disk.

    Attributes:
        log_sequence: how far the erasure log had come; later deletions are not in it.
    """

    path: Path
    copied_bytes: int
    took_s: float
    schema: int
    log_sequence: int


class Copy:
    """One copy on its way. ``step`` until it is True, then ``finish``.

    Both raise ``CopyFailed``, and then nothing is left of it. ``step`` is for the
    thread that has the source, outside of its transactions; ``finish`` is better called
    in another, since the system may write all of the copy to the disk when its file is
    closed (auto_da_alloc of ext4(5)): for 288 MiB that took 0.15 to 0.28 s.
    """

    def __init__(
        self, source: apsw.Connection, path: Path, *, replace: bool = False
    ) -> None:
        self._source = source
        self._path = path
        self._partial = path.with_name(f"{path.name}.partial")
        self._vfs = source.open_vfs
        self._replace = replace
        self._backup: apsw.Backup | None = None
        self._target: apsw.Connection | None = None
        self._lock = -1
        self._restarts = 0
        self._left = 0
        self._began_s = time.monotonic()
        self._is_stopped = False

    def stop(self) -> None:
        """Have the next step fail: nobody wants it any more."""
        self._is_stopped = True

    def abandon(self) -> None:
        """Leave nothing of it."""
        self._close()
        if self._lock >= 0:
            with suppress(OSError):
                self._partial.unlink()
            self._unlock()

    def step(self) -> bool:
        """Copy some pages; whether these were the last."""
        with self._or_discarded():
            if self._is_stopped:
                raise CopyFailed(path=str(self._path), reason="it was given up")
            if self._backup is None:
                self._backup = self._begin()
            backup = self._backup
            done = backup.step(PAGES if self._restarts <= _RESTARTS else _ALL)
            self._restarts += backup.remaining > self._left > 0
            self._left = backup.remaining
            if done:
                backup.close()
                self._backup = None
        return bool(done)

    def sync(self) -> None:
        """Bring to the disk what is copied so far, if anything is; in any thread."""
        with suppress(OSError):  # it has not begun, or is over: ``finish`` syncs
            file = os.open(self._partial, os.O_RDWR)
            try:
                os.fsync(file)
            finally:
                os.close(file)

    def finish(self) -> CopyReport:
        """Check the copy, bring it to the disk and give it its name."""
        with self._or_discarded():
            self._close()
            schema, log_sequence = self._make_whole()
            os.fsync(self._lock)
            copied_bytes = os.fstat(self._lock).st_size
            self._partial.replace(self._path)
            sync_folder(self._path.parent)
            self._unlock()
        return CopyReport(
            path=self._path,
            copied_bytes=copied_bytes,
            took_s=time.monotonic() - self._began_s,
            schema=schema,
            log_sequence=log_sequence,
        )

    def _begin(self) -> apsw.Backup:
        refuse_to_overwrite(self._path, replace=self._replace)
        source = self._source.filename
        if self._path.exists() and source and self._path.samefile(source):
            raise AlreadyThere(path=str(self._path), override="another folder")
        self._lock = self._take_partial()
        self._target = apsw.Connection(
            str(self._partial), flags=apsw.SQLITE_OPEN_READWRITE, vfs=self._vfs
        )
        # What is not whole is thrown away, and what is gets synced at the end.
        self._target.execute("PRAGMA journal_mode = OFF")
        self._target.execute("PRAGMA synchronous = OFF")
        return self._target.backup("main", self._source, "main")

    def _take_partial(self) -> int:
        """An empty file that no other copy is being written to."""
        file = open_private(self._partial)
        if not _is_ours_alone(file, self._partial):
            os.close(file)
            raise AlreadyThere(
                path=str(self._partial), override="wait for the copy that is written"
            )
        os.ftruncate(file, 0)
        return file

    def _make_whole(self) -> tuple[int, int]:
        """Make it one file that needs no log; its schema and its place in the log."""
        target = apsw.Connection(
            str(self._partial), flags=apsw.SQLITE_OPEN_READWRITE, vfs=self._vfs
        )
        try:
            target.execute("PRAGMA locking_mode = EXCLUSIVE")
            target.execute("PRAGMA synchronous = OFF")
            target.execute("PRAGMA journal_mode = DELETE")
            schema, log_sequence = fetch_int(target, "PRAGMA user_version"), 0
            if schema >= STATE_SINCE:
                target.execute("UPDATE state SET wal_needed = 0")
                log_sequence = fetch_int(target, "SELECT log_sequence FROM state")
            found = target.execute("PRAGMA quick_check(1)").fetchall()
            if found != [("ok",)]:
                raise CopyFailed(path=str(self._path), reason=str(found[0][0]))
        finally:
            target.close()
        return schema, log_sequence

    @contextmanager
    def _or_discarded(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.abandon()
            if isinstance(error, apsw.Error | OSError):
                reason = reason_of(error) if isinstance(error, OSError) else str(error)
                raise CopyFailed(path=str(self._path), reason=reason) from error
            raise

    def _close(self) -> None:
        if self._backup is not None:
            with suppress(apsw.Error):
                self._backup.close(force=True)
        if self._target is not None:
            with suppress(apsw.Error):
                self._target.close()
        self._backup = self._target = None

    def _unlock(self) -> None:
        os.close(self._lock)
        self._lock = -1


def copy_whole(
    source: apsw.Connection, path: Path, *, replace: bool = False
) -> CopyReport:
    """Make a copy in one go; raises ``CopyFailed``."""
    copy = Copy(source, path, replace=replace)
    while not copy.step():
        pass
    return copy.finish()


def refuse_to_overwrite(path: Path, *, replace: bool) -> None:
    """Raise ``AlreadyThere`` for a file that would be lost, or for another's log."""
    if path.exists() and not replace:
        raise AlreadyThere(path=str(path), override="say --force to replace it")
    log = wal_of(path)
    if log.exists():
        # SQLite would take it for the new file's.
        raise AlreadyThere(path=str(log), override="move that away")


def refuse_without_room(connection: apsw.Connection, path: Path) -> None:
    """Raise ``CopyFailed`` when a copy of the database does not fit beside ``path``."""
    pages = fetch_int(connection, "PRAGMA page_count")
    needed = pages * fetch_int(connection, "PRAGMA page_size")
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        reason = f"it takes {needed // _MIB + 1} MiB, and the disk has {free // _MIB}"
        raise CopyFailed(path=str(path), reason=reason)


def _is_ours_alone(file: int, path: Path) -> bool:
    """Whether this process alone writes the file, and it still has that name."""
    if sys.platform == "win32":
        return True
    import fcntl  # noqa: PLC0415  # Windows has none

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file), path.stat())
    except OSError:
        return False
