"""Lean protobuf: sends from templates of bytes, events from the generated classes.

Writing a field is its tag, its length and its bytes (protobuf's encoding guide), which
is quicker put together here than in a message object. Reading is quicker with the
generated classes, whose parser is in C, than with a loop over bytes.
"""

from collections.abc import Sequence
from typing import Final

from google.protobuf.message import DecodeError

from transports.codec._generated import chat_pb2 as pb

_ONE_BYTE: Final = 0x80
_TWO_BYTES: Final = 0x4000


def _tag(message: str, field: str) -> bytes:
    """The tag of a field that has a length, such as a string or a message."""
    descriptor = pb.DESCRIPTOR.message_types_by_name[message]
    return _varint(descriptor.fields_by_name[field].number << 3 | 2)


def _varint(value: int) -> bytes:
    if value < _ONE_BYTE:
        return bytes((value,))
    if value < _TWO_BYTES:
        return bytes((value & 0x7F | 0x80, value >> 7))
    return bytes((value & 0x7F | 0x80,)) + _varint(value >> 7)


_COMMAND: Final = _tag("ClientFrame", "commands")
_ID: Final = _varint(pb.Command.DESCRIPTOR.fields_by_name["id"].number << 3)
_SEND: Final = _tag("Command", "send")
_RECIPIENT: Final = _tag("Send", "recipient")
_BODY: Final = _tag("Send", "body")
_KEY: Final = _tag("Send", "key") + _varint(16)
_ACKNOWLEDGE: Final = _tag("Command", "acknowledge")
_POSITION: Final = _varint(
    pb.Acknowledge.DESCRIPTOR.fields_by_name["position"].number << 3
)


def recipient_field(recipient: str) -> bytes:
    """The field of a ``chat.v1.Send`` that names the recipient, which comes first."""
    name = recipient.encode()
    return _RECIPIENT + _varint(len(name)) + name


def write_send(to: bytes, body: str, key: bytes) -> bytes:
    """One ``chat.v1.Send``; ``to`` is its ``recipient_field``."""
    text = body.encode()
    return b"%b%b%b%b%b%b" % (to, _BODY, _varint(len(text)), text, _KEY, key)


def write_sends(
    first_id: int, recipient: str, bodies: Sequence[str], keys: Sequence[bytes]
) -> bytes:
    """A ``chat.v1.ClientFrame`` of sends, numbered from ``first_id``."""
    to = recipient_field(recipient)
    parts: list[bytes] = []
    command_id = first_id
    for body, key in zip(bodies, keys, strict=True):
        send = write_send(to, body, key)
        # Before the send comes what does not fit into it: its number and its length.
        head = b"%b%b%b%b" % (_ID, _varint(command_id), _SEND, _varint(len(send)))
        parts += (_COMMAND, _varint(len(head) + len(send)), head, send)
        command_id += 1
    return b"".join(parts)


def write_acknowledge(position: int) -> bytes:
    """A ``chat.v1.ClientFrame`` that acknowledges all up to ``position``."""
    content = _POSITION + _varint(position) if position else b""
    command = _ACKNOWLEDGE + _varint(len(content)) + content
    return _COMMAND + _varint(len(command)) + command


def read_events(frames: Sequence[bytes]) -> tuple[int, list[str], int, int]:
    """Receipts, bodies, the position of the last body, and how many other events.

    Raises:
        ValueError: one of them is no ``chat.v1.ServerFrame``.
    """
    receipts, bodies, position, others = 0, list[str](), 0, 0
    try:
        for frame in frames:
            for event in pb.ServerFrame.FromString(frame).events:
                kind = event.WhichOneof("event")
                if kind == "delivered":
                    delivered = event.delivered
                    bodies.append(delivered.body)
                    position = delivered.position
                elif kind == "accepted":
                    receipts += 1
                elif kind != "received":
                    others += 1
    except DecodeError as error:
        raise ValueError("it is not a ServerFrame in protobuf") from error
    return receipts, bodies, position, others


def read_bodies(frames: Sequence[bytes]) -> list[str]:
    """The bodies of all sends in some ``chat.v1.ClientFrame``.

    Raises:
        ValueError: one of them is no ``ClientFrame``.
    """
    try:
        return [
            command.send.body
            for frame in frames
            for command in pb.ClientFrame.FromString(frame).commands
        ]
    except DecodeError as error:
        raise ValueError("it is not a ClientFrame in protobuf") from error
