"""How mail reaches one session: a state table and a window (M3, M4, W8).

*Live*: what was just committed goes straight out while the window has room. *Behind*:
mail is read from the store by position until the session has caught up. *Held*:
nothing goes out, since the session has no link or waits for ``deliver``.

Nothing here waits or asks: the chat feeds in what was committed, read and acknowledged.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Final, NamedTuple, TypeAlias

from chatcore.errors import AcknowledgedTooMuch
from chatcore.events import Bounced, Delivered
from chatcore.ids import AccountId, Position
from chatcore.limits import Limits
from chatcore.model import Bounce, Mail, Mailbox, Message
from chatcore.tuples import new_tuple


class DeliveryState(Enum):
    """Where a session's mail comes from."""

    HELD = auto()
    BEHIND = auto()
    LIVE = auto()


class DeliveryTrigger(Enum):
    """What changes the flow."""

    ASKED = auto()
    """A link was attached in push mode, or ``deliver`` asks."""
    OVERFLOWED = auto()
    """Mail was committed that cannot go straight out."""
    CAUGHT_UP = auto()
    """Everything that is known to be committed has been delivered."""
    SERVED = auto()
    """Everything that a manual ``deliver`` asked for has been delivered."""
    STOPPED = auto()
    """The link is lost, or its session has ended."""


DELIVERY_STATES: Final[
    Mapping[tuple[DeliveryState, DeliveryTrigger], DeliveryState]
] = {
    (DeliveryState.HELD, DeliveryTrigger.ASKED): DeliveryState.BEHIND,
    (DeliveryState.HELD, DeliveryTrigger.OVERFLOWED): DeliveryState.HELD,
    (DeliveryState.HELD, DeliveryTrigger.STOPPED): DeliveryState.HELD,
    (DeliveryState.BEHIND, DeliveryTrigger.ASKED): DeliveryState.BEHIND,
    (DeliveryState.BEHIND, DeliveryTrigger.OVERFLOWED): DeliveryState.BEHIND,
    (DeliveryState.BEHIND, DeliveryTrigger.CAUGHT_UP): DeliveryState.LIVE,
    (DeliveryState.BEHIND, DeliveryTrigger.SERVED): DeliveryState.HELD,
    (DeliveryState.BEHIND, DeliveryTrigger.STOPPED): DeliveryState.HELD,
    (DeliveryState.LIVE, DeliveryTrigger.ASKED): DeliveryState.LIVE,
    (DeliveryState.LIVE, DeliveryTrigger.OVERFLOWED): DeliveryState.BEHIND,
    (DeliveryState.LIVE, DeliveryTrigger.STOPPED): DeliveryState.HELD,
}


_InFlight: TypeAlias = tuple[Position, int, AccountId | None]
"""One delivery that is not acknowledged: its position, the bytes of its body, and whom
to tell; a bounce has no sender."""


_LIVE: Final = DeliveryState.LIVE
_BEHIND: Final = DeliveryState.BEHIND


class DeliveryGoal(NamedTuple):
    """Mail that is awaited: everything up to ``position`` acknowledged.

    ``command`` is the ``deliver`` to tell of it, None where somebody else watches.
    """

    position: Position
    command: int | None
    messages: int


