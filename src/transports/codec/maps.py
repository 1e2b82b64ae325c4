"""Frames as maps, in JSON or msgpack: the ProtoJSON mapping of the schema (W5).

Nearly all traffic is a handful of kinds: those go between frames and values by way of
the structs of ``map_types``, in one call of msgspec for a whole frame. Whatever that
does not take (other kinds, other spellings, mistakes) goes item by item through the
protobuf messages, by way of ``map_items``. So each rare kind has one reader and one
writer for all codecs, and the plain way only has to be right about what it accepts.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final

import msgspec

from chatcore.commands import Acknowledge, Command, Request, Send
from chatcore.events import Accepted, Delivered, Event, Listed, Received
from transports.codec._generated import chat_pb2 as pb
from transports.codec.map_items import UNREADABLE, ItemReader, Notation
from transports.codec.map_types import (
    PlainClientFrame,
    PlainServerFrame,
    WireAccepted,
    WireAcknowledge,
    WireDelivered,
    WireEntry,
    WireListed,
    WireReceived,
    WireSend,
    plain_event,
    plain_request,
)
from transports.codec.protobuf_commands import write_command
from transports.codec.protobuf_events import write_event
from transports.codec.protojson import to_map


class MapCodec:
    """Frames in one notation; ``json_codec`` and ``msgpack_codec`` make the two.

    ``wide`` writes an integer of 64 bits, where the notation does not have them.
    """

    def __init__(
        self,
        name: str,
        notation: Notation,
        *,
        text: bool,
        wide: Callable[[int], str] | None,
    ) -> None:
        self.name: Final = name
        self.text: Final = text
        self._notation = notation
        self._wide = wide
        self._items = ItemReader(notation)

    def decode_commands(self, frame: bytes) -> list[Request]:
        """See ``Codec``."""
        return list(chain.from_iterable(self.read_commands(frame)))

    def read_commands(self, frame: bytes) -> Iterator[list[Request]]:
        """See ``Codec``."""
        try:
            commands = self._notation.decode(frame, type=PlainClientFrame).commands
            if len(commands) == 1:  # most frames, where people chat
                requests = [plain_request(commands[0])]
            else:
                requests = [plain_request(item) for item in commands]
        except UNREADABLE:
            yield from self._items.read_commands(frame)
        else:
            yield requests

    def decode_events(self, frame: bytes) -> list[Event]:
        """See ``Codec``."""
        try:
            plain = self._notation.decode(frame, type=PlainServerFrame)
            return [plain_event(item) for item in plain.events]
        except UNREADABLE:
            return self._items.read_events(frame)

    def encode_events(self, events: Sequence[Event]) -> bytes:
        """See ``Codec``."""
        if len(events) == 1:
            return self._notation.encode({"events": [self._event_map(events[0])]})
        if not events:
            return self._notation.encode({})
        return self._notation.encode({"events": list(map(self._event_map, events))})

    def encode_commands(self, requests: Sequence[Request]) -> bytes:
        """See ``Codec``."""
        if not requests:
            return self._notation.encode({})
        maps = [self._command_map(number, command) for number, command in requests]
        return self._notation.encode({"commands": maps})

    def _event_map(self, event: Event) -> dict[str, object]:
        """The first three are most of what a server writes: comparing types and taking
        tuples apart is quicker than patterns.
        """
        wide = self._wide  # not of 0, which is a default and left out
        if type(event) is Delivered:
            position, follows, sender, sender_id, deleted, body, at_ms = event
            return {
                "delivered": WireDelivered(
                    wide(position) if wide and position else position,
                    wide(follows) if wide and follows else follows,
                    sender,
                    wide(sender_id) if wide and sender_id else sender_id,
                    body,
                    wide(at_ms) if wide and at_ms else at_ms,
                    deleted,
                )
            }
        if type(event) is Accepted:
            number, recipient_id, position, at_ms, durable = event
            accepted = WireAccepted(
                wide(recipient_id) if wide and recipient_id else recipient_id,
                wide(position) if wide and position else position,
                wide(at_ms) if wide and at_ms else at_ms,
                durable,
            )
            return _numbered(number, "accepted", accepted)
        if type(event) is Received:
            recipient_id, positions = event.recipient_id, event.positions
            received = WireReceived(
                event.recipient,
                wide(recipient_id) if wide and recipient_id else recipient_id,
                tuple(map(wide, positions)) if wide else positions,
            )
            return {"received": received}
        match event:
            case Listed(number, names, online, complete):
                entries = list(map(WireEntry, names, online))
                return _numbered(number, "listed", WireListed(entries, complete))
            case _:
                message = pb.Event()
                write_event(event, message)
                return to_map(message, wide or int)

    def _command_map(self, number: int, command: Command) -> dict[str, object]:
        match command:
            case Send(recipient, body, key):
                return _numbered(number, "send", WireSend(recipient, body, key))
            case Acknowledge(position):
                acknowledge = WireAcknowledge(
                    self._wide(position) if self._wide and position else position
                )
                return _numbered(number, "acknowledge", acknowledge)
            case _:
                message = pb.Command()
                write_command(number, command, message)
                return to_map(message, self._wide or int)


def json_codec() -> MapCodec:
    """JSON, one document without a newline to a frame."""
    return MapCodec("json", msgspec.json, text=True, wide=str)


def msgpack_codec() -> MapCodec:
    """The maps of JSON in msgpack: integers as integers, bytes as bin."""
    return MapCodec("msgpack", msgspec.msgpack, text=False, wide=None)


def _numbered(number: int, member: str, content: msgspec.Struct) -> dict[str, object]:
    return {"id": number, member: content} if number else {member: content}
