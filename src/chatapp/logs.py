"""Log lines on stderr, as text for people or as JSON for machines.

Whatever a line is about, it stays one: control characters and line ends, which may be a
peer's, are spelled out. A line about a connection has its name.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

from chatapp.sanitize import sanitize
from transports.audit_log import FIELDS
from transports.connection_names import CONNECTION_FIELD, ConnectionFilter


class TextLines(logging.Formatter):
    """``2026-11-22T19:00:00.000Z WARNING transports.driver: [c17] text``.

    The lines of a traceback follow, indented.
    """

    def format(self, record: logging.LogRecord) -> str:
        """See ``logging.Formatter``."""
        connection = getattr(record, CONNECTION_FIELD, "")
        about = f"[{connection}] " if connection else ""
        text = sanitize(record.getMessage())
        line = f"{_at(record)} {record.levelname} {record.name}: {about}{text}"
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            line += "".join(f"\n  {sanitize(it)}" for it in trace.split("\n"))
        return line


class JsonLines(logging.Formatter):
    """One object a line: ``at`` (RFC 3339, UTC), ``level``, ``logger``, ``message``.

    Where there are some, ``connection``, ``fields`` and ``error`` as well.
    """

    def format(self, record: logging.LogRecord) -> str:
        """See ``logging.Formatter``."""
        line: dict[str, object] = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in (CONNECTION_FIELD, FIELDS):
            found = getattr(record, name, None)
            if found:
                line[name] = found
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        # In ASCII: U+2028 and others end lines for some readers.
        return json.dumps(line)


_OURS: Final = (
    "chatapp",
    "chatcore",
    "chatidentities",
    "chatstores",
    "chatsystem",
    "chatwebhooks",
    "transports",
)


def log_to_stderr(*, form: str, level: str) -> None:
    """Send all that is logged from ``level`` on to stderr, in one of the two forms.

    ``debug`` is for what is ours: libraries tell of each frame there.
    """
    writing = logging.StreamHandler(sys.stderr)
    writing.setFormatter(JsonLines() if form == "json" else TextLines())
    writing.addFilter(ConnectionFilter())
    least = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(handlers=[writing], level=max(least, logging.INFO), force=True)
    for name in _OURS:
        logging.getLogger(name).setLevel(least)
    # It tells of each connection, which no other transport's library does.
    logging.getLogger("websockets").setLevel(max(least, logging.WARNING))
    # Of each webhook a line, with the whole URL, which may have a secret in it (B8).
    logging.getLogger("httpx").setLevel(max(least, logging.WARNING))


def _at(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
