"""The laws of delivery, over many random histories (M3, M4, M7, S3, W8).

A history is a mailbox that others fill and retract from, and a client that loses its
link, comes back and acknowledges, all in any order. The client checks what it gets; in
the end it has everything.
"""

import unittest
from collections.abc import Sequence
from typing import NamedTuple

from chatcore.delivery import Delivery, DeliveryGoal, DeliveryState, DeliveryTrigger
from chatcore.events import Bounced, Delivered
from chatcore.ids import BEFORE_FIRST, AccountId, Position, Username
from chatcore.limits import Limits
from chatcore.model import Bounce, Mail, Mailbox, Message
from tests.unit.chatcore.environment import seeded
from tests.unit.chatcore.marks import rule

LIMITS = Limits(window_messages=4, window_bytes=12)
SENDER = Username("ada")


class Read(NamedTuple):
    """A read on its way: what was asked and what it found."""

    link: int
    after: Position
    head: Position
    mail: Sequence[Mail]


class History:
    """One mailbox, its delivery, and a client that believes nothing."""

    def __init__(self, seed: int, *, pushes: bool) -> None:
        self.random = seeded(seed)
        self.mail: list[Mail] = []
        self.head = BEFORE_FIRST
        self.acknowledged = BEFORE_FIRST
        self.removed: set[Position] = set()
        self.uncommitted: list[Message] = []
        self.link = 1
        self.reading: Read | None = None
        self.seen: list[Position] = []
        self.last_seen = BEFORE_FIRST
        self.forgotten: list[Position] = []
        self.seen_before_restart = BEFORE_FIRST
        self.delivery = Delivery(self.mailbox(), LIMITS, pushes=pushes)
        self.start()

    def mailbox(self) -> Mailbox:
        return Mailbox(
            acknowledged=self.acknowledged, head=self.head, queued=len(self.mail)
        )

    # ---- what others do

    def commit(self) -> None:
        """Store a message; the delivery hears of it now or a little later."""
        self.head = Position(self.head + 1)
        body = "x" * self.random.randrange(1, 9)
        it = Message(
            position=self.head,
            sender=SENDER,
            sender_id=AccountId(1),
            sender_deleted=False,
            body=body,
            body_bytes=len(body),
            sent_at_ms=0,
        )
        self.mail.append(it)
        self.uncommitted.append(it)

    def offer(self) -> None:
        """Tell the delivery of what was stored, in the order of the commits."""
        if self.uncommitted:
            event = self.delivery.offer(self.uncommitted.pop(0))
            self.receive([event] if event is not None else [])

    def bounce(self) -> None:
        """Put a bounce into the mailbox, and wake the delivery at once."""
        self.head = Position(self.head + 1)
        self.mail.append(Bounce(self.head, SENDER, AccountId(1), (self.head,), 0))
        self.delivery.nudge(self.head)

    def retract(self) -> None:
        """Take some message out of the mailbox, as the deletion of its sender does."""
        if self.mail:
            gone = self.mail.pop(self.random.randrange(len(self.mail)))
            self.removed.add(gone.position)

    # ---- what the server does

    def start(self) -> None:
        if self.delivery.pushes:
            self.delivery.change(DeliveryTrigger.ASKED)

    def read(self) -> None:
        """Begin a read, or finish the one that is on its way."""
        delivery = self.delivery
        if self.reading is None and delivery.wants_mail:
            messages, body_bytes = delivery.room
            mail: list[Mail] = []
            for it in self.mail:
                if it.position > delivery.covered and len(mail) < messages:
                    mail.append(it)
                    body_bytes -= it.body_bytes if isinstance(it, Message) else 8
                    if body_bytes <= 0:
                        break
            self.reading = Read(self.link, delivery.covered, delivery.head, mail)
        elif self.reading is not None:
            read, self.reading = self.reading, None
            if read.link == self.link and read.after == delivery.covered:
                self.receive(delivery.take(read.mail, head=read.head))

    # ---- what the client does

    def receive(self, events: Sequence[Delivered | Bounced]) -> None:
        for event in events:
            assert event.follows == self.last_seen, "a link is missing in the chain"
            assert event.position > self.last_seen, "delivered twice, or out of order"
            self.last_seen = event.position
            self.seen.append(event.position)
        bound = max(self.delivery.acknowledged, self.seen_before_restart)
        window = [it for it in self.seen if it > bound]
        assert len(window) <= LIMITS.window_messages, "more than the window holds"

    def acknowledge(self, position: Position | None = None) -> None:
        if position is None:
            position = Position(
                self.random.randint(self.delivery.acknowledged, self.last_seen)
            )
        self.delivery.acknowledge(position)
        self.acknowledged = max(self.acknowledged, position)
        self.mail = [it for it in self.mail if it.position > self.acknowledged]
        self.delivery.reached()

    def remember(self) -> None:
        """Acknowledge what came on an earlier link, and did not come on this one."""
        news = sorted({it for it in self.forgotten if it > self.last_seen})
        if news:
            last = self.random.choice(news)
            self.seen += [it for it in news if it <= last]
            self.last_seen = last
            self.acknowledge(last)

    def come_back(self) -> None:
        """Lose the link, with what was on its way, and resume on another one."""
        self.delivery.change(DeliveryTrigger.STOPPED)
        lost = self.random.randrange(3)
        kept = [it for it in self.seen if it <= self.acknowledged]
        before = self.seen
        self.seen = kept + self.seen[len(kept) :][: -lost or None]
        self.last_seen = max([*self.seen[-1:], self.acknowledged])
        self.forgotten += before[len(self.seen) :]
        self.link += 1
        if self.random.random() < 0.2:
            # The server was restarted: it knows only what was stored.
            self.delivery = Delivery(
                Mailbox(acknowledged=BEFORE_FIRST, head=BEFORE_FIRST, queued=0),
                LIMITS,
                pushes=self.delivery.pushes,
            )
            self.uncommitted.clear()
            self.forgotten.clear()
            self.seen_before_restart = self.last_seen
        self.delivery.rewind(self.mailbox(), self.last_seen)
        self.start()

    def ask(self) -> None:
        """Ask for what is queued now."""
        self.delivery.goals.append(DeliveryGoal(self.head, None, len(self.mail)))
        self.delivery.nudge(self.head)
        self.delivery.change(DeliveryTrigger.ASKED)

    def finish(self) -> None:
        """Let everything that is under way arrive, and acknowledge it."""
        while self.uncommitted:
            self.offer()
        self.ask()
        while self.reading is not None or self.delivery.wants_mail or self.mail:
            before = self.progress()
            self.read()
            if self.reading is None:
                self.acknowledge(self.last_seen)
            assert self.progress() != before, "nothing moves any more"

    def progress(self) -> tuple[object, ...]:
        delivery = self.delivery
        return self.reading, self.acknowledged, delivery.covered, delivery.flow


