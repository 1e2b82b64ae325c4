"""Frames in protobuf's binary form, over the generated classes."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from google.protobuf.message import DecodeError

from chatcore.commands import Request
from chatcore.events import Event
from transports.codec._generated import chat_pb2 as pb
from transports.codec.base import (
    AT_A_STRETCH,
    MOST_COMMANDS,
    MOST_EVENTS,
    BrokenFrame,
    check_number,
)
from transports.codec.protobuf_commands import read_request, write_command
from transports.codec.protobuf_events import read_event, write_event

_BITS: Final = 7
_MORE: Final = 1 << _BITS
"""The bit of a length's byte that says that more follows."""
_TAG: Final = 0x0A
"""Field 1 of a frame: an item, with its length before it."""
_SHORT_HEADS: Final = tuple(bytes((_TAG, length)) for length in range(_MORE))


class ProtobufCodec:
    """Binary frames; commands of a newer schema show as ``Unknown("field 99")``."""

    name: Final = "protobuf"
    text: Final = False

    def decode_commands(self, frame: bytes) -> list[Request]:
        """See ``Codec``."""
        return list(chain.from_iterable(self.read_commands(frame)))

    def read_commands(self, frame: bytes) -> Iterator[list[Request]]:
        """See ``Codec``."""
        try:
            commands = pb.ClientFrame.FromString(frame).commands
        except DecodeError as error:
            raise BrokenFrame("it is not a ClientFrame in protobuf") from error
        if len(commands) == 1:  # most frames, where people chat
            yield [read_request(commands[0])]
            return
        check_number(len(commands), most=MOST_COMMANDS, kind="commands")
        for start in range(0, len(commands), AT_A_STRETCH):
            some = commands[start : start + AT_A_STRETCH]
            yield list(map(read_request, some))

    def encode_events(self, events: Sequence[Event]) -> bytes:
        """See ``Codec``."""
        if len(events) == 1:
            event = pb.Event()
            write_event(events[0], event)
            return _frame_of(event.SerializeToString())
        frame = pb.ServerFrame()
        add = frame.events.add
        for each in events:
            write_event(each, add())
        return frame.SerializeToString()

    def encode_commands(self, requests: Sequence[Request]) -> bytes:
        """See ``Codec``."""
        frame = pb.ClientFrame()
        add = frame.commands.add
        for number, command in requests:
            write_command(number, command, add())
        return frame.SerializeToString()

    def decode_events(self, frame: bytes) -> list[Event]:
        """See ``Codec``."""
        try:
            parsed = pb.ServerFrame.FromString(frame)
        except DecodeError as error:
            raise BrokenFrame("it is not a ServerFrame in protobuf") from error
        check_number(len(parsed.events), most=MOST_EVENTS, kind="events")
        read = map(read_event, parsed.events)
        return [event for event in read if event is not None]


def _frame_of(item: bytes) -> bytes:
    """The frame that consists of one item: the field's tag, the item's length, the item
    (Protocol Buffers, Encoding). The frame's own message, and the list in it, would
    take 2,500 instructions more.
    """
    rest = len(item)
    if rest < _MORE:
        return _SHORT_HEADS[rest] + item
    head = [_TAG]
    while rest >= _MORE:
        head.append(rest % _MORE | _MORE)
        rest >>= _BITS
    return bytes((*head, rest)) + item
