"""Bringing a copy back into place, without those who were erased since (D5).

All of it is done to a file beside, which is checked and then takes the database's name.
What was there before is kept. Clean-ups that the deletions leave are for the server to
do, as after any restart.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chatcore.model import NO_MARK, LoggedErasure, LogMark
from chatstores.erasure_log import read_log, since
from chatstores.erasure_records import Record
from chatstores.errors import (
    CopyFailed,
    ErasureLogRefused,
    OpeningError,
    StoreInUse,
)
from chatstores.private_files import free_name, sync_folder
from chatstores.sqlite.checking import check
from chatstores.sqlite.copies import copy_whole, refuse_to_overwrite
from chatstores.sqlite.database import Database
from chatstores.sqlite.deletions import erase_again
from chatstores.sqlite.opening import connect
from chatstores.sqlite.unserved import open_unserved
from chatstores.sqlite.values import fetch_int
from chatstores.sqlite.wal import STATE_SINCE, refuse_missing_wal, wal_of

_OVERRIDE = "say --accept-log-gaps to do what can be read, or --without-erasure-log"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPlace:
    """Where a database is in the erasure log, and whose log that is.

    ``identity`` is empty in a database that is older than such logs.
    """

    identity: bytes
    mark: LogMark

    @property
    def is_known(self) -> bool:
        """Whether it was ever served with a log."""
        return self.mark != NO_MARK


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """A database that was restored.

    ``erased`` counts the accounts of the copy that were erased since it was made;
    ``kept`` is what was there before, if anything was.
    """

    path: Path
    schema: int
    accounts: int
    messages: int
    erased: int
    log_sequence: int
    kept: Path | None


def log_place(path: Path) -> LogPlace:
    """Where a database that no server has open is in the erasure log.

    Raises ``chatstores.errors.OpeningError``.
    """
    with open_unserved(path) as connection:
        if fetch_int(connection, "PRAGMA user_version") < STATE_SINCE:
            return LogPlace(identity=b"", mark=NO_MARK)
        row = connection.execute(
            "SELECT chat, log_sequence, log_digest FROM state"
        ).fetchone()
        if row is None:
            return LogPlace(identity=b"", mark=NO_MARK)
        identity, sequence, digest = row
        return LogPlace(identity=identity, mark=LogMark(sequence, digest))


def records_after(place: LogPlace, log: Path, *, skip: bool) -> Sequence[LoggedErasure]:
    """What the log has that a database has not.

    Raises ``ErasureLogRefused`` for a log that is missing, is another database's, or
    has gaps; with ``skip`` those are left out.
    """
    records, _ = read_log(log, override=_OVERRIDE, skip=skip)
    if not records:
        raise _refused(log, "it is missing or empty")
    identity = place.identity or records[0].begins
    if skip and identity in {it.begins for it in records}:
        records = _as_a_chain(records, identity, place.mark)
    return since(records, identity, place.mark, path=log, override=_OVERRIDE)


def restore(
    backup: Path,
    path: Path,
    *,
    log: Path | None,
    skip_gaps: bool = False,
    replace: bool = False,
) -> RestoreReport:
    """Put ``backup`` at ``path``, and erase whom the log has after it.

    With ``replace`` what is at ``path`` is kept beside. Raises
    ``chatstores.errors.OpeningError``; then ``path`` is as it was.
    """
    _refuse_in_use(path)
    if not replace:
        refuse_to_overwrite(path, replace=False)
    had_wal = wal_of(backup).exists()
    place = log_place(backup)
    erasures = records_after(place, log, skip=skip_gaps) if log is not None else ()
    fresh = path.with_name(f"{path.name}.restored")
    try:
        with open_unserved(backup) as source:
            if not had_wal:
                refuse_missing_wal(source, path=backup)
            copy_whole(source, fresh, replace=True)
        erased = _erase(fresh, erasures, log=log, is_older=not place.identity)
        if wal_of(fresh).exists():
            raise CopyFailed(path=str(path), reason="it could not be closed whole")
        report = check(fresh)
        if report.findings:
            raise CopyFailed(path=str(path), reason=str(report.findings[0]))
        last = log_place(fresh).mark.sequence
        kept = _take_place(fresh, path)
    finally:
        for left in (fresh, wal_of(fresh)):
            with suppress(FileNotFoundError):
                left.unlink()
    return RestoreReport(
        path=path,
        schema=report.schema,
        accounts=report.accounts,
        messages=report.messages,
        erased=erased,
        log_sequence=last,
        kept=kept,
    )


def _erase(
    path: Path,
    erasures: Sequence[LoggedErasure],
    *,
    log: Path | None,
    is_older: bool,
) -> int:
    """Bring a copy to the newest schema and carry the log out; how many it had."""
    database = Database(connect(path, keeps_copy=False))
    batch = database.batch
    try:
        live = "SELECT count(*) FROM account WHERE deleted = 0"
        before = fetch_int(batch.connection, live)
        batch.connection.execute("BEGIN")
        if is_older and log is not None:
            # It has got an identity just now; the log has the one it is known by.
            records, _ = read_log(log, override=_OVERRIDE, skip=True)
            batch.write("UPDATE state SET chat = ?", records[0].begins)
        for it in erasures:
            erase_again(database, it)
        database.commit()
        return before - fetch_int(batch.connection, live)
    finally:
        database.close()


def _as_a_chain(
    records: Sequence[Record], identity: bytes, mark: LogMark
) -> list[Record]:
    """Records with gaps, with a first one that goes on from the database."""
    later = [it for it in records if it.mark.sequence > mark.sequence]
    return [Record(mark=mark, before=b"", begins=identity), *later]


def _refuse_in_use(path: Path) -> None:
    """Raise ``StoreInUse``; what cannot be opened for another reason is replaced."""
    if not path.exists():
        return
    try:
        with open_unserved(path):
            pass
    except StoreInUse:
        raise
    except OpeningError:
        return


def _take_place(fresh: Path, path: Path) -> Path | None:
    """Give the new file the database's name; where the old one is now."""
    kept: Path | None = None
    if path.exists() or wal_of(path).exists():
        kept = free_name(path, "before-restore")
        # The log first: beside a new file it would be taken for that one's.
        if wal_of(path).exists():
            wal_of(path).replace(wal_of(kept))
        if path.exists():
            path.replace(kept)
    fresh.replace(path)
    sync_folder(path.parent)
    return kept


def _refused(log: Path, reason: str) -> ErasureLogRefused:
    return ErasureLogRefused(path=str(log), reason=reason, override=_OVERRIDE)
