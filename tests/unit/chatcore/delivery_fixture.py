"""Deliveries and what is delivered, made in a line each."""

from chatcore.delivery import Delivery, DeliveryState, DeliveryTrigger
from chatcore.ids import AccountId, Position, Username
from chatcore.limits import Limits
from chatcore.model import Bounce, Mailbox, Message

ADA = AccountId(1)
EVE = AccountId(2)


def message(position: int, *, body: str = "x", sender: AccountId = ADA) -> Message:
    return Message(
        position=Position(position),
        sender=Username("ada"),
        sender_id=sender,
        sender_deleted=False,
        body=body,
        body_bytes=len(body),
        sent_at_ms=0,
    )


def bounce(position: int) -> Bounce:
    names = tuple(Position(it) for it in range(1, 4))
    return Bounce(Position(position), Username("eve"), EVE, names, 0)


def mailbox(*, acknowledged: int = 0, head: int = 0) -> Mailbox:
    return Mailbox(
        acknowledged=Position(acknowledged),
        head=Position(head),
        queued=head - acknowledged,
    )


def delivery(
    *,
    acknowledged: int = 0,
    head: int = 0,
    pushes: bool = True,
    limits: Limits | None = None,
) -> Delivery:
    return Delivery(
        mailbox(acknowledged=acknowledged, head=head),
        limits or Limits(),
        pushes=pushes,
    )


def live(limits: Limits | None = None) -> Delivery:
    """A delivery that has caught up with an empty mailbox."""
    it = delivery(limits=limits)
    it.change(DeliveryTrigger.ASKED)
    it.take([], head=it.head)
    assert it.flow is DeliveryState.LIVE
    return it