class DeliveryLawTest(unittest.TestCase):
    def live_through(self, seed: int, *, pushes: bool) -> History:
        history = History(seed, pushes=pushes)
        steps = [
            history.commit,
            history.commit,
            history.commit,
            history.offer,
            history.offer,
            history.offer,
            history.read,
            history.read,
            history.read,
            history.acknowledge,
            history.acknowledge,
            history.bounce,
            history.retract,
            history.come_back,
            history.remember,
            history.ask,
        ]
        for _ in range(history.random.randrange(10, 120)):
            history.random.choice(steps)()
        history.finish()
        return history

    def check_all_arrived(self, history: History) -> None:
        everything = set(range(1, history.head + 1))
        missing = everything - set(history.seen) - history.removed
        self.assertEqual(missing, set())
        self.assertEqual(history.seen, sorted(set(history.seen)))

    @rule("M3", "M4", "S3", "W8")
    def test_a_pushed_delivery_never_skips_and_never_repeats(self) -> None:
        for seed in range(600):
            with self.subTest(seed=seed):
                history = self.live_through(seed, pushes=True)

                self.check_all_arrived(history)
                self.assertIs(history.delivery.flow, DeliveryState.LIVE)

    @rule("M3", "M4", "M7", "S3", "W8")
    def test_a_manual_delivery_never_skips_and_never_repeats(self) -> None:
        for seed in range(600):
            with self.subTest(seed=seed):
                history = self.live_through(seed, pushes=False)

                self.check_all_arrived(history)
                self.assertIs(history.delivery.flow, DeliveryState.HELD)

    @rule("M4")
    def test_a_settled_delivery_has_an_empty_window(self) -> None:
        for seed in range(200):
            with self.subTest(seed=seed):
                history = self.live_through(seed, pushes=True)

                self.assertTrue(history.delivery.has_settled(history.head))
                self.assertEqual(
                    history.delivery.room, (LIMITS.window_messages, LIMITS.window_bytes)
                )
