"""What ``chatcore admin`` prints: tables for people, an object a line for programs."""

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from chatapp.console import CommandConsole
from chatapp.sanitize import sanitize

_MS: Final = 1000
_TEXTS: Final = frozenset({"username", "transport", "address", "limit", "id"})
"""Columns that read from the left."""


class Printer:
    """Prints on standard output, in one of the two ways."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def sessions(self, items: Iterable[Mapping[str, object]]) -> None:
        """Who is connected."""
        columns = {
            "username": "account",
            "transport": "transport",
            "address": "address",
            "since_ms": "since",
            "unacknowledged": "in flight",
            "held_bytes": "held bytes",
        }
        self._table("session", columns, items)

    def mailboxes(self, items: Iterable[Mapping[str, object]]) -> None:
        """What waits."""
        columns = {
            "username": "account",
            "messages": "messages",
            "bounces": "bounces",
            "body_bytes": "bytes",
            "senders": "senders",
            "oldest_at_ms": "oldest",
        }
        self._table("mailbox", columns, items)

    def limits(self, items: Iterable[Mapping[str, object]]) -> None:
        """What holds now, and from when to when."""
        columns = {
            "limit": "limit",
            "value": "value",
            "default": "default",
            "fixed": "only at the start",
        }
        self._table("limit", columns, items)

    def accounts(self, items: Iterable[Mapping[str, object]]) -> None:
        """Who has an account."""
        columns = {"username": "account", "account": "id", "online": "online"}
        self._table("account", columns, items)

    def changed(self, command: str, name: str, end: Mapping[str, object]) -> None:
        """What was done to one account."""
        words = {
            "accounts create": f"Created {name}.",
            "accounts reset": f"{name} has the new password; its session and tokens "
            "have ended.",
            "sessions end": f"Ended the session of {name}."
            if end.get("ended")
            else f"{name} has no session.",
        }
        kind = command.replace(" ", "_")
        self._line({"type": kind, "username": name, **end}, words[command])

    def invite(self, end: Mapping[str, object]) -> None:
        """A new code; on a line of its own, for a script as well."""
        self._line({"type": "invite", **end}, str(end.get("code", "")))
        if not end.get("needed") and not self._as_json:
            sys.stderr.write("The server asks nobody for an invitation now.\n")

    def invitations(self, items: Iterable[Mapping[str, object]]) -> None:
        """Those that still allow an account."""
        columns = {"id": "id", "uses": "accounts", "expires_at_ms": "until"}
        self._table("invitation", columns, items)

    def revoked(self, end: Mapping[str, object]) -> None:
        """What became of one; it is not printed again: it may be a code."""
        words = "Revoked." if end.get("revoked") else "There is no such invitation."
        self._line({"type": "invitations_revoke", **end}, words)

    def deletion(self, name: str, receipt: Mapping[str, object]) -> None:
        """What a deletion would do, or did."""
        kind = "plan" if receipt.get("dry_run") else "deleted"
        counts = {key: it for key, it in receipt.items() if key != "dry_run"}
        begun = "This would do" if kind == "plan" else f"Deleted {name}"
        told = ", ".join(f"{key} {it}" for key, it in counts.items())
        self._line({"type": kind, "username": name, **counts}, f"{begun}: {told}.")

    def _line(self, fields: Mapping[str, object], words: str) -> None:
        sys.stdout.write(
            f"{json.dumps(fields) if self._as_json else sanitize(words)}\n"
        )

    def _table(
        self,
        kind: str,
        columns: Mapping[str, str],
        items: Iterable[Mapping[str, object]],
    ) -> None:
        """Rows of these columns; for programs all that each has, as it comes."""
        if self._as_json:
            for item in items:
                self._line({"type": kind, **item}, "")
            return
        table = Table(box=box.SIMPLE_HEAD)
        for name, title in columns.items():
            is_number = name not in _TEXTS
            table.add_column(title, justify="right" if is_number else "left")
        for item in items:
            table.add_row(*(Text(_shown(name, item.get(name))) for name in columns))
        CommandConsole().print(table)


def _shown(name: str, value: object) -> str:
    match value:
        case "" if name == "transport":
            return "(detached)"
        case bool():
            return "yes" if value else "no"
        case int() if name.endswith("_ms"):
            return _time(value)
        case int() | float():
            return f"{value:,}" if name != "account" else str(value)
        case _:
            return sanitize(str(value))


def _time(at_ms: int) -> str:
    if not at_ms:
        return ""
    try:
        at = datetime.fromtimestamp(at_ms / _MS, UTC).astimezone()
    except (ValueError, OverflowError, OSError):  # what no calendar has
        return "?"
    return at.strftime("%Y-%m-%d %H:%M:%S")
