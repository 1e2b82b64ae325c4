"""Events from their protobuf messages: the client's half."""

from collections.abc import Callable, Mapping
from typing import Final

from chatcore.errors import RECONNECT_BELOW, CloseCode, refusal_from_wire
from chatcore.events import (
    Accepted,
    Bounced,
    Closing,
    Created,
    Deleted,
    Delivered,
    DeliveryFinished,
    Event,
    Listed,
    LoggedIn,
    LoggedOut,
    PasswordChanged,
    Ping,
    Received,
    Refused,
    Resumed,
    Started,
    Welcome,
)
from chatcore.ids import AccountId, Position, ResumeToken, Username
from chatcore.model import DeletionReceipt
from transports.codec._generated import chat_pb2 as pb


def read_event(item: pb.Event) -> Event | None:
    """The event in ``item``; None for a kind that only a newer server knows."""
    member = item.WhichOneof("event")
    return None if member is None else _READERS[member](item)


def _close_code(number: int) -> CloseCode:
    """The code of this number; for one that only a newer server knows, a code that
    says the same about coming back.
    """
    try:
        return CloseCode(number)
    except ValueError:
        if number < RECONNECT_BELOW:
            return CloseCode.LINK_LOST
        return CloseCode.WRONG_VERSION


def _read_welcome(item: pb.Event) -> Welcome:
    it = item.welcome
    return Welcome(
        server_time_ms=it.server_time_ms,
        frame_bytes=it.frame_bytes,
        body_bytes=it.body_bytes,
        pending_commands=it.pending_commands,
        window_messages=it.window_messages,
        login_frame_bytes=it.login_frame_bytes,
    )


def _read_created(item: pb.Event) -> Created:
    it = item.created
    return Created(item.id, AccountId(it.account), Username(it.username))


def _read_logged_in(item: pb.Event) -> LoggedIn:
    it = item.logged_in
    return LoggedIn(
        id=item.id,
        account=AccountId(it.account),
        username=Username(it.username),
        token=ResumeToken(it.token),
        queued=it.queued,
        acknowledged=Position(it.acknowledged),
        grace_ms=it.grace_ms,
    )


def _read_resumed(item: pb.Event) -> Resumed:
    it = item.resumed
    return Resumed(
        id=item.id,
        account=AccountId(it.account),
        username=Username(it.username),
        queued=it.queued,
        last_seen=Position(it.last_seen),
    )


def _read_accepted(item: pb.Event) -> Accepted:
    it = item.accepted
    return Accepted(
        item.id,
        AccountId(it.recipient_id),
        Position(it.position),
        it.sent_at_ms,
        it.durable,
    )


def _read_delivered(item: pb.Event) -> Delivered:
    it = item.delivered
    return Delivered(
        Position(it.position),
        Position(it.follows),
        Username(it.sender),
        AccountId(it.sender_id),
        it.sender_deleted,
        it.body,
        it.sent_at_ms,
    )


def _read_bounced(item: pb.Event) -> Bounced:
    it = item.bounced
    return Bounced(
        Position(it.position),
        Position(it.follows),
        Username(it.recipient),
        AccountId(it.recipient_id),
        tuple(map(Position, it.positions)),
        it.sent_at_ms,
    )


def _read_received(item: pb.Event) -> Received:
    it = item.received
    return Received(
        Username(it.recipient),
        AccountId(it.recipient_id),
        tuple(map(Position, it.positions)),
    )


def _read_listed(item: pb.Event) -> Listed:
    entries = item.listed.entries
    return Listed(
        item.id,
        tuple(Username(entry.username) for entry in entries),
        tuple(entry.online for entry in entries),
        item.listed.complete,
    )


def _read_deleted(item: pb.Event) -> Deleted:
    it = item.deleted
    receipt = DeletionReceipt(
        dry_run=it.dry_run,
        delivered=it.delivered,
        discarded=it.discarded,
        bounces=it.bounces,
        kept=it.kept,
        retracted=it.retracted,
    )
    return Deleted(item.id, receipt)


def _read_refused(item: pb.Event) -> Refused:
    it = item.refused
    return Refused(item.id, refusal_from_wire(it.code, it.text, it.fields))


def _read_closing(item: pb.Event) -> Closing:
    return Closing(_close_code(item.closing.code), item.closing.text)


_READERS: Final[Mapping[str, Callable[[pb.Event], Event]]] = {
    "welcome": _read_welcome,
    "created": _read_created,
    "logged_in": _read_logged_in,
    "resumed": _read_resumed,
    "logged_out": lambda it: LoggedOut(it.id),
    "accepted": _read_accepted,
    "delivered": _read_delivered,
    "bounced": _read_bounced,
    "received": _read_received,
    "started": lambda it: Started(it.id),
    "listed": _read_listed,
    "delivery_finished": lambda it: DeliveryFinished(
        it.id, it.delivery_finished.messages
    ),
    "deleted": _read_deleted,
    "password_changed": lambda it: PasswordChanged(
        it.id, ResumeToken(it.password_changed.token)
    ),
    "refused": _read_refused,
    "ping": lambda _: Ping(),
    "closing": _read_closing,
}
