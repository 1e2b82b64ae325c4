"""Client frames that the codecs themselves would not write, one way for each codec."""

from collections.abc import Sequence
from typing import Final

import msgspec

_JSON: Final = msgspec.json.encode
_MSGPACK: Final = msgspec.msgpack.encode


def with_unknown(codec: str, command_id: int) -> tuple[bytes, str]:
    """A frame with a command of a later version, and what the server calls it."""
    frame = {"commands": [{"id": command_id, "dance": {"steps": 3}}]}
    match codec:
        case "json":
            return _JSON(frame), "dance"
        case "msgpack":
            return _MSGPACK(frame), "dance"
        case _:
            # Field 99, of the wire type LEN (794 is 99 << 3 | 2), with three bytes.
            return _protobuf(command_id, b"\x9a\x06\x03abc"), "field 99"


def with_malformed(codec: str, command_id: int) -> bytes:
    """A frame with a ``send`` that is a number."""
    frame = {"commands": [{"id": command_id, "send": 5}]}
    match codec:
        case "json":
            return _JSON(frame)
        case "msgpack":
            return _MSGPACK(frame)
        case _:
            # Field 6, which is a message, as the varint 5.
            return _protobuf(command_id, b"\x30\x05")


def broken(codec: str) -> bytes:
    """Bytes that are no frame."""
    match codec:
        case "json":
            return b'{"commands": ['
        case "msgpack":
            return b"\xc1"
        case _:
            return b"\xff\xff\xff"


def joined(codec: str, *frames: bytes) -> bytes:
    """One frame with the commands of all, as a peer that has seen both may write."""
    match codec:
        case "json":
            return _JSON({"commands": _json_commands(frames)})
        case "msgpack":
            return _MSGPACK({"commands": _msgpack_commands(frames)})
        case _:
            return b"".join(frames)  # as protobuf allows


class _Frame(msgspec.Struct):
    commands: list[object]


def _json_commands(frames: Sequence[bytes]) -> list[object]:
    read = [msgspec.json.decode(it, type=_Frame) for it in frames]
    return [command for frame in read for command in frame.commands]


def _msgpack_commands(frames: Sequence[bytes]) -> list[object]:
    read = [msgspec.msgpack.decode(it, type=_Frame) for it in frames]
    return [command for frame in read for command in frame.commands]


def _protobuf(command_id: int, content: bytes) -> bytes:
    command = b"\x08" + bytes([command_id]) + content
    return b"\x0a" + bytes([len(command)]) + command
