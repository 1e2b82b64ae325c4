"""A backup as programs are told of it, by its server and by the command alike."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatstores.sqlite.copies import CopyReport


def fields_of(report: "CopyReport") -> dict[str, object]:
    """A backup, for programs."""
    return {
        "type": "backup",
        "path": str(report.path),
        "bytes": report.copied_bytes,
        "seconds": round(report.took_s, 3),
        "schema": report.schema,
        "log_sequence": report.log_sequence,
    }
