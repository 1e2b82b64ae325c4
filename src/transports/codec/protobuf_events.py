"""Events to and from their protobuf messages."""

from collections.abc import Mapping
from typing import Any, Final

from chatcore import events
from chatcore.close_codes import RECONNECT_BELOW
from chatcore.errors import CloseCode, Refusal, refusal_from_wire
from chatcore.events import (
    Accepted,
    Closing,
    Deleted,
    Delivered,
    Event,
    Listed,
    Received,
    Refused,
)
from chatcore.ids import AccountId, Position, Username
from chatcore.model import DeletionReceipt
from transports.codec._generated import chat_pb2 as pb
from transports.codec.protobuf_fields import classes_of, fill_from, values_of

CLASSES: Final[Mapping[str, Any]] = classes_of(pb.Event, "event", events)
_MEMBERS: Final[Mapping[type[Event], str]] = {it: name for name, it in CLASSES.items()}


def write_event(event: Event, into: pb.Event) -> None:
    """Fill ``into``, which is empty.

    Raises:
        ValueError: the event holds what the schema does not.
    """
    # The first three are most of what a server writes. Comparing types and taking
    # tuples apart is quicker than patterns, setting fields than copying a message.
    if type(event) is Delivered:
        position, follows, sender, sender_id, deleted, body, at_ms = event
        delivered = into.delivered
        delivered.position = position
        delivered.follows = follows
        delivered.sender = sender
        delivered.sender_id = sender_id
        delivered.body = body
        delivered.sent_at_ms = at_ms
        if deleted:
            delivered.sender_deleted = deleted
        return
    if type(event) is Accepted:
        number, recipient_id, position, at_ms, durable = event
        into.id = number
        accepted = into.accepted
        accepted.recipient_id = recipient_id
        accepted.position = position
        accepted.sent_at_ms = at_ms
        accepted.durable = durable
        return
    if type(event) is Received:
        received = into.received
        received.recipient = event.recipient
        received.recipient_id = event.recipient_id
        received.positions.extend(event.positions)
        return
    match event:
        case Listed(number, names, online, complete):
            into.id = number
            listed = into.listed
            listed.complete = complete
            for name, is_online in zip(names, online, strict=True):
                listed.entries.add(username=name, online=is_online)
        case Refused(number, refusal):
            into.id = number
            into.refused.MergeFrom(message_of(refusal))
        case Deleted(number, receipt):
            into.id = number
            fill_from(receipt, into.deleted)
        case _:
            into.id = getattr(event, "id", 0)
            fill_from(event, getattr(into, _MEMBERS[type(event)]))


def message_of(refusal: Refusal) -> pb.Refused:
    """A refusal as the wire has it."""
    return pb.Refused(
        code=refusal.code, name=refusal.name, text=refusal.text, fields=refusal.fields
    )


def read_event(item: pb.Event) -> Event | None:
    """The event in ``item``; None for a kind that only a newer server knows."""
    match item.WhichOneof("event"):
        case None:
            return None
        case "delivered":  # the first three are most of what a client reads
            delivered = item.delivered
            return Delivered(
                Position(delivered.position),
                Position(delivered.follows),
                Username(delivered.sender),
                AccountId(delivered.sender_id),
                delivered.sender_deleted,
                delivered.body,
                delivered.sent_at_ms,
            )
        case "accepted":
            accepted = item.accepted
            return Accepted(
                item.id,
                AccountId(accepted.recipient_id),
                Position(accepted.position),
                accepted.sent_at_ms,
                accepted.durable,
            )
        case "received":
            received = item.received
            return Received(
                Username(received.recipient),
                AccountId(received.recipient_id),
                tuple(map(Position, received.positions)),
            )
        case member:
            return _read_rare(item, member)


def _read_rare(item: pb.Event, member: str) -> Event:
    match member:
        case "listed":
            entries = item.listed.entries
            return Listed(
                item.id,
                tuple(Username(entry.username) for entry in entries),
                tuple(entry.online for entry in entries),
                item.listed.complete,
            )
        case "refused":
            it = item.refused
            return Refused(item.id, refusal_from_wire(it.code, it.text, it.fields))
        case "deleted":
            return Deleted(item.id, DeletionReceipt(**values_of(item.deleted)))
        case "closing":
            return Closing(close_code(item.closing.code), item.closing.text)
        case _:
            kind = CLASSES[member]
            values = values_of(getattr(item, member))
            if hasattr(kind, "id"):
                values["id"] = item.id
            event: Event = kind(**values)
            return event


def close_code(number: int) -> CloseCode:
    """The code of this number; for one that only a newer server knows, a code that
    says the same about coming back.
    """
    try:
        return CloseCode(number)
    except ValueError:
        if number < RECONNECT_BELOW:
            return CloseCode.LINK_LOST
        return CloseCode.WRONG_VERSION
