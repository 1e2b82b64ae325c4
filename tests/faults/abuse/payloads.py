"""Frames that nobody with good intentions writes, in protobuf or JSON."""

from collections.abc import Sequence
from functools import cache
from typing import Final

from chatcore.commands import (
    Acknowledge,
    Command,
    Create,
    Delete,
    List,
    Login,
    Request,
    Send,
)
from tests.conformance.frames import with_unknown
from transports.codec import codec as codec_of

DOT: Final = "\u30fb"
"""KATAKANA MIDDLE DOT: goes in a name beside Japanese letters only (RFC 5892, A.7),
which have to be looked for."""
LETTER: Final = "\u30a2"
DIGIT: Final = "\u06f0"
"""EXTENDED ARABIC-INDIC DIGIT ZERO: not beside those of U+0660 (RFC 5892, A.9)."""


def one(command: Command, number: int = 1) -> bytes:
    """A protobuf frame of one command; frames of protobuf may be joined as they are."""
    return codec_of("protobuf").encode_commands([Request(number, command)])


@cache
def repeated(command: Command, *, times: int) -> bytes:
    """A protobuf frame of one command so many times."""
    return one(command) * times


def refused_acknowledges(times: int) -> bytes:
    """Acknowledgements of a position far above what was delivered."""
    return repeated(Acknowledge(1 << 40), times=times)


def logouts(times: int) -> bytes:
    """Logouts without anything in them."""
    # Command {logout: {}}: field 5 of the wire type LEN, empty, and no id.
    return b"\x0a\x02\x2a\x00" * times


def commands_without_content(times: int) -> bytes:
    """Commands with neither an id nor anything else: two bytes each."""
    return b"\x0a\x00" * times


@cache
def unknown_commands(times: int) -> bytes:
    """Commands of a version that does not exist."""
    frame, _ = with_unknown("protobuf", 1)
    return frame * times


def costly_name(chars: int, *, digits: bool = False) -> str:
    """A name of so many characters that takes long to prepare.

    Each dot, or digit, is judged by a walk over the whole name: the letter that lets
    all of them pass stands at its end.
    """
    return DIGIT * chars if digits else DOT * (chars - 1) + LETTER


def costly_names(kind: str, chars: int, times: int, *, digits: bool = False) -> bytes:
    """A frame of so many commands with such names."""
    name, password = costly_name(chars, digits=digits), "x" * 8
    match kind:
        case "create":
            return repeated(Create(name, password), times=times)
        case "login":
            return repeated(Login(username=name, password=password), times=times)
        case "delete":
            return repeated(Delete(username=name, password=password), times=times)
        case _:
            return repeated(Send(name, "x"), times=times)


def costly_lists(times: int) -> bytes:
    """Lists whose pattern fits almost every prepared name, until its last letter."""
    patterns = ("*a" * 120 + "*b", "?" * 64 + "*" * 100 + "b", "*" + "a" * 60 + "*b*")
    return b"".join(one(List(pattern)) for pattern in patterns) * times


def sends(recipient: str, times: int, *, body: str = "x") -> bytes:
    """Valid sends without a key."""
    return repeated(Send(recipient, body), times=times)


# ---- JSON that is read the slow way


def json_frames(size: int) -> Sequence[bytes]:
    """Frames of about ``size`` bytes, each slow to read in a way of its own."""
    deep = (size - 64) // 2
    many_fields = b",".join(
        b'"f%d":%d' % (number, number) for number in range(size // 18)
    )
    small = b'{"id":1,"send":{"recipient":"a","body":"b","f":[{}]}},'
    unknown = b'{"id":1,"dance":{"steps":[1]}},'
    wrong = b'{"id":"x","send":5},'
    return (
        b'{"commands":[{"id":1,"send":{"x":' + b"[" * deep + b"]" * deep + b"}}]}",
        b'{"commands":[{"id":1,"send":{"recipient":"a",' + many_fields + b"}}]}",
        b'{"commands":[' + (small * min(1000, size // len(small)))[:-1] + b"]}",
        b'{"commands":[' + (unknown * min(1000, size // len(unknown)))[:-1] + b"]}",
        b'{"commands":[' + (wrong * min(1000, size // len(wrong)))[:-1] + b"]}",
        b'{"commands":[{"id":' + b"9" * (size - 64) + b',"logout":{}}]}',
        b'{"commands":[{"id":1,"send":{"key":"' + b"A" * (size - 64) + b'"}}]}',
        b'{"x":[' + b"{}," * ((size - 64) // 3) + b"{}]}",
    )
