"""``chatcore backup``: a copy of a store, made by its server where one has it."""

from collections.abc import Mapping
from pathlib import Path

from chatapp.admin.client import operator
from chatapp.backup_record import fields_of
from chatapp.exit_codes import ExitCode
from chatapp.maintenance.output import tell
from chatapp.maintenance.settings import BackupSettings
from chatapp.maintenance.store_file import store_file
from chatstores.sqlite.copies import CopyReport, copy_whole
from chatstores.sqlite.unserved import open_unserved
from chatstores.sqlite.wal import refuse_missing_wal, wal_of


def run(settings: BackupSettings) -> int:
    """Make the copy and tell what is in it; the exit status."""
    if settings.admin_socket:
        fields = _ask_server(settings)
    else:
        fields = fields_of(_copy(settings))
    tell(fields, _line(fields), as_json=settings.json)
    return ExitCode.DONE


def _copy(settings: BackupSettings) -> CopyReport:
    path = store_file(settings.store)
    had_wal = wal_of(path).exists()
    with open_unserved(path) as source:
        if not had_wal:
            refuse_missing_wal(source, path=path)
        return copy_whole(source, Path(settings.out), replace=settings.force)


def _ask_server(settings: BackupSettings) -> Mapping[str, object]:
    """The server's folder may be another than ours: it is told the whole path."""
    out = str(Path(settings.out).absolute())
    with operator(settings.admin_socket) as door:
        return door.ask_once("backup", path=out, replace=settings.force)


def _line(fields: Mapping[str, object]) -> str:
    return (
        f"{fields['path']}: {fields['bytes']:,} bytes in {fields['seconds']} s, "
        f"checked; schema {fields['schema']}, erasure log at {fields['log_sequence']}."
    )
