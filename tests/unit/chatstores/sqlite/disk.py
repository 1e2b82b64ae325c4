"""A disk that fails when it is told to, as SQLite's layer above the real one."""

from typing import Any

import apsw


class FailingDisk(apsw.VFS):
    """A VFS whose writes or syncs fail while ``full`` or ``broken`` says so.

    Attributes:
        full: writes find no room.
        full_but_for_log: those of the database itself find none.
        broken: syncs fail, so that it is not known what has reached the disk.
        syncs: how many of them were asked for.
    """

    def __init__(self, name: str = "failing-disk") -> None:
        self.name = name
        self.full = False
        self.full_but_for_log = False
        self.broken = False
        self.syncs = 0
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> "_File":  # noqa: N802 (SQLite's)
        return _File(self, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: FailingDisk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._is_database = bool(flags[0] & apsw.SQLITE_OPEN_MAIN_DB)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 (SQLite's)
        if self._disk.full or (self._disk.full_but_for_log and self._is_database):
            raise apsw.FullError("database or disk is full")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 (SQLite's)
        self._disk.syncs += 1
        if self._disk.broken:
            raise apsw.exception_for(apsw.SQLITE_IOERR_FSYNC)
        super().xSync(flags)
