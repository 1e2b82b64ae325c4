"""How the command ends when it did not do what was asked: its words and its status."""

import json
from collections.abc import Mapping
from typing import Final

from chatapp.errors import CommandFailed, ExtraMissing, Interrupted, UsageWrong
from chatapp.exit_codes import ExitCode
from chatapp.sanitize import sanitize
from chatcore.errors import (
    AccountInUse,
    ChatError,
    CloseCode,
    Closed,
    MailboxClosing,
    MailboxFull,
    NoSuchRecipient,
    Outage,
    Refusal,
    WrongCredentials,
    capitals,
)
from chatstores.errors import BadStoreUrl, OpeningError

# What brings a module that is imported only when it is used: a package that chatcore
# needs, and which was left out or lost, or an extra of the distribution.
INSTALL: Final[Mapping[str, str]] = {
    "apsw": "apsw",
    "confusable_homoglyphs": "confusable-homoglyphs",
    "google": "googleapis-common-protos",
    "grpc": "grpcio",
    "grpc_health": "grpcio-health-checking",
    "grpc_reflection": "grpcio-reflection",
    "h11": "h11",
    "hdrh": "chatcore-bench",
    "jwt": "chatcore[jwt]",
    "httpx": "chatcore[webhooks]",
    "matplotlib": "chatcore-bench",
    "prometheus_client": "prometheus-client",
    "prompt_toolkit": "prompt_toolkit",
    "rich": "rich",
    "trustme": "chatcore[tls]",
    "uvloop": "chatcore[speed]",
    "websockets": "websockets",
}

# Every other refusal is ``ExitCode.REFUSED``.
_STATUSES: Final[Mapping[type[ChatError], ExitCode]] = {
    WrongCredentials: ExitCode.WRONG_CREDENTIALS,
    AccountInUse: ExitCode.ACCOUNT_IN_USE,
    NoSuchRecipient: ExitCode.NOT_DELIVERABLE,
    MailboxFull: ExitCode.NOT_DELIVERABLE,
    MailboxClosing: ExitCode.TRY_AGAIN,
    Outage: ExitCode.TRY_AGAIN,
    BadStoreUrl: ExitCode.MISUSED,
}


def first_of(error: Exception) -> Exception:
    """The first of those that several tasks raised, or what it means to a user."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    name = (missing or "").partition(".")[0]
    if name in INSTALL:
        return ExtraMissing(
            f"This needs {name}, which is not installed: pip install '{INSTALL[name]}'"
        )
    return error


def status_of(error: Exception) -> ExitCode | None:
    """The exit status that an error stands for; None for one that is a fault of ours.

    It tells a script what to do next, where the error's own code tells what happened.
    """
    match error:
        case CommandFailed(status=status) | Interrupted(status=status):
            return status
        case BrokenPipeError():
            return ExitCode.PIPE_BROKEN
        case Closed(code=CloseCode.REPLACED):
            return ExitCode.ACCOUNT_IN_USE
        case Closed(code=code) if code.may_reconnect:
            return ExitCode.TRY_AGAIN
        case ChatError():
            found = (it for kind, it in _STATUSES.items() if isinstance(error, kind))
            return next(found, ExitCode.REFUSED)
        case _:
            return None


def line_for(error: Exception, *, as_json: bool, line: int = 0) -> str:
    """One line about an error: for people, or with ``as_json`` for programs.

    ``line`` is the number of the input's line that it is about, if it is.
    """
    if as_json:
        told: dict[str, object] = {"error": _record(error)}
        return json.dumps(told | ({"line": line} if line else {}))
    text = sanitize(" ".join(str(error).split()))
    if isinstance(error, UsageWrong):
        return f"{error.command}: {error.text} (see {error.command} --help)"
    return f"chatcore: line {line}: {text}" if line else f"chatcore: {text}"


def _record(error: Exception) -> dict[str, object]:
    """``code``, ``name``, ``text`` and ``fields`` of an error, whatever raised it."""
    fields: Mapping[str, str] = {}
    match error:
        case Refusal(code=number, name=name, text=text):
            code, fields = number, error.fields
        case Closed(code=closing, text=text):
            code, name = int(closing), closing.name
        case OpeningError(code=number, text=text):
            code, name = number, capitals(type(error).__name__)
            fields = error.fields
        case UsageWrong(code=code, text=text):
            name = "SETTING_WRONG"
        case CommandFailed(code=code, text=text):
            name = capitals(type(error).__name__)
        case _:
            code, name, text = 0, capitals(type(error).__name__), str(error)
    return {"code": code, "name": name, "text": text, "fields": dict(fields)}
