"""Commands to and from their protobuf messages.

The numbers of the enums are the same on both sides; 0, which protobuf calls
unspecified, is the default of the command.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final

from chatcore import commands
from chatcore.commands import (
    Acknowledge,
    AlreadyRefused,
    Command,
    DeliveryMode,
    InboxAction,
    Malformed,
    OutboxAction,
    Request,
    Send,
    Unknown,
)
from chatcore.tuples import new_tuple
from transports.codec._generated import chat_pb2 as pb
from transports.codec.protobuf_fields import classes_of, fill_from, values_of

CLASSES: Final[Mapping[str, Any]] = classes_of(pb.Command, "command", commands)
_MEMBERS: Final = {kind: name for name, kind in CLASSES.items()}
_ENUMS: Final[Mapping[str, type[IntEnum]]] = {
    "delivery": DeliveryMode,
    "inbox": InboxAction,
    "outbox": OutboxAction,
}
_TYPE_BITS: Final = 3
_ID_TAG: Final = pb.Command.ID_FIELD_NUMBER << _TYPE_BITS
_NUMBERS: Final[Mapping[int, str]] = {
    field.number: field.name for field in pb.Command.DESCRIPTOR.fields
}


def read_request(item: pb.Command) -> Request:
    """The request in ``item``.

    Most are a ``Send`` or an ``Acknowledge``. A field of one that is not its default
    says so more cheaply than asking which member there is: of one that is absent, each
    field reads as its default. Only what has an answer needs an id (W7).
    """
    number = item.id
    command: Command
    if number:
        send = item.send
        recipient = send.recipient
        command = (
            Send(recipient, send.body, send.key) if recipient else read_command(item)
        )
    else:
        position = item.acknowledge.position
        command = Acknowledge(position) if position else read_command(item)
    return new_tuple(Request, (number, command))


def read_command(item: pb.Command) -> Command:
    """The command in ``item``; ``Unknown`` or ``Malformed`` where there is none."""
    member = item.WhichOneof("command")
    if member is None:
        return _read_memberless(item)
    values = values_of(getattr(item, member))
    for field, enum in _ENUMS.items():
        if not values.get(field, 1):
            del values[field]
        elif field in values:
            try:
                values[field] = enum(values[field])
            except ValueError:
                expected = f"a number from 0 to {max(enum)}"
                return Malformed(f"{member}.{field}: expected {expected}")
    command: Command = CLASSES[member](**values)
    return command


def _read_memberless(item: pb.Command) -> Command:
    number = _first_unknown(item.SerializeToString())
    if number:
        if number in _NUMBERS:  # of a wire type that is not its own
            return Malformed(f"{_NUMBERS[number]}: expected what the schema says")
        return Unknown(f"field {number}")
    return Malformed(f"command: expected one of {', '.join(CLASSES)}")


def _first_unknown(encoded: bytes) -> int:
    """The number of the first field after the id; 0 when there is none.

    Read from the bytes, where what is unknown stands last: there may be hundreds of
    thousands of such fields, and protobuf would make an object of each (B2).
    """
    at, tag = 0, _ID_TAG
    while tag == _ID_TAG:
        if at >= len(encoded):
            return 0
        tag, at = _varint(encoded, at)
        if tag == _ID_TAG:
            _, at = _varint(encoded, at)
    return tag >> _TYPE_BITS


def _varint(encoded: bytes, at: int) -> tuple[int, int]:
    """A number in base 128, and where it ends (Protocol Buffers, Encoding)."""
    value = shift = 0
    while True:
        byte = encoded[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004  # the bit that says that more follows
            return value, at
        shift += 7


def write_command(number: int, command: Command, into: pb.Command) -> None:
    """Fill ``into``, which is empty.

    Raises:
        ValueError: the command is one that is only read, or holds what the schema does
            not.
    """
    into.id = number
    match command:
        case Send(recipient, body, key):  # first, since most are
            send = into.send
            send.recipient = recipient
            send.body = body
            send.key = key
        case Acknowledge(position):
            into.acknowledge.position = position
        case Unknown() | Malformed() | AlreadyRefused():
            kind = type(command).__name__
            raise ValueError(f"{kind} is what a codec has read; it cannot be written")
        case _:
            fill_from(command, getattr(into, _MEMBERS[type(command)]))
