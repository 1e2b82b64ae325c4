"""The erasure log as a file: appended to, synced, never written over (D5).

A last line that a crash has cut short was never synced, so nothing came of it: it is
taken off. Any other fault of the file, and one that does not go on from where the
database is, is refused, unless ``reset`` says to go on from what can be read.
"""

import asyncio
import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from chatcore.errors import StoreUnavailable
from chatcore.model import NO_MARK, Erasure, LoggedErasure, LogMark
from chatstores.erasure_records import BadRecord, Record, decode, encode
from chatstores.errors import ErasureLogRefused, reason_of
from chatstores.private_files import free_name, open_private, sync_folder

_log = logging.getLogger(__name__)

_MS: Final = 1000


class FileErasureLog:
    """See ``chatcore.ports.ErasureLog``.

    Args:
        path: the file, best on another disk than the database.
        reset: where it cannot be gone on with, keep it beside and begin a new one.
    """

    def __init__(self, path: Path, *, reset: bool = False) -> None:
        self._path = path
        self._reset = reset
        self._last = NO_MARK
        self._size = 0
        self._file = -1

    async def after(self, identity: bytes, mark: LogMark) -> Sequence[LoggedErasure]:
        """All that comes after ``mark``; begins a log where there was none.

        Raises ``ErasureLogRefused``.
        """
        return await asyncio.to_thread(self._open, identity, mark)

    async def append(self, erasure: Erasure) -> LogMark:
        """Write one more record; where it is."""
        line, mark = encode(self._last, at_ms=erasure.at_ms, erasure=erasure)
        await asyncio.to_thread(self._write, line, mark)
        return mark

    async def withdraw(self, mark: LogMark) -> LogMark:
        """Write that the deletion at ``mark`` was not carried out; where that is."""
        line, at = encode(self._last, at_ms=_now_ms(), withdraws=mark.sequence)
        await asyncio.to_thread(self._write, line, at)
        return at

    def close(self) -> None:
        """Give the file back."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _open(self, identity: bytes, mark: LogMark) -> Sequence[LoggedErasure]:
        override = "say --erasure-log-reset to begin a new one"
        try:
            records, self._size = read_log(self._path, override=override, skip=False)
            found = since(records, identity, mark, path=self._path, override=override)
        except ErasureLogRefused as refused:
            if not self._reset:
                raise
            _log.warning("A new erasure log begins, as asked: %s", refused)
            return self._begin_anew(identity, mark)
        try:
            self._file = open_private(self._path)
            if self._size < os.fstat(self._file).st_size:
                _log.warning(
                    "%s: its last line was cut short, and is taken off", self._path
                )
                os.ftruncate(self._file, self._size)
            if records:
                self._last = records[-1].mark
            else:
                found = [self._begin(identity, NO_MARK)]
        except OSError as error:
            raise _refused(self._path, reason_of(error), override) from error
        return found

    def _begin_anew(self, identity: bytes, mark: LogMark) -> Sequence[LoggedErasure]:
        """Keep the file beside; what can be read of it is carried out all the same."""
        override = "give this user the right to write there"
        left: list[LoggedErasure] = []
        try:
            if self._path.exists():
                records, _ = read_log(self._path, override=override, skip=True)
                if any(it.begins == identity for it in records):
                    left = [it for it in _logged(records) if it.mark > mark]
                self._path.replace(free_name(self._path, "before-reset"))
            self._file, self._size = open_private(self._path), 0
            last = max([mark.sequence, *(it.mark.sequence for it in left)])
            return [*left, self._begin(identity, LogMark(last + 1, b""))]
        except OSError as error:
            raise _refused(self._path, reason_of(error), override) from error

    def _begin(self, identity: bytes, before: LogMark) -> LoggedErasure:
        line, mark = encode(before, at_ms=_now_ms(), begins=identity)
        try:
            self._write(line, mark)
        except StoreUnavailable as error:
            raise OSError(error.text) from error
        sync_folder(self._path.parent)
        return LoggedErasure(mark, None)

    def _write(self, line: bytes, mark: LogMark) -> None:
        if self._file < 0:
            raise StoreUnavailable(reason="the erasure log is closed")
        try:
            written = 0
            # Of a line that was cut short the rest fails, and says why.
            while written < len(line):
                written += os.pwrite(self._file, line[written:], self._size + written)
            os.fsync(self._file)
        except OSError as error:
            # Half a line would be read as damage once another follows it. Where it
            # cannot be taken off the next one is written over it.
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            reason = f"the erasure log: {reason_of(error)}"
            raise StoreUnavailable(reason=reason) from error
        self._size += len(line)
        self._last = mark


def read_log(path: Path, *, override: str, skip: bool) -> tuple[list[Record], int]:
    """The records of a log, and how many of its bytes are whole.

    A missing file has none. Raises ``ErasureLogRefused`` for what is damaged or has a
    gap; with ``skip`` it leaves that out.
    """
    records: list[Record] = []
    size = 0
    try:
        for number, line in _lines(path):
            if not line.endswith(b"\n"):
                break  # it was never synced
            try:
                record = decode(line)
                _check_chain(records, record)
                records.append(record)
            except BadRecord as bad:
                if not skip:
                    reason = f"line {number} is damaged, or others are missing ({bad})"
                    raise _refused(path, reason, override) from bad
                with suppress(BadRecord):
                    records.append(decode(line))
            size += len(line)
    except OSError as error:
        raise _refused(path, reason_of(error), override) from error
    return records, size


def since(
    records: Sequence[Record],
    identity: bytes,
    mark: LogMark,
    *,
    path: Path,
    override: str,
) -> list[LoggedErasure]:
    """What comes after ``mark``; raises ``ErasureLogRefused`` when nobody knows."""
    if not records:
        if mark.sequence or mark.digest:
            raise _refused(path, "it is missing or empty", override)
        return []
    first, last = records[0], records[-1]
    if not first.begins:
        raise _refused(path, "its beginning is missing", override)
    if first.begins != identity:
        raise _refused(path, "it is the log of another database", override)
    if mark == NO_MARK and not first.mark.sequence:
        return _logged(records)
    begins, ends = first.mark.sequence, last.mark.sequence
    if not begins <= mark.sequence <= ends:
        reason = f"it is from {begins} to {ends}, the database at {mark.sequence}"
        raise _refused(path, reason, override)
    if all(it.mark != mark for it in records):
        reason = f"its record {mark.sequence} is not the one that the database has seen"
        raise _refused(path, reason, override)
    return [it for it in _logged(records) if it.mark.sequence > mark.sequence]


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    if path.exists():
        with path.open("rb") as file:
            yield from enumerate(file, 1)


def _check_chain(records: Sequence[Record], record: Record) -> None:
    if not records:
        return
    before = records[-1].mark
    if record.before != before.digest or record.mark.sequence != before.sequence + 1:
        raise BadRecord(f"record {record.mark.sequence} comes after {before.sequence}")


def _logged(records: Sequence[Record]) -> list[LoggedErasure]:
    """Records as the chat takes them, what was withdrawn without its erasure."""
    withdrawn = {it.withdraws for it in records}
    return [
        LoggedErasure(
            it.mark, it.erasure if it.mark.sequence not in withdrawn else None
        )
        for it in records
    ]


def _refused(path: Path, reason: str, override: str) -> ErasureLogRefused:
    return ErasureLogRefused(path=str(path), reason=reason, override=override)


def _now_ms() -> int:
    return time.time_ns() // (1000 * _MS)
