"""Wrong passwords: slower and slower, without locking anybody out (B4)."""

import unittest

from chatcore.errors import TooManyAttempts
from chatcore.ids import Username
from chatcore.limits import Limits
from chatcore.throttle import MOST_KEPT, Throttle
from tests.unit.chatcore.environment import ManualClock, seeded
from tests.unit.chatcore.manual_scheduler import ManualScheduler
from tests.unit.chatcore.marks import rule

ADA, BOB = Username("ada"), Username("bob")
HOME, AWAY = "192.0.2.1", "198.51.100.1"
LIMITS = Limits(
    wrong_passwords=3,
    account_wrong_passwords=8,
    throttle_first_s=1,
    throttle_longest_s=60,
    account_throttle_longest_s=5,
)


class ThrottleTest(unittest.TestCase):
    def setUp(self) -> None:
        self.clock = ManualClock(ManualScheduler())
        self.throttle = Throttle(LIMITS, self.clock)

    def pair_wait_ms(self, name: Username = ADA, network: str = HOME) -> int:
        """How long a network has to wait with a name; 0 for not at all."""
        try:
            self.throttle.refuse_pair(name, network)
        except TooManyAttempts as refusal:
            return refusal.retry_after_ms
        return 0

    def stranger_wait_ms(self, name: Username = ADA) -> int:
        """How long those wait with a name who are not known to it."""
        is_busy = self.throttle.is_busy(name)
        try:
            self.throttle.refuse_stranger(name)
        except TooManyAttempts as refusal:
            self.assertTrue(is_busy)
            return refusal.retry_after_ms
        self.assertFalse(is_busy)
        return 0

    def attempt(
        self, name: Username = ADA, network: str = HOME, *, is_right: bool | None
    ) -> None:
        """One password that is looked at, in no time."""
        self.throttle.begin(name, network)
        self.throttle.end(name, network, is_right=is_right)

    @rule("B4")
    def test_some_wrong_passwords_are_free_and_then_each_doubles_the_delay(
        self,
    ) -> None:
        delays_ms = []
        for _ in range(11):
            self.attempt(is_right=False)
            delays_ms.append(self.pair_wait_ms())
            self.clock.advance(delays_ms[-1] / 1000)

        seconds = [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
        self.assertEqual(delays_ms, [it * 1000 for it in seconds])

    @rule("B4")
    def test_the_delay_runs_out_and_what_is_left_of_it_is_told(self) -> None:
        for _ in range(5):
            self.attempt(is_right=False)

        waits_ms = [self.pair_wait_ms()]
        for seconds in (1.5, 2.4995, 0.0005):
            self.clock.advance(seconds)
            waits_ms.append(self.pair_wait_ms())

        self.assertEqual(waits_ms, [4000, 2500, 1, 0])

    @rule("B4")
    def test_a_right_password_lets_its_pair_begin_anew_and_no_other(self) -> None:
        for network in (HOME, AWAY):
            for _ in range(3):
                self.attempt(network=network, is_right=False)
        self.clock.advance(1)

        self.attempt(network=HOME, is_right=True)
        self.attempt(network=HOME, is_right=False)
        self.attempt(network=AWAY, is_right=False)

        self.assertEqual(self.pair_wait_ms(network=HOME), 0)
        self.assertEqual(self.pair_wait_ms(network=AWAY), 2000)

    @rule("B4")
    def test_a_right_password_does_not_end_what_others_brought_upon_the_name(
        self,
    ) -> None:
        for number in range(8):
            self.attempt(network=f"192.0.2.{number}", is_right=False)

        self.attempt(network=AWAY, is_right=True)

        self.assertEqual(self.stranger_wait_ms(), 1000)

    @rule("B4")
    def test_the_delay_for_strangers_to_a_name_stays_short(self) -> None:
        waits_ms = []
        for number in range(12):
            self.attempt(network=f"192.0.2.{number}", is_right=False)
            waits_ms.append(self.stranger_wait_ms())
            self.clock.advance(waits_ms[-1] / 1000)

        self.assertEqual(waits_ms, [0] * 7 + [1000, 2000, 4000, 5000, 5000])
        self.assertEqual(self.pair_wait_ms(network=AWAY), 0)
        self.assertEqual(self.stranger_wait_ms(BOB), 0)

    @rule("B4", "B3")
    def test_what_has_no_address_has_no_delay_of_its_own_but_counts_for_the_name(
        self,
    ) -> None:
        for _ in range(8):
            self.attempt(network="", is_right=False)

        self.assertEqual(self.pair_wait_ms(network=""), 0)
        self.assertEqual(self.stranger_wait_ms(), 1000)

    @rule("B4")
    def test_passwords_under_way_count_as_wrong_until_they_turn_out_right(self) -> None:
        looked_at = 0
        for _ in range(100):
            if not self.pair_wait_ms():
                self.throttle.begin(ADA, HOME)
                looked_at += 1

        self.assertEqual(looked_at, 3)
        self.assertEqual(self.pair_wait_ms(), 1000)
        self.assertEqual(self.pair_wait_ms(network=AWAY), 0)
        for _ in range(looked_at):
            self.throttle.end(ADA, HOME, is_right=True)
        self.assertEqual(self.pair_wait_ms(), 0)

    @rule("B4")
    def test_after_the_free_ones_one_password_at_a_time_is_looked_at(self) -> None:
        for _ in range(3):
            self.attempt(is_right=False)
        self.clock.advance(1)
        self.assertEqual(self.pair_wait_ms(), 0)

        self.throttle.begin(ADA, HOME)
        while_it_is_looked_at_ms = self.pair_wait_ms()
        self.throttle.end(ADA, HOME, is_right=False)

        self.assertEqual(while_it_is_looked_at_ms, 1000)
        self.assertEqual(self.pair_wait_ms(), 2000)

    @rule("B4")
    def test_what_could_not_be_looked_at_is_not_wrong(self) -> None:
        for _ in range(100):
            self.attempt(is_right=None)

        self.assertEqual((self.pair_wait_ms(), self.stranger_wait_ms()), (0, 0))
        for _ in range(2):
            self.attempt(is_right=False)
        self.assertEqual(self.pair_wait_ms(), 0)

    @rule("B4")
    def test_wrong_passwords_are_forgotten_after_an_hour_without_any(self) -> None:
        for _ in range(3):
            self.attempt(is_right=False)
        self.clock.advance(3601)

        waits_ms = []
        for _ in range(3):
            self.attempt(is_right=False)
            waits_ms.append(self.pair_wait_ms())

        self.assertEqual(waits_ms, [0, 0, 1000])

    @rule("B4")
    def test_an_hour_in_which_they_go_on_forgets_nothing(self) -> None:
        for _ in range(4):
            self.attempt(is_right=False)
            self.clock.advance(1800)

        self.attempt(is_right=False)

        self.assertEqual(self.pair_wait_ms(), 4000)

    @rule("B4")
    def test_the_tables_are_bounded_and_forget_those_tried_longest_ago(self) -> None:
        for _ in range(3):
            self.attempt(ADA, is_right=False)
        for number in range(MOST_KEPT - 1):
            self.attempt(Username(f"user{number}"), is_right=False)
        kept_ms = self.pair_wait_ms(ADA)

        self.attempt(BOB, is_right=False)

        self.assertEqual(kept_ms, 1000)
        self.assertEqual(self.pair_wait_ms(ADA), 0)

    @rule("B4")
    def test_right_passwords_take_no_room_in_the_tables(self) -> None:
        for _ in range(3):
            self.attempt(ADA, is_right=False)

        for number in range(MOST_KEPT + 1):
            self.attempt(Username(f"user{number}"), is_right=True)

        self.assertEqual(self.pair_wait_ms(ADA), 1000)

    @rule("B4")
    def test_who_is_forgotten_while_looked_at_shuts_nobody_out_for_good(self) -> None:
        self.throttle.begin(ADA, HOME)
        for number in range(MOST_KEPT):
            self.throttle.begin(Username(f"user{number}"), HOME)
        self.throttle.begin(ADA, HOME)
        for number in range(MOST_KEPT):
            self.throttle.end(Username(f"user{number}"), HOME, is_right=True)

        self.throttle.end(ADA, HOME, is_right=False)
        self.throttle.end(ADA, HOME, is_right=False)
        self.attempt(ADA, is_right=False)
        self.attempt(ADA, is_right=False)
        told_ms = self.pair_wait_ms()
        self.clock.advance(told_ms / 1000)

        self.assertEqual(told_ms, 2000)
        self.assertEqual(self.pair_wait_ms(), 0)

    @rule("B4")
    def test_one_that_was_forgotten_for_want_of_room_ends_without_a_trace(self) -> None:
        self.throttle.begin(ADA, HOME)
        for number in range(MOST_KEPT):
            self.throttle.begin(Username(f"user{number}"), HOME)

        self.throttle.end(ADA, HOME, is_right=True)
        self.throttle.end(ADA, HOME, is_right=False)

        self.assertEqual((self.pair_wait_ms(), self.stranger_wait_ms()), (0, 0))

    @rule("B4")
    def test_who_waits_as_long_as_it_was_told_is_always_looked_at(self) -> None:
        random = seeded(4)
        for _ in range(3000):
            name = Username(random.choice("abc"))
            network = random.choice((HOME, AWAY, ""))
            wait_ms = max(self.pair_wait_ms(name, network), self.stranger_wait_ms(name))
            self.clock.advance(wait_ms / 1000)

            self.assertEqual(self.pair_wait_ms(name, network), 0)
            self.assertEqual(self.stranger_wait_ms(name), 0)
            self.attempt(
                name, network, is_right=random.choice((False, False, None, True))
            )
