"""Log lines on stderr, as text for people or as JSON for machines."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final


class _TextLines(logging.Formatter):
    """``2026-11-22T19:00:00.000Z WARNING transports.driver: text``."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_at(record)} {record.levelname} {record.name}: {record.getMessage()}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class _JsonLines(logging.Formatter):
    """One object a line: ``at``, ``level``, ``logger``, ``message``, ``error``."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


_OURS: Final = ("chatapp", "chatcore", "chatstores", "chatsystem", "transports")


def log_to_stderr(*, form: str, level: str) -> None:
    """Send all that is logged from ``level`` on to stderr, in one of the two forms.

    ``debug`` is for what is ours: libraries tell of each frame there.
    """
    writing = logging.StreamHandler(sys.stderr)
    writing.setFormatter(_JsonLines() if form == "json" else _TextLines())
    least = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(handlers=[writing], level=max(least, logging.INFO), force=True)
    for name in _OURS:
        logging.getLogger(name).setLevel(least)
    # It tells of each connection, which no other transport's library does.
    logging.getLogger("websockets").setLevel(max(least, logging.WARNING))


def _at(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
