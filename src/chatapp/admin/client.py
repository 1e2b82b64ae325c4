"""The other end of the operator's socket: asks, and hands on what it is told."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedRWPair
from typing import Final

from chatapp.admin.protocol import (
    LINE_BYTES,
    VERSION,
    NotUnderstood,
    decode,
    encode,
)
from chatapp.errors import AdminAskedWrongly, CannotReach
from chatcore.errors import refusal_from_wire

_CONNECT_S: Final = 5.0

Item = dict[str, object]


@dataclass(frozen=True, slots=True)
class Operator:
    """A connection to a server that answers its operator."""

    _path: str
    _stream: BufferedRWPair

    def ask(self, command: str, **arguments: object) -> Iterator[Item]:
        """The items of an answer, as they come, and its end as the last.

        Raises:
            AdminAskedWrongly: the server does not understand it.
            CannotReach: the server has gone, or does not answer as one.
            chatcore.errors.Refusal: why it was not done.
        """
        try:
            self._stream.write(
                encode({"version": VERSION, "command": command, "arguments": arguments})
            )
            self._stream.flush()
            while True:
                line = decode(self._stream.readline(LINE_BYTES))
                yield from _told(line, "item")
                if "done" in line:
                    yield from _told(line, "done")
                    return
                if "error" in line:
                    raise _error(next(_told(line, "error")))
        except (OSError, NotUnderstood) as error:
            raise CannotReach(
                f"{self._path} has gone, or is no operator's socket: {error}."
            ) from error

    def ask_once(self, command: str, **arguments: object) -> Item:
        """The end of an answer that has no items; raises as ``ask``."""
        *_, end = self.ask(command, **arguments)
        return end


def _told(line: Mapping[str, object], name: str) -> Iterator[Item]:
    if name not in line:
        return
    found = line[name]
    if not isinstance(found, dict):
        raise NotUnderstood("it answers otherwise")
    yield found


def _error(told: Item) -> Exception:
    """What a server says that went wrong, for this end to raise."""
    code, text, fields = told.get("code"), told.get("text"), told.get("fields")
    if not isinstance(code, int) or not isinstance(text, str):
        raise NotUnderstood("it answers otherwise")
    if code == AdminAskedWrongly.code:
        return AdminAskedWrongly(text)
    named = fields if isinstance(fields, dict) else {}
    return refusal_from_wire(code, text, {key: str(it) for key, it in named.items()})


@contextmanager
def operator(path: str) -> Iterator[Operator]:
    """A connection to the server at this path, while the block runs.

    Raises:
        CannotReach: nobody answers there, or not this user.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise CannotReach(f"{path}: this system has no Unix sockets in Python.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_CONNECT_S)
        try:
            connection.connect(path)
        except OSError as error:
            reason = error.strerror or str(error)
            raise CannotReach(
                f"No server answers its operator at {path}: {reason}."
            ) from error
        # Some of what is asked takes long; a server that dies is noticed all the same.
        connection.settimeout(None)
        with connection.makefile("rwb") as stream:
            yield Operator(path, stream)
