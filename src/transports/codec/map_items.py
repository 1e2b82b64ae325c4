"""The items of a frame of maps one by one: the general way, which explains mistakes.

A frame is taken apart into undecoded items first, and a command into undecoded fields,
so that what is wrong with one does no harm to the others (E3).
"""

from collections.abc import Iterator
from typing import Final, Protocol, TypeVar

import msgspec

from chatcore.commands import Command, Malformed, Request, Unknown
from chatcore.events import Event
from transports.codec._generated import chat_pb2 as pb
from transports.codec.base import (
    AT_A_STRETCH,
    MOST_COMMAND_BYTES,
    MOST_COMMANDS,
    MOST_EVENTS,
    BrokenFrame,
)
from transports.codec.map_types import MostCommands, MostEvents
from transports.codec.protobuf_commands import read_command
from transports.codec.protobuf_events import read_event
from transports.codec.protojson import (
    Unreadable,
    descriptor_of,
    field_named,
    fill,
    fill_field,
    read_scalar,
)

_T = TypeVar("_T")

_COMMAND: Final = descriptor_of(pb.Command)
_ID: Final = _COMMAND.fields_by_name["id"]
_NAME_CHARS: Final = 64
"""How much of an unknown command's name is kept: an answer repeats it."""

UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)
"""All that a ``Notation`` and ``protojson`` raise for what they cannot read; a
``UnicodeDecodeError`` is a ``ValueError``."""


class Notation(Protocol):
    """``msgspec.json`` or ``msgspec.msgpack``."""

    def encode(self, value: object, /) -> bytes:
        """The bytes of a value."""
        ...

    def decode(self, encoded: bytes, /, *, type: type[_T]) -> _T:  # noqa: A002  # its name
        """A value of this type.

        Raises:
            msgspec.ValidationError: a value of another type.
            MsgspecError, ValueError, RecursionError: bytes that are no value.
        """
        ...


class _ClientFrame(msgspec.Struct):
    commands: MostCommands[msgspec.Raw] | None = None


class _ServerFrame(msgspec.Struct):
    events: MostEvents[msgspec.Raw] | None = None


class ItemReader:
    """Reads frames of one notation in all spellings that ProtoJSON allows."""

    def __init__(self, notation: Notation) -> None:
        self._notation = notation

    def read_commands(self, frame: bytes) -> Iterator[list[Request]]:
        """As ``Codec.read_commands``."""
        try:
            parts = self._notation.decode(frame, type=_ClientFrame).commands or []
            for start in range(0, len(parts), AT_A_STRETCH):
                some = parts[start : start + AT_A_STRETCH]
                yield [self._read_command(part) for part in some]
        except UNREADABLE as error:
            raise BrokenFrame(_reason(error)) from error

    def read_events(self, frame: bytes) -> list[Event]:
        """As ``Codec.decode_events``."""
        events = []
        try:
            for part in self._notation.decode(frame, type=_ServerFrame).events or ():
                message = pb.Event()
                fill(message, self._notation.decode(part, type=object), "event")
                event = read_event(message)
                if event is not None:
                    events.append(event)
        except UNREADABLE as error:
            raise BrokenFrame(_reason(error)) from error
        return events

    def _read_command(self, part: msgspec.Raw) -> Request:
        """One request; raises as ``Notation.decode`` where the syntax is broken."""
        number = 0
        if len(memoryview(part)) > MOST_COMMAND_BYTES:
            return Request(number, Malformed("command: expected less than it has"))
        try:
            fields = self._fields(part)
            given = self._value("id", fields.pop("id", None))
            if given is not None:
                number = int(read_scalar(_ID, given, "id"))
            return Request(number, self._read_content(fields))
        except Unreadable as error:
            return Request(number, Malformed(str(error)))

    def _fields(self, part: msgspec.Raw) -> dict[str, msgspec.Raw]:
        """The fields of an item, undecoded."""
        try:
            return self._notation.decode(part, type=dict[str, msgspec.Raw])
        except msgspec.ValidationError as error:
            raise Unreadable("command", "an object") from error

    def _read_content(self, fields: dict[str, msgspec.Raw]) -> Command:
        """The command among the fields of an item, its id taken out."""
        message = pb.Command()
        members: list[str] = []
        unknown: str | None = None
        for name, part in fields.items():
            field = field_named(_COMMAND, name)
            if field is None:
                unknown = name if unknown is None else unknown
            elif (value := self._value(field.name, part)) is not None:
                members.append(field.name)
                fill_field(message, field, value, field.name)
        if len(members) > 1:
            return Malformed(f"command: expected one, not {' and '.join(members)}")
        if unknown is not None and not members:
            return Unknown(unknown[:_NAME_CHARS])
        return read_command(message)

    def _value(self, name: str, part: msgspec.Raw | None) -> object:
        """What a field holds; None where it is absent or null."""
        if part is None:
            return None
        try:
            return self._notation.decode(part, type=object)
        except msgspec.ValidationError as error:  # a number beyond all ranges
            raise Unreadable(name, "values within their ranges") from error


def _reason(error: Exception) -> str:
    """What was wrong, to be put into a sentence."""
    for most, kind in ((MOST_COMMANDS, "commands"), (MOST_EVENTS, "events")):
        if f"`array` of length <= {most}" in str(error):
            return f"it has more than {most} {kind}"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error).rstrip(".")
