"""What acknowledgements and resumes make of a delivery (M4, S3)."""

import unittest

from chatcore.delivery import DeliveryState, DeliveryTrigger
from chatcore.errors import AcknowledgedTooMuch
from chatcore.ids import Position
from chatcore.limits import Limits
from tests.unit.chatcore.delivery_fixture import (
    ADA,
    EVE,
    bounce,
    delivery,
    live,
    mailbox,
    message,
)
from tests.unit.chatcore.marks import rule


class AcknowledgeTest(unittest.TestCase):
    @rule("M4")
    def test_an_acknowledgement_is_cumulative(self) -> None:
        it = live()
        for n in (1, 2, 3):
            it.offer(message(n, sender=EVE if n == 2 else ADA))

        freed = it.acknowledge(Position(3))

        self.assertEqual(freed, {ADA: [1, 3], EVE: [2]})
        self.assertEqual(it.messages_acknowledged, 3)

    @rule("M4")
    def test_an_older_acknowledgement_does_nothing(self) -> None:
        it = live()
        for n in (1, 2):
            it.offer(message(n))
        it.acknowledge(Position(2))

        for position in (2, 1, 0, -5):
            self.assertEqual(it.acknowledge(Position(position)), {})

        self.assertEqual(it.acknowledged, 2)

    @rule("M4", "E2")
    def test_an_acknowledgement_above_what_was_delivered_is_refused(self) -> None:
        it = live()
        it.offer(message(1))

        with self.assertRaises(AcknowledgedTooMuch) as caught:
            it.acknowledge(Position(2))

        self.assertEqual(caught.exception.fields, {"position": "2", "delivered": "1"})
        self.assertEqual(it.acknowledged, 0)

    @rule("D4")
    def test_a_bounce_counts_in_the_window_and_frees_nobody(self) -> None:
        it = delivery(head=1)
        it.change(DeliveryTrigger.ASKED)
        it.take([bounce(1)], head=Position(1))

        room = it.room
        freed = it.acknowledge(Position(1))

        self.assertEqual(room[0], Limits().window_messages - 1)
        self.assertEqual((freed, it.messages_acknowledged), ({}, 0))


class RewindTest(unittest.TestCase):
    @rule("S3")
    def test_what_the_client_has_seen_stays_in_the_window(self) -> None:
        it = live()
        for n in (1, 2, 3):
            it.offer(message(n))
        it.acknowledge(Position(1))

        it.rewind(mailbox(acknowledged=1, head=3), Position(2))

        self.assertEqual(it.room[0], Limits().window_messages - 1)
        self.assertEqual((it.acknowledged, it.delivered, it.covered), (1, 2, 2))
        self.assertEqual(it.acknowledge(Position(2)), {ADA: [2]})
        self.assertEqual(it.room, (Limits().window_messages, Limits().window_bytes))

    @rule("S3")
    def test_what_the_client_has_not_seen_is_delivered_again(self) -> None:
        it = live()
        for n in (1, 2, 3):
            it.offer(message(n))

        it.rewind(mailbox(head=3), Position(1))
        it.change(DeliveryTrigger.ASKED)
        events = it.take([message(2), message(3)], head=Position(3))

        self.assertEqual([(e.position, e.follows) for e in events], [(2, 1), (3, 2)])

    @rule("S3", "M4")
    def test_a_delivery_begins_after_what_is_acknowledged_at_the_earliest(self) -> None:
        it = delivery(acknowledged=5, head=9)

        it.rewind(mailbox(acknowledged=5, head=9), Position(0))

        self.assertEqual((it.delivered, it.head), (5, 9))

    @rule("M4", "S3")
    def test_what_was_delivered_before_a_resume_may_still_be_acknowledged(self) -> None:
        it = live()
        for n in (1, 2, 3):
            it.offer(message(n))
        it.rewind(mailbox(head=3), Position(1))
        it.change(DeliveryTrigger.ASKED)

        it.acknowledge(Position(2))
        events = it.take([message(3)], head=Position(3))

        self.assertEqual([(e.position, e.follows) for e in events], [(3, 2)])
        with self.assertRaises(AcknowledgedTooMuch):
            it.acknowledge(Position(4))

    @rule("M4", "M7", "D3")
    def test_such_an_acknowledgement_does_not_undo_that_all_was_covered(self) -> None:
        it = live()
        for n in (1, 2, 3):
            it.offer(message(n))
        it.rewind(mailbox(head=3), Position(1))
        it.change(DeliveryTrigger.ASKED)
        it.take([], head=Position(3))  # the others were retracted

        it.acknowledge(Position(2))

        self.assertEqual((it.flow, it.covered), (DeliveryState.LIVE, 3))
        self.assertTrue(it.has_settled(Position(3)))

    @rule("S6", "M4")
    def test_what_was_seen_before_a_restart_is_awaited_like_a_delivery(self) -> None:
        it = delivery()

        it.rewind(mailbox(acknowledged=2, head=6), Position(4))

        self.assertFalse(it.has_settled(Position(4)))
        self.assertEqual(it.acknowledge(Position(3)), {})
        self.assertFalse(it.has_settled(Position(4)))
        self.assertEqual(it.acknowledge(Position(4)), {})
        self.assertTrue(it.has_settled(Position(4)))

    @rule("S6", "M4")
    def test_what_was_acknowledged_before_a_restart_is_awaited_no_more(self) -> None:
        it = delivery()

        it.rewind(mailbox(acknowledged=5, head=5), Position(5))

        self.assertEqual(it.acknowledged, 5)
        self.assertTrue(it.has_settled(Position(5)))

    def test_a_nudge_to_a_place_that_is_known_changes_nothing(self) -> None:
        it = live()
        it.offer(message(1))

        it.nudge(Position(1))

        self.assertIs(it.flow, DeliveryState.LIVE)

    def test_a_nudge_further_has_the_mail_read(self) -> None:
        it = live()

        it.nudge(Position(1))

        self.assertTrue(it.wants_mail)
