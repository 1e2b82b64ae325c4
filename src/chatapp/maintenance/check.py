"""``chatcore check``: whether a database is sound."""

from pathlib import Path

from chatapp.exit_codes import ExitCode
from chatapp.maintenance.output import tell
from chatapp.maintenance.settings import CheckSettings
from chatstores.sqlite.checking import check


def run(settings: CheckSettings) -> int:
    """Print a line for each finding, and a last one; the exit status."""
    report = check(Path(settings.file))
    for it in report.findings:
        fields = {
            "type": "finding",
            "code": it.code,
            "text": it.text,
            "count": it.count,
            "examples": list(it.examples),
        }
        tell(fields, str(it), as_json=settings.json)
    found = len(report.findings)
    verdict = f"{found} kinds of findings" if found else "nothing found"
    tell(
        {
            "type": "checked",
            "path": str(report.path),
            "schema": report.schema,
            "accounts": report.accounts,
            "messages": report.messages,
            "findings": found,
        },
        f"{report.path}: schema {report.schema}, {report.accounts:,} accounts, "
        f"{report.messages:,} messages that wait: {verdict}.",
        as_json=settings.json,
    )
    return ExitCode.REFUSED if found else ExitCode.DONE
