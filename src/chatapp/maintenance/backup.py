"""``chatcore backup``: a copy of a store that no server has open."""

from pathlib import Path

from chatapp.exit_codes import ExitCode
from chatapp.maintenance.output import tell
from chatapp.maintenance.settings import BackupSettings
from chatapp.maintenance.store_file import store_file
from chatstores.sqlite.copies import CopyReport, copy_whole
from chatstores.sqlite.unserved import open_unserved
from chatstores.sqlite.wal import refuse_missing_wal, wal_of


def run(settings: BackupSettings) -> int:
    """Make the copy and tell what is in it; the exit status."""
    path = store_file(settings.store)
    had_wal = wal_of(path).exists()
    with open_unserved(path) as source:
        if not had_wal:
            refuse_missing_wal(source, path=path)
        report = copy_whole(source, Path(settings.out), replace=settings.force)
    tell(fields_of(report), line_of(report), as_json=settings.json)
    return ExitCode.DONE


def fields_of(report: CopyReport) -> dict[str, object]:
    """A backup, for programs."""
    return {
        "type": "backup",
        "path": str(report.path),
        "bytes": report.copied_bytes,
        "seconds": round(report.took_s, 3),
        "schema": report.schema,
        "log_sequence": report.log_sequence,
    }


def line_of(report: CopyReport) -> str:
    """A backup, for people."""
    return (
        f"{report.path}: {report.copied_bytes:,} bytes in {report.took_s:.1f} s, "
        f"checked; schema {report.schema}, erasure log at {report.log_sequence}."
    )