class Delivery:
    """The delivery of one mailbox to one session.

    Attributes:
        acknowledged: all up to here is acknowledged.
        delivered: the last position that was delivered, which the next one follows.
        covered: nothing undelivered is in the mailbox up to here.
        head: the highest position known to be committed.
        pushes: mail comes by itself, not only when asked (S2).
        messages_acknowledged: how many messages were, since this was made.
    """

    __slots__ = (
        "_bytes",
        "_in_flight",
        "_limits",
        "_most_delivered",
        "acknowledged",
        "covered",
        "delivered",
        "flow",
        "goals",
        "head",
        "messages_acknowledged",
        "pushes",
    )

    def __init__(self, mailbox: Mailbox, limits: Limits, *, pushes: bool) -> None:
        self._limits = limits
        self._in_flight: list[_InFlight] = []  # an empty deque takes 0.7 KiB
        self._bytes = 0
        self._most_delivered = mailbox.acknowledged
        self.flow = DeliveryState.HELD
        self.goals: list[DeliveryGoal] = []
        self.pushes = pushes
        self.acknowledged = mailbox.acknowledged
        self.delivered = mailbox.acknowledged
        self.covered = mailbox.acknowledged
        self.head = mailbox.head
        self.messages_acknowledged = 0

    def change(self, cause: DeliveryTrigger) -> None:
        """Follow the table; a pair that is not in it is a fault of ours."""
        self.flow = DELIVERY_STATES[self.flow, cause]

    @property
    def unacknowledged(self) -> int:
        """How many messages are on their way (W8)."""
        return len(self._in_flight)

    @property
    def has_room(self) -> bool:
        """Whether one more may go out unacknowledged (W8)."""
        limits = self._limits
        return (
            len(self._in_flight) < limits.window_messages
            and self._bytes < limits.window_bytes
        )

    @property
    def wants_mail(self) -> bool:
        """Whether mail should be read from the store now.

        Not for every message that is acknowledged: a quarter of the window is free.
        """
        limits = self._limits
        return (
            self.flow is _BEHIND
            and len(self._in_flight) <= limits.window_messages * 3 // 4
            and self._bytes <= limits.window_bytes * 3 // 4
            and self.has_room
        )

    @property
    def room(self) -> tuple[int, int]:
        """How many messages, and bytes of their bodies, may be read now."""
        limits = self._limits
        return (
            limits.window_messages - len(self._in_flight),
            limits.window_bytes - self._bytes,
        )

    def offer(self, message: Message) -> Delivered | None:
        """Take note of a message just committed; the delivery, if it may go now."""
        position = message.position
        if position <= self.head:
            return None
        in_order = position == self.head + 1
        self.head = position
        if self.flow is _LIVE:
            if in_order and self.has_room:
                return self._deliver(message)
            self.change(DeliveryTrigger.OVERFLOWED)
        return None

    def nudge(self, head: Position) -> None:
        """Take note that the mailbox reaches to ``head`` now."""
        if head > self.head:
            self.head = head
            self.change(DeliveryTrigger.OVERFLOWED)

    def take(
        self, mail: Sequence[Mail], *, head: Position
    ) -> Sequence[Delivered | Bounced]:
        """Deliver what was read above ``covered``, in order.

        ``head`` is what was known to be committed when the store was asked: when it
        had nothing, nothing undelivered is left up to there.
        """
        if self.flow is not DeliveryState.BEHIND:
            return ()
        last = max((goal.position for goal in self.goals), default=self.covered)
        events: list[Delivered | Bounced] = []
        for piece in mail:
            if piece.position > last and not self.pushes:
                self.covered = max(self.covered, last)
                break
            if isinstance(piece, Bounce):
                events.append(self._bounce(piece))
            else:
                events.append(self._deliver(piece))
        self.head = max(self.head, self.delivered)
        if not mail:
            self.covered = max(self.covered, head)
        if not self.pushes:
            if self.covered >= last:
                self.change(DeliveryTrigger.SERVED)
        elif self.covered >= self.head:
            self.change(DeliveryTrigger.CAUGHT_UP)
        return events

    def acknowledge(self, position: Position) -> dict[AccountId, list[Position]]:
        """Move the window; which messages that frees, by sender (M4, M8).

        An older position does nothing.

        Raises:
            AcknowledgedTooMuch: ``position`` was not delivered.
        """
        if position > self.delivered:
            # Before a resume it may have gone further than it has since.
            if position > self._most_delivered:
                raise AcknowledgedTooMuch(position=position, delivered=self.delivered)
            self.delivered = position
            self.covered = max(self.covered, position)
        freed: dict[AccountId, list[Position]] = {}
        if position <= self.acknowledged:
            return freed
        self.acknowledged = position
        gone = 0
        for delivered, body_bytes, sender_id in self._in_flight:
            if delivered > position:
                break
            gone += 1
            self._bytes -= body_bytes
            if sender_id is not None:
                self.messages_acknowledged += 1
                freed.setdefault(sender_id, []).append(delivered)
        del self._in_flight[:gone]
        return freed

    def reached(self) -> Sequence[DeliveryGoal]:
        """The goals that are met by now, each told once."""
        if not self.goals:
            return ()
        met = [goal for goal in self.goals if self.has_settled(goal.position)]
        self.goals = [goal for goal in self.goals if goal not in met]
        return met

    def has_settled(self, position: Position) -> bool:
        """Whether everything up to ``position`` is delivered and acknowledged."""
        in_flight = self._in_flight
        return self.covered >= position and not (
            in_flight and in_flight[0][0] <= position
        )

    def rewind(self, mailbox: Mailbox, last_seen: Position) -> None:
        """Begin again after ``last_seen`` on a new link (S3).

        What the client has seen and not acknowledged stays in the window.
        """
        start = max(last_seen, mailbox.acknowledged)
        in_flight = self._in_flight
        while in_flight and in_flight[-1][0] > start:
            self._bytes -= in_flight.pop()[1]
        self.acknowledged = max(self.acknowledged, mailbox.acknowledged)
        if start > self.acknowledged and not (in_flight and in_flight[-1][0] == start):
            # Seen before a restart of the server: it is awaited like any delivery,
            # though nobody knows by now whose it was.
            in_flight.append((start, 0, None))
        self._most_delivered = max(self._most_delivered, self.delivered)
        self.delivered = self.covered = start
        self.head = max(mailbox.head, start)
        self.goals = []
        self.change(DeliveryTrigger.STOPPED)

    def _deliver(self, message: Message) -> Delivered:
        position, sender, sender_id, deleted, body, body_bytes, sent_at_ms = message
        follows = self.delivered
        self._in_flight.append((position, body_bytes, sender_id))
        self._bytes += body_bytes
        self.delivered = self.covered = position
        return new_tuple(
            Delivered, (position, follows, sender, sender_id, deleted, body, sent_at_ms)
        )

    def _bounce(self, bounce: Bounce) -> Bounced:
        follows = self.delivered
        self._in_flight.append((bounce.position, 0, None))
        self.delivered = self.covered = bounce.position
        return Bounced(
            bounce.position,
            follows,
            bounce.recipient,
            bounce.recipient_id,
            bounce.positions,
            bounce.sent_at_ms,
        )
