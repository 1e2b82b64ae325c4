"""``chatcore admin``: ask a running server, and print what it says."""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, TextIO

from chatapp.admin import tables
from chatapp.admin.client import Item, Operator, operator
from chatapp.admin.settings import AdminSettings
from chatapp.errors import CannotWrite, NotConfirmed, SettingWrong
from chatapp.exit_codes import ExitCode
from chatapp.oneshot.passwords import VARIABLE, chosen_password
from chatapp.oneshot.prompts import ask, can_ask

_STDIN: Final = "-"


def run(settings: AdminSettings) -> int:
    """Do what the words say; the exit status."""
    command, names = settings.command, settings.names
    printed = tables.Printer(as_json=settings.json)
    if command == "accounts delete":
        return _delete(settings, names[0], printed)
    password = ""
    if command in {"accounts create", "accounts reset"}:
        password = _new_password(settings)
    with operator(settings.admin_socket) as door:
        match command:
            case "sessions":
                printed.sessions(_items(door.ask("sessions")))
            case "sessions end":
                return _end(door, names[0], printed)
            case "mailboxes":
                pattern = names[0] if names else "*"
                printed.mailboxes(_items(door.ask("mailboxes", pattern=pattern)))
            case "accounts" | "accounts list":
                pattern = names[0] if names else ""
                printed.accounts(_items(door.ask("accounts", pattern=pattern)))
            case "limits":
                pairs = (it.partition("=") for it in names)
                changes = {name.strip(): it.strip() for name, _, it in pairs}
                printed.limits(_items(door.ask("limits", changes=changes)))
            case "accounts export":
                answer = _items(door.ask(command, username=names[0]))
                with _output(settings.out) as output:
                    for item in answer:
                        output.write(f"{json.dumps(item)}\n")
            case "invitations" | "invitations list":
                printed.invitations(_items(door.ask("invitations")))
            case "invitations revoke":
                end = door.ask_once(command, invitation=names[0])
                printed.revoked(end)
                return ExitCode.DONE if end.get("revoked") else ExitCode.REFUSED
            case "invite":
                terms = {"uses": settings.uses, "days": settings.days}
                given = {name: it for name, it in terms.items() if it is not None}
                printed.invite(door.ask_once("invite", **given))
            case _:
                end = door.ask_once(command, username=names[0], password=password)
                printed.changed(command, names[0], end)
    return ExitCode.DONE


def _items(answer: Iterable[Item]) -> Iterable[Item]:
    """All of an answer but its end, as it comes."""
    before: Item | None = None
    for item in answer:
        if before is not None:
            yield before
        before = item


@contextmanager
def _output(file: str) -> Iterator[TextIO]:
    """Standard output, or a new file, which goes again when it is not finished.

    Raises:
        CannotWrite: it is there already, or cannot be made.
    """
    if not file:
        yield sys.stdout
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CannotWrite(f"{file} cannot be made: {error.strerror}.") from error
    with ExitStack() as unfinished:
        unfinished.callback(Path(file).unlink)
        with os.fdopen(descriptor, "w", encoding="utf-8") as output:
            yield output
        unfinished.pop_all()


def _end(door: Operator, name: str, printed: tables.Printer) -> ExitCode:
    """End a session; that there was none is no success."""
    end = door.ask_once("sessions end", username=name)
    printed.changed("sessions end", name, end)
    return ExitCode.DONE if end.get("ended") else ExitCode.REFUSED


def _delete(settings: AdminSettings, name: str, printed: tables.Printer) -> ExitCode:
    if not (settings.dry_run or settings.yes or can_ask()):
        raise SettingWrong("There is no terminal to ask on: give --yes to delete.")
    asked = {
        "username": name,
        "inbox": settings.inbox or "discard",
        "outbox": settings.outbox or "keep",
    }
    with operator(settings.admin_socket) as door:
        plan = door.ask_once("accounts delete", **asked, dry_run=True)
    printed.deletion(name, plan)
    if settings.dry_run:
        return ExitCode.DONE
    # The connection is not held open while somebody thinks.
    if not settings.yes and ask(f"Delete {name} for ever? yes or [no]: ") != "yes":
        raise NotConfirmed("Nothing was changed.")
    with operator(settings.admin_socket) as door:
        printed.deletion(name, door.ask_once("accounts delete", **asked))
    return ExitCode.DONE


def _new_password(settings: AdminSettings) -> str:
    if settings.password_file == _STDIN:
        return sys.stdin.read().removesuffix("\n").removesuffix("\r")
    return chosen_password(
        settings.password_file, flag="--password-file", variable=VARIABLE
    )
