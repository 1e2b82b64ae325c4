"""What a line means that somebody typed.

``Verb`` has all that can be said. A line that means nothing raises ``NotUnderstood``.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple, TypeVar

E = TypeVar("E", bound=Enum)


class Verb(Enum):
    """What can be asked for: how it is typed, and what it does.

    ``NAME`` is one word, ``TEXT`` the rest of the line; what is in brackets may be
    left out.
    """

    CREATE = "create NAME", "make an account; the password is asked for"
    LOGIN = "login NAME", "log in; messages come by themselves from then on"
    LIST = (
        "list [PATTERN]",
        "who has an account, and who is online; * and ? stand for any",
    )
    SEND = "send NAME TEXT", "send a message; it waits while NAME is offline"
    DELIVER = "deliver", "have what is queued delivered, and wait until it is"
    PASSWORD = "password", "change your password"
    DELETE = "delete [NAME]", "delete an account; asks what becomes of its messages"
    LOGOUT = "logout", "log out"
    HELP = "help", "this list"
    QUIT = "quit", "leave; so does the end of the input"

    def __init__(self, usage: str, meaning: str) -> None:
        self.usage = usage
        self.meaning = meaning


VERBS: Final[Mapping[str, Verb]] = {
    **{it.usage.partition(" ")[0]: it for it in Verb},
    "exit": Verb.QUIT,
}
"""The words that a line begins with."""


class Intent(NamedTuple):
    """What somebody wants; ``name`` is what follows the verb, also where that is a
    pattern, and empty where nothing does.
    """

    verb: Verb
    name: str = ""
    text: str = ""


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
    verb = VERBS.get(word)
    if verb is None:
        raise NotUnderstood(f"There is no command {word!r}; help lists them.")
    name, _, text = rest.partition(" ")
    match verb.usage.split()[1:]:
        case [] if rest:
            raise NotUnderstood(f"Say only: {word}")
        case ["NAME"] if text or not name:
            # More than a name might be a password: it must not be echoed.
            raise NotUnderstood(
                f"Say: {word} NAME; the password is asked for after that."
            )
        case ["NAME", "TEXT"] if text:
            return Intent(verb, name, text)
        case ["NAME", "TEXT"]:
            raise NotUnderstood(f"Say: {verb.usage}")
        case _:
            return Intent(verb, rest)


def read_choice(kind: type[E], answer: str) -> E:
    """What an answer, or the beginning of one, chooses of these; the first if none.

    Raises:
        NotUnderstood: it begins none of their names.
    """
    known = {it.name.lower(): it for it in kind}
    for name, value in known.items():
        if name.startswith(answer.strip().lower()):
            return value
    raise NotUnderstood(f"Say {' or '.join(known)}.")
