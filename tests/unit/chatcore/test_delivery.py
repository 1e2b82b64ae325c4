"""The delivery of one mailbox to one session (M3, M4, M7, W8)."""

import unittest
from itertools import product

from chatcore.delivery import (
    DELIVERY_STATES,
    Delivery,
    DeliveryGoal,
    DeliveryState,
    DeliveryTrigger,
)
from chatcore.errors import AcknowledgedTooMuch
from chatcore.events import Bounced
from chatcore.ids import AccountId, Position, Username
from chatcore.limits import Limits
from chatcore.model import Bounce, Mailbox, Message
from tests.unit.chatcore.marks import rule

IMPOSSIBLE = {
    (
        DeliveryState.HELD,
        DeliveryTrigger.CAUGHT_UP,
    ): "nothing is read while nothing goes out",
    (
        DeliveryState.HELD,
        DeliveryTrigger.SERVED,
    ): "nothing is read while nothing goes out",
    (
        DeliveryState.LIVE,
        DeliveryTrigger.CAUGHT_UP,
    ): "nothing is read while all is delivered",
    (
        DeliveryState.LIVE,
        DeliveryTrigger.SERVED,
    ): "a manual delivery goes from behind to held",
}

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


class FlowTableTest(unittest.TestCase):
    def test_each_pair_of_flow_and_cause_has_an_entry_or_is_impossible(self) -> None:
        pairs = set(product(DeliveryState, DeliveryTrigger))

        self.assertEqual(set(DELIVERY_STATES) | set(IMPOSSIBLE), pairs)
        self.assertEqual(set(DELIVERY_STATES) & set(IMPOSSIBLE), set())

    def test_each_flow_can_be_reached(self) -> None:
        reached = {DeliveryState.HELD}
        for _ in DeliveryState:
            reached |= {
                to for (flow, _), to in DELIVERY_STATES.items() if flow in reached
            }

        self.assertEqual(reached, set(DeliveryState))

    def test_a_delivery_follows_the_table_and_nothing_else(self) -> None:
        for flow, cause in product(DeliveryState, DeliveryTrigger):
            it = delivery()
            it.flow = flow

            if (flow, cause) in IMPOSSIBLE:
                with self.assertRaises(KeyError):
                    it.change(cause)
                self.assertIs(it.flow, flow)
            else:
                it.change(cause)
                self.assertIs(it.flow, DELIVERY_STATES[flow, cause])


class LiveTest(unittest.TestCase):
    @rule("M3")
    def test_what_is_committed_in_order_goes_straight_out(self) -> None:
        it = live()

        first, second = it.offer(message(1)), it.offer(message(2, body="y"))

        assert first is not None
        assert second is not None
        self.assertEqual((first.position, first.follows), (1, 0))
        self.assertEqual((second.position, second.follows), (2, 1))
        self.assertEqual(second.body, "y")

    @rule("M3")
    def test_what_is_known_already_is_not_delivered_again(self) -> None:
        it = live()
        it.offer(message(1))

        self.assertIsNone(it.offer(message(1)))
        self.assertIs(it.flow, DeliveryState.LIVE)

    @rule("M3")
    def test_a_gap_is_filled_from_the_store_before_what_follows_it(self) -> None:
        it = live()

        offered = it.offer(message(2))
        taken = it.take([message(1), message(2)], head=Position(2))

        self.assertIsNone(offered)
        self.assertEqual([event.position for event in taken], [1, 2])
        self.assertIs(it.flow, DeliveryState.LIVE)

    @rule("W8")
    def test_a_full_window_of_messages_stops_the_delivery(self) -> None:
        it = live(Limits(window_messages=2))

        offered = [it.offer(message(n)) for n in (1, 2, 3)]

        self.assertIsNone(offered[2])
        self.assertIs(it.flow, DeliveryState.BEHIND)
        self.assertFalse(it.wants_mail)

    @rule("W8")
    def test_a_full_window_of_bytes_stops_the_delivery(self) -> None:
        it = live(Limits(window_bytes=10))

        it.offer(message(1, body="x" * 10))

        self.assertFalse(it.has_room)
        self.assertIsNone(it.offer(message(2)))

    @rule("W8", "M4")
    def test_an_acknowledgement_makes_room_for_what_waits(self) -> None:
        it = live(Limits(window_messages=2, window_bytes=10))
        for n in (1, 2, 3):
            it.offer(message(n, body="xx"))

        it.acknowledge(Position(1))

        self.assertTrue(it.wants_mail)
        self.assertEqual(it.room, (1, 8))


