"""The delivery of one mailbox to one session (M3, M4, M7, W8)."""

import unittest
from itertools import product

from chatcore.delivery import (
    DELIVERY_STATES,
    DeliveryGoal,
    DeliveryState,
    DeliveryTrigger,
)
from chatcore.events import Bounced
from chatcore.ids import Position
from chatcore.limits import Limits
from tests.unit.chatcore.delivery_fixture import bounce, delivery, live, message
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


class NewTest(unittest.TestCase):
    def test_a_new_delivery_holds_everything_until_it_is_asked(self) -> None:
        it = delivery(head=2)

        offered = it.offer(message(3))

        self.assertIsNone(offered)
        self.assertEqual((it.flow, it.wants_mail), (DeliveryState.HELD, False))
