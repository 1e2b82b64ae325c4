"""Warnings of what would stop the store soon: a disk nearly full, a log that grows.

The store's thread has it look now and then. A look is two calls of the system, some
microseconds. What it has told it tells again only after a while, or once it was over.
"""

import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import apsw

from chatstores.sqlite.wal import checkpoint, wal_of

_log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 5.0
TELL_EVERY_S: Final = 600.0

WAL_BYTES: Final = 64 * 1024 * 1024
"""Four times what the log may have before it is copied into the file."""

_MIB: Final = 1024 * 1024


class DiskMonitor:
    """Looks after one store's disk. Used by one thread.

    Args:
        path: the database.
        least_free_mib: with less room than this it warns; 0 for never.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        path: Path,
        *,
        least_free_mib: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._wal = wal_of(path)
        self._least_free = least_free_mib * _MIB
        self._clock = clock
        self._look_at_s = 0.0
        self._told_at_s: dict[str, float] = {}

    def look(self, connection: apsw.Connection) -> None:
        """Warn of what is wrong, when it is time to look; outside of transactions."""
        now_s = self._clock()
        if now_s < self._look_at_s:
            return
        self._look_at_s = now_s + LOOK_EVERY_S
        try:
            self._look_at_room(now_s)
            self._look_at_wal(connection, now_s)
        except OSError as error:
            self._warn("look", now_s, f"The disk of {self._path} is not seen: {error}")

    def _look_at_room(self, now_s: float) -> None:
        free = shutil.disk_usage(self._wal.parent).free
        if free >= self._least_free:
            self._told_at_s.pop("room", None)
            return
        self._warn(
            "room",
            now_s,
            f"The disk of {self._path} is nearly full: {free // _MIB} MiB are free, "
            f"less than {self._least_free // _MIB}. On a full disk every message is "
            "refused until there is room: give it some, or move the database",
        )

    def _look_at_wal(self, connection: apsw.Connection, now_s: float) -> None:
        size = self._wal.stat().st_size if self._wal.exists() else 0
        if size <= WAL_BYTES:
            self._told_at_s.pop("wal", None)
            return
        try:
            # The log is cut to its limit with the next transaction that begins it anew.
            checkpoint(connection, truncates=True)
        except apsw.Error as error:
            self._warn(
                "wal",
                now_s,
                f"{self._wal} has {size // _MIB} MiB and cannot be copied into the "
                f"database ({error}), so it grows. Nothing is lost; give the disk "
                "room, or look for its faults in the system's log",
            )

    def _warn(self, what: str, now_s: float, text: str) -> None:
        if now_s < self._told_at_s.get(what, now_s - TELL_EVERY_S) + TELL_EVERY_S:
            return
        self._told_at_s[what] = now_s
        _log.warning(text)