class TakeTest(unittest.TestCase):
    @rule("M3")
    def test_what_is_read_is_delivered_in_a_chain(self) -> None:
        it = delivery(acknowledged=3, head=7)
        it.change(DeliveryTrigger.ASKED)

        events = it.take([message(4), bounce(6), message(7)], head=Position(7))

        self.assertEqual(
            [(event.position, event.follows) for event in events],
            [(4, 3), (6, 4), (7, 6)],
        )
        self.assertIsInstance(events[1], Bounced)
        self.assertIs(it.flow, DeliveryState.LIVE)

    def test_a_delivery_is_behind_until_all_that_is_known_was_delivered(self) -> None:
        it = delivery(head=3)
        it.change(DeliveryTrigger.ASKED)

        it.take([message(1), message(2)], head=Position(3))

        self.assertIs(it.flow, DeliveryState.BEHIND)

    def test_a_mailbox_whose_tail_was_retracted_is_caught_up_with(self) -> None:
        it = delivery(head=3)
        it.change(DeliveryTrigger.ASKED)
        it.take([message(1)], head=Position(3))

        it.take([], head=Position(3))

        self.assertEqual(
            (it.flow, it.covered, it.delivered), (DeliveryState.LIVE, 3, 1)
        )

    def test_what_is_committed_during_a_read_keeps_the_delivery_behind(self) -> None:
        it = delivery(head=1)
        it.change(DeliveryTrigger.ASKED)
        it.offer(message(2))

        it.take([message(1)], head=Position(1))

        self.assertIs(it.flow, DeliveryState.BEHIND)

    def test_what_was_read_for_a_delivery_that_stopped_is_not_delivered(self) -> None:
        it = delivery(head=1)
        it.change(DeliveryTrigger.ASKED)
        it.change(DeliveryTrigger.STOPPED)

        self.assertEqual(it.take([message(1)], head=Position(1)), ())
        self.assertEqual(it.delivered, 0)


class ManualTest(unittest.TestCase):
    @rule("M7", "S2")
    def test_a_manual_delivery_ends_with_what_was_asked_for(self) -> None:
        it = delivery(head=2, pushes=False)
        it.goals.append(DeliveryGoal(Position(2), 7, 2))
        it.change(DeliveryTrigger.ASKED)
        it.offer(message(3))

        events = it.take([message(1), message(2), message(3)], head=Position(3))

        self.assertEqual([event.position for event in events], [1, 2])
        self.assertIs(it.flow, DeliveryState.HELD)

    @rule("M7", "M3")
    def test_what_was_left_is_delivered_when_it_is_asked_for(self) -> None:
        it = delivery(head=2, pushes=False)
        it.goals.append(DeliveryGoal(Position(2), 7, 2))
        it.change(DeliveryTrigger.ASKED)
        it.offer(message(3))
        it.take([message(1), message(2), message(3)], head=Position(3))

        covered = it.covered
        it.goals.append(DeliveryGoal(Position(3), 8, 1))
        it.change(DeliveryTrigger.ASKED)
        events = it.take([message(3)], head=Position(3))

        self.assertEqual(covered, 2)
        self.assertEqual([event.position for event in events], [3])

    @rule("M7", "D3")
    def test_what_was_asked_for_and_retracted_meanwhile_is_not_waited_for(
        self,
    ) -> None:
        it = delivery(head=2, pushes=False)
        it.goals.append(DeliveryGoal(Position(2), 7, 2))
        it.change(DeliveryTrigger.ASKED)

        it.take([message(1), message(3)], head=Position(3))

        self.assertEqual(
            (it.flow, it.delivered, it.covered), (DeliveryState.HELD, 1, 2)
        )

    @rule("M7")
    def test_a_goal_is_met_once_all_up_to_it_is_acknowledged(self) -> None:
        it = delivery(head=2, pushes=False)
        goal = DeliveryGoal(Position(2), 7, 2)
        it.goals.append(goal)
        it.change(DeliveryTrigger.ASKED)
        it.take([message(1), message(2)], head=Position(2))

        before = it.reached()
        it.acknowledge(Position(1))
        between = it.reached()
        it.acknowledge(Position(2))
        after, again = it.reached(), it.reached()

        self.assertEqual((list(before), list(between)), ([], []))
        self.assertEqual((list(after), list(again)), ([goal], []))


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


class NewTest(unittest.TestCase):
    def test_a_new_delivery_holds_everything_until_it_is_asked(self) -> None:
        it = delivery(head=2)

        offered = it.offer(message(3))

        self.assertIsNone(offered)
        self.assertEqual((it.flow, it.wants_mail), (DeliveryState.HELD, False))
