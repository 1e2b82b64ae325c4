"""``chatcore restore``: a backup in place of the database, and nobody back in it."""

from contextlib import suppress
from pathlib import Path

from chatapp.errors import SettingWrong
from chatapp.exit_codes import ExitCode
from chatapp.maintenance.output import tell
from chatapp.maintenance.settings import RestoreSettings
from chatapp.maintenance.store_file import store_file
from chatstores.errors import OpeningError
from chatstores.sqlite.restoring import RestoreReport, log_place, restore


def run(settings: RestoreSettings) -> int:
    """Restore, and tell what was done; the exit status."""
    backup, path = Path(settings.backup), store_file(settings.store)
    log = None if settings.without_erasure_log else settings.erasure_log
    if log == "":
        _refuse_without_log(backup, path)
    report = restore(
        backup,
        path,
        log=Path(log) if log else None,
        skip_gaps=settings.accept_log_gaps,
        replace=settings.force,
    )
    fields = {
        "type": "restored",
        "path": str(report.path),
        "schema": report.schema,
        "accounts": report.accounts,
        "messages": report.messages,
        "erased": report.erased,
        "log_sequence": report.log_sequence,
        "kept": str(report.kept or ""),
    }
    tell(fields, _line(report, has_log=bool(log)), as_json=settings.json)
    return ExitCode.DONE


def _refuse_without_log(backup: Path, path: Path) -> None:
    """Refuse to forget a log that the copy, or what is to be replaced, knows of."""
    for database in (backup, path):
        # A database that cannot be read is restored for that reason.
        with suppress(OpeningError):
            if log_place(database).is_known:
                raise SettingWrong(
                    f"{database} was served with an erasure log: name it, with "
                    "--erasure-log PATH. With --without-erasure-log everybody is there "
                    "again who was erased since the backup."
                )


def _line(report: RestoreReport, *, has_log: bool) -> str:
    told = (
        f"{report.erased} erased again, erasure log at {report.log_sequence}"
        if has_log
        else "no erasure log: who was erased since the backup is there again"
    )
    kept = f"; what was there is in {report.kept}" if report.kept else ""
    return (
        f"{report.path}: restored and checked, schema {report.schema}, "
        f"{report.accounts:,} accounts, {report.messages:,} messages that wait; "
        f"{told}{kept}."
    )
