"""The maps of the frequent kinds, as msgspec structs: the plain way through a frame.

They take the canonical spelling only, and refuse any field that they do not have, so
that what they read means the same as it does to ``protojson``. Integers of 64 bits are
numbers or strings, since JSON writes them as strings.
"""

from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec

from chatcore.commands import Acknowledge, Request, Send
from chatcore.events import Accepted, Delivered, Event, Received
from chatcore.ids import AccountId, Position, Username
from chatcore.tuples import new_tuple
from transports.codec.base import MOST_COMMANDS, MOST_EVENTS

_Id: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
_Wide: TypeAlias = int | str

_T = TypeVar("_T")
MostEvents: TypeAlias = Annotated[list[_T], msgspec.Meta(max_length=MOST_EVENTS)]
MostCommands: TypeAlias = Annotated[list[_T], msgspec.Meta(max_length=MOST_COMMANDS)]
"""As many as a frame may hold; msgpack tells the number before any is read."""

_WIDE_DIGITS: Final = 20
_WIDE_END: Final = 2**64


class NotPlain(ValueError):
    """Something, valid or not, that the plain way leaves to the general one."""


class _Map(
    msgspec.Struct,
    frozen=True,
    rename="camel",
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """A map without its defaults."""


# ---- commands; a Send is decoded right into the chat's own class, whose fields without
# a default have to be there: an empty body goes the general way


class WireSend(_Map, frozen=True):
    """``chat.v1.Send``, for writing."""

    recipient: str = ""
    body: str = ""
    key: bytes = b""


class WireAcknowledge(_Map, frozen=True):
    """``chat.v1.Acknowledge``."""

    position: _Wide = 0


class PlainCommand(_Map, frozen=True):
    """A ``chat.v1.Command`` of a frequent kind."""

    id: _Id = 0
    send: Send | None = None
    acknowledge: WireAcknowledge | None = None


class PlainClientFrame(_Map, frozen=True):
    """A ``chat.v1.ClientFrame`` of nothing else."""

    commands: MostCommands[PlainCommand] = []


def plain_request(item: PlainCommand) -> Request:
    """The request in ``item``.

    Raises:
        NotPlain: it holds no command, or two, or a position out of range.
    """
    command: Send | Acknowledge
    if item.send is not None and item.acknowledge is None:
        command = item.send
    elif item.acknowledge is not None and item.send is None:
        command = Acknowledge(_unsigned(item.acknowledge.position))
    else:
        raise NotPlain
    return new_tuple(Request, (item.id, command))


# ---- events


class WireAccepted(_Map, frozen=True):
    """``chat.v1.Accepted``."""

    recipient_id: _Wide = 0
    position: _Wide = 0
    sent_at_ms: _Wide = 0
    durable: bool = False


class WireDelivered(_Map, frozen=True):
    """``chat.v1.Delivered``."""

    position: _Wide = 0
    follows: _Wide = 0
    sender: str = ""
    sender_id: _Wide = 0
    body: str = ""
    sent_at_ms: _Wide = 0
    sender_deleted: bool = False


class WireReceived(_Map, frozen=True):
    """``chat.v1.Received``."""

    recipient: str = ""
    recipient_id: _Wide = 0
    positions: tuple[_Wide, ...] = ()


class WireEntry(_Map, frozen=True):
    """``chat.v1.Entry``, for writing."""

    username: str = ""
    online: bool = False


class WireListed(_Map, frozen=True):
    """``chat.v1.Listed``, for writing."""

    entries: list[WireEntry] = []
    complete: bool = False


class PlainEvent(_Map, frozen=True):
    """A ``chat.v1.Event`` of a frequent kind."""

    id: _Id = 0
    accepted: WireAccepted | None = None
    delivered: WireDelivered | None = None
    received: WireReceived | None = None


class PlainServerFrame(_Map, frozen=True):
    """A ``chat.v1.ServerFrame`` of nothing else."""

    events: MostEvents[PlainEvent] = []


def plain_event(item: PlainEvent) -> Event:
    """The event in ``item``.

    Raises:
        NotPlain: it holds none, or a number that the general way has to look at.
    """
    if (delivered := item.delivered) is not None:
        return Delivered(
            Position(_unsigned(delivered.position)),
            Position(_unsigned(delivered.follows)),
            Username(delivered.sender),
            AccountId(_unsigned(delivered.sender_id)),
            delivered.sender_deleted,
            delivered.body,
            _unsigned(delivered.sent_at_ms),
        )
    if (accepted := item.accepted) is not None:
        return Accepted(
            item.id,
            AccountId(_unsigned(accepted.recipient_id)),
            Position(_unsigned(accepted.position)),
            _unsigned(accepted.sent_at_ms),
            accepted.durable,
        )
    if (received := item.received) is not None:
        return Received(
            Username(received.recipient),
            AccountId(_unsigned(received.recipient_id)),
            tuple(Position(_unsigned(it)) for it in received.positions),
        )
    raise NotPlain


def _unsigned(wide: _Wide) -> int:
    """An unsigned 64-bit integer that was written either way."""
    if isinstance(wide, str):
        if len(wide) > _WIDE_DIGITS or not (wide.isascii() and wide.isdigit()):
            raise NotPlain
        wide = int(wide)
    if 0 <= wide < _WIDE_END:
        return wide
    raise NotPlain
