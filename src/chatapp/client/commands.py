"""What a line means that somebody typed: a closed union of intents.

``HELP`` names them all. A line that means nothing raises ``NotUnderstood``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from chatcore.commands import InboxAction, OutboxAction

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CreateAccount:
    """``create NAME``."""

    username: str


@dataclass(frozen=True, slots=True)
class LogIn:
    """``login NAME``."""

    username: str


@dataclass(frozen=True, slots=True)
class LogOut:
    """``logout``."""


@dataclass(frozen=True, slots=True)
class ListAccounts:
    """``list [PATTERN]``."""

    pattern: str


@dataclass(frozen=True, slots=True)
class SendText:
    """``send NAME TEXT``."""

    recipient: str
    text: str


@dataclass(frozen=True, slots=True)
class DeliverQueued:
    """``deliver``."""


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """``password``."""


@dataclass(frozen=True, slots=True)
class DeleteAccount:
    """``delete [NAME]``; an empty name is whoever is logged in."""

    username: str


@dataclass(frozen=True, slots=True)
class ShowHelp:
    """``help``."""


@dataclass(frozen=True, slots=True)
class Quit:
    """``quit``."""


Intent: TypeAlias = (
    CreateAccount
    | LogIn
    | LogOut
    | ListAccounts
    | SendText
    | DeliverQueued
    | ChangePassword
    | DeleteAccount
    | ShowHelp
    | Quit
)

HELP: Final = (
    ("create NAME", "make an account; the password is asked for"),
    ("login NAME", "log in; messages come by themselves from then on"),
    ("list [PATTERN]", "who has an account, and who is online; * and ? stand for any"),
    ("send NAME TEXT", "send a message; it waits while NAME is offline"),
    ("deliver", "have what is queued delivered, and wait until it is"),
    ("password", "change your password"),
    ("delete [NAME]", "delete an account; asks what becomes of its messages"),
    ("logout", "log out"),
    ("help", "this list"),
    ("quit", "leave; so does the end of the input"),
)


class NotUnderstood(Exception):
    """A line that is no command; its text tells how to say it."""


def read_line(line: str) -> Intent | None:
    """The intent of a line; None for an empty one.

    Raises:
        NotUnderstood: there is no such command, or it lacks something.
    """
    word, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    if not word:
        return None
    if word == "send":
        return _send(rest)
    if word in _WITH_NAME:
        return _with_name(word, rest)
    if word in _WITH_ANYTHING:
        return _WITH_ANYTHING[word](rest)
    if word in _ALONE:
        if rest:
            raise NotUnderstood(f"Say only: {word}")
        return _ALONE[word]
    raise NotUnderstood(f"There is no command {word!r}; help lists them.")


def read_inbox(answer: str) -> InboxAction:
    """What a deletion does with waiting messages; an empty answer is the default."""
    return _chosen(
        {"deliver": InboxAction.DELIVER, "discard": InboxAction.DISCARD}, answer
    )


def read_outbox(answer: str) -> OutboxAction:
    """What a deletion does with sent messages; an empty answer is the default."""
    return _chosen({"keep": OutboxAction.KEEP, "retract": OutboxAction.RETRACT}, answer)


_WITH_NAME: Final[Mapping[str, Callable[[str], Intent]]] = {
    "create": CreateAccount,
    "login": LogIn,
}
_WITH_ANYTHING: Final[Mapping[str, Callable[[str], Intent]]] = {
    "list": ListAccounts,
    "delete": DeleteAccount,
}
_ALONE: Final[Mapping[str, Intent]] = {
    "logout": LogOut(),
    "deliver": DeliverQueued(),
    "password": ChangePassword(),
    "help": ShowHelp(),
    "quit": Quit(),
    "exit": Quit(),
}
WORDS: Final = ("send", *_WITH_NAME, *_WITH_ANYTHING, *_ALONE)


def _send(rest: str) -> SendText:
    recipient, _, text = rest.partition(" ")
    if not text:
        raise NotUnderstood("Say: send NAME TEXT")
    return SendText(recipient, text)


def _with_name(word: str, name: str) -> Intent:
    if not name or " " in name:
        # More than a name might be a password: it must not be echoed.
        raise NotUnderstood(f"Say: {word} NAME; the password is asked for after that.")
    return _WITH_NAME[word](name)


def _chosen(known: Mapping[str, T], answer: str) -> T:
    """The value that an answer, or the beginning of one, chooses; the first if none."""
    for name, value in known.items():
        if name.startswith(answer.strip().lower()):
            return value
    raise NotUnderstood(f"Say {' or '.join(known)}.")
