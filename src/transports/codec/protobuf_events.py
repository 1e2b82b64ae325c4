"""Events to their protobuf messages: the server's half.

A member of the oneof has the name of its event in snake_case.
"""

from typing import assert_never

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
from transports.codec._generated import chat_pb2 as pb


def write_event(  # noqa: C901, PLR0912, PLR0915  # a case for each event
    event: Event, into: pb.Event
) -> None:
    """Fill ``into``, which is empty.

    Raises:
        ValueError: the event holds what the schema does not.
    """
    match event:
        # The first three are most of what a server writes. Taking the tuples apart is
        # quicker than patterns, and setting fields than making a message to copy.
        case Delivered():
            position, follows, sender, sender_id, deleted, body, at_ms = event
            delivered = into.delivered
            delivered.position = position
            delivered.follows = follows
            delivered.sender = sender
            delivered.sender_id = sender_id
            delivered.body = body
            delivered.sent_at_ms = at_ms
            delivered.sender_deleted = deleted
        case Accepted():
            number, recipient_id, position, at_ms, durable = event
            into.id = number
            accepted = into.accepted
            accepted.recipient_id = recipient_id
            accepted.position = position
            accepted.sent_at_ms = at_ms
            accepted.durable = durable
        case Received(recipient, recipient_id, positions):
            received = into.received
            received.recipient = recipient
            received.recipient_id = recipient_id
            received.positions.extend(positions)
        case Bounced(position, follows, recipient, recipient_id, positions, at_ms):
            into.bounced.MergeFrom(
                pb.Bounced(
                    position=position,
                    follows=follows,
                    recipient=recipient,
                    recipient_id=recipient_id,
                    positions=positions,
                    sent_at_ms=at_ms,
                )
            )
        case Refused(number, refusal):
            into.id = number
            refused = into.refused
            refused.code = refusal.code
            refused.name = refusal.name
            refused.text = refusal.text
            refused.fields.update(refusal.fields)
        case Listed(number, names, online, complete):
            into.id = number
            listed = into.listed
            listed.complete = complete
            for name, is_online in zip(names, online, strict=True):
                listed.entries.add(username=name, online=is_online)
        case Started(number):
            into.id = number
            into.started.SetInParent()
        case DeliveryFinished(number, messages):
            into.id = number
            into.delivery_finished.messages = messages
        case Deleted(number, receipt):
            into.id = number
            into.deleted.MergeFrom(
                pb.Deleted(
                    dry_run=receipt.dry_run,
                    delivered=receipt.delivered,
                    discarded=receipt.discarded,
                    bounces=receipt.bounces,
                    kept=receipt.kept,
                    retracted=receipt.retracted,
                )
            )
        case Welcome():
            into.welcome.MergeFrom(
                pb.Welcome(
                    server_time_ms=event.server_time_ms,
                    frame_bytes=event.frame_bytes,
                    body_bytes=event.body_bytes,
                    pending_commands=event.pending_commands,
                    window_messages=event.window_messages,
                    login_frame_bytes=event.login_frame_bytes,
                )
            )
        case Created(number, account, username):
            into.id = number
            into.created.MergeFrom(pb.Created(account=account, username=username))
        case LoggedIn():
            into.id = event.id
            into.logged_in.MergeFrom(
                pb.LoggedIn(
                    account=event.account,
                    username=event.username,
                    token=event.token,
                    queued=event.queued,
                    acknowledged=event.acknowledged,
                    grace_ms=event.grace_ms,
                )
            )
        case Resumed():
            into.id = event.id
            into.resumed.MergeFrom(
                pb.Resumed(
                    account=event.account,
                    username=event.username,
                    queued=event.queued,
                    last_seen=event.last_seen,
                )
            )
        case LoggedOut(number):
            into.id = number
            into.logged_out.SetInParent()
        case PasswordChanged(number, token):
            into.id = number
            into.password_changed.SetInParent()
            into.password_changed.token = token
        case Ping():
            into.ping.SetInParent()
        case Closing(code, text):
            into.closing.MergeFrom(pb.Closing(code=code, text=text))
        case _:
            assert_never(event)
