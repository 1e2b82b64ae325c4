"""The time by which keys live, whatever the wall clock does (M2, B7)."""

import unittest

from chatcore.ids import NO_KEY, IdempotencyKey
from chatcore.key_clock import KeyClock
from chatcore.keys import key_from_ms, ms_of_key
from chatcore.limits import DAY_MS
from tests.unit.chatcore.environment import NOON_MS, ManualClock, seeded
from tests.unit.chatcore.manual_scheduler import ManualScheduler
from tests.unit.chatcore.marks import rule

WEEK_MS = 7 * DAY_MS
HOUR_MS = DAY_MS // 24
TEN_YEARS_MS = 3652 * DAY_MS
JUMPS_MS = [0] * 9 + [
    sign * jump_ms
    for sign in (1, -1)
    for jump_ms in (1, 1000, HOUR_MS // 2, HOUR_MS, DAY_MS, TEN_YEARS_MS)
]


class KeyTimeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.clock = ManualClock(ManualScheduler())

    def begin(self, horizon: IdempotencyKey = NO_KEY) -> KeyClock:
        return KeyClock(self.clock, lifetime_ms=WEEK_MS, horizon=horizon)

    @rule("B7")
    def test_in_a_new_store_it_begins_with_the_wall_clock_and_follows_it(self) -> None:
        time = self.begin()

        self.clock.advance(12.5)

        self.assertEqual(time.now_ms(), NOON_MS + 12_500)
        self.assertEqual(time.told_ms(), NOON_MS + 12_500)

    @rule("B7")
    def test_one_tick_ten_years_ahead_moves_it_by_at_most_twice_the_time_passed(
        self,
    ) -> None:
        time = self.begin()
        self.clock.advance(1)
        self.clock.wall_ahead_ms = TEN_YEARS_MS
        ahead_ms = time.now_ms()
        self.clock.wall_ahead_ms = 0
        self.clock.advance(1)

        back_ms = time.now_ms()
        self.clock.advance(10)

        self.assertEqual(ahead_ms, NOON_MS + 2000)
        self.assertEqual(back_ms, NOON_MS + 2500)
        self.assertEqual(time.now_ms(), NOON_MS + 12_000)

    @rule("B7")
    def test_a_wall_clock_that_is_a_little_behind_is_waited_for_at_half_speed(
        self,
    ) -> None:
        time = self.begin()
        self.clock.wall_ahead_ms = -HOUR_MS // 2
        self.clock.advance(600)

        slow_ms = time.now_ms()
        self.clock.advance(6000)

        self.assertEqual(slow_ms, NOON_MS + 300_000)
        self.assertEqual(time.now_ms(), self.clock.now_ms())

    @rule("B7")
    def test_a_wall_clock_that_is_far_behind_holds_nothing_up(self) -> None:
        for behind_ms in (2 * HOUR_MS, TEN_YEARS_MS, NOON_MS):
            self.clock.wall_ahead_ms = 0
            time = self.begin()
            begun_ms = time.now_ms()
            self.clock.wall_ahead_ms = -behind_ms

            self.clock.advance(86_400)

            self.assertEqual(time.now_ms(), begun_ms + DAY_MS)

    @rule("B7", "M2")
    def test_after_a_restart_it_begins_where_the_horizon_of_the_store_was_left(
        self,
    ) -> None:
        horizon = key_from_ms(NOON_MS - WEEK_MS)
        self.clock.wall_ahead_ms = TEN_YEARS_MS

        time = self.begin(horizon)

        self.assertEqual(time.now_ms(), NOON_MS)
        self.assertEqual(time.oldest(), horizon)

    @rule("B7")
    def test_after_a_long_time_without_a_server_it_catches_up_twice_as_fast(
        self,
    ) -> None:
        self.clock.wall_ahead_ms = 3 * DAY_MS
        time = self.begin(key_from_ms(NOON_MS - WEEK_MS))

        self.clock.advance(2 * 86_400)
        on_the_way_ms = time.now_ms()
        self.clock.advance(86_400)
        there_ms = time.now_ms()
        self.clock.advance(60)

        self.assertEqual(on_the_way_ms, NOON_MS + 4 * DAY_MS)
        self.assertEqual(there_ms, NOON_MS + 6 * DAY_MS)
        self.assertEqual(time.now_ms(), self.clock.now_ms())

    @rule("B7")
    def test_whatever_clocks_do_it_never_goes_back_and_at_most_twice_as_fast(
        self,
    ) -> None:
        for seed in range(40):
            random = seeded(seed)
            time = self.begin(
                random.choice(
                    (NO_KEY, key_from_ms(NOON_MS + random.randrange(-WEEK_MS, WEEK_MS)))
                )
            )
            before_ms, at_s, oldest = time.now_ms(), self.clock.monotonic_s(), b""
            for _ in range(200):
                self.clock.wall_ahead_ms += random.choice(JUMPS_MS)
                self.clock.advance(random.choice((0, 0.001, 0.5, 1, 60, 3600)))
                passed_ms = (self.clock.monotonic_s() - at_s) * 1000
                at_s = self.clock.monotonic_s()
                behind_ms = before_ms + passed_ms - self.clock.now_ms()
                is_behind = 0 < behind_ms < HOUR_MS + 1

                now_ms = time.now_ms()

                advanced_ms = now_ms - before_ms
                least_ms = passed_ms / 2 if is_behind else passed_ms
                self.assertGreaterEqual(advanced_ms, least_ms - 1)
                self.assertGreaterEqual(advanced_ms, 0)
                self.assertLessEqual(advanced_ms, 2 * passed_ms + 1)
                span = time.span()
                told = key_from_ms(time.told_ms())
                self.assertLessEqual(span.oldest, told)
                self.assertLessEqual(told, span.newest)
                self.assertLessEqual(oldest, span.oldest)
                self.assertLessEqual(abs(time.told_ms() - now_ms), DAY_MS)
                before_ms, oldest = now_ms, span.oldest

    @rule("B7", "M2")
    def test_keys_may_be_stored_from_a_lifetime_before_to_a_day_ahead(self) -> None:
        span = self.begin().span()

        self.assertEqual(ms_of_key(span.oldest), NOON_MS - WEEK_MS)
        self.assertEqual(ms_of_key(span.newest), NOON_MS + DAY_MS)

    @rule("B7", "M2")
    def test_keys_by_a_clock_that_is_right_are_among_them_while_ours_catches_up(
        self,
    ) -> None:
        self.clock.wall_ahead_ms = 400 * DAY_MS
        time = self.begin(key_from_ms(NOON_MS - WEEK_MS))

        span = time.span()

        self.assertLess(span.oldest, key_from_ms(self.clock.now_ms()))
        self.assertGreater(span.newest, key_from_ms(self.clock.now_ms()))

    @rule("B7", "M2")
    def test_what_is_told_while_the_wall_clock_is_wrong_is_good_when_it_is_right(
        self,
    ) -> None:
        """A client makes its keys by what it was told and the time since then."""
        for wrong_ms in (TEN_YEARS_MS, DAY_MS, DAY_MS // 2, HOUR_MS, -TEN_YEARS_MS):
            for wrong_s in (0.001, 1, 60, 3600, 86_400):
                self.clock.wall_ahead_ms = 0
                time = self.begin()
                self.clock.wall_ahead_ms = wrong_ms
                self.clock.advance(wrong_s)
                told_ms, told_s = time.told_ms(), self.clock.monotonic_s()
                self.clock.wall_ahead_ms = 0
                for pause_s in (0, 0.5, 1, 30, 3600, 86_400, 30 * 86_400):
                    self.clock.advance(pause_s)
                    since_ms = (self.clock.monotonic_s() - told_s) * 1000

                    key = key_from_ms(int(told_ms + since_ms))

                    span = time.span()
                    with self.subTest(wrong=wrong_ms, for_s=wrong_s, then=pause_s):
                        self.assertLessEqual(span.oldest, key)
                        self.assertLessEqual(key, span.newest)

    @rule("B7")
    def test_a_wall_clock_beyond_all_keys_breaks_nothing(self) -> None:
        time = self.begin()
        self.clock.wall_ahead_ms = 2**50
        self.clock.advance(1)

        span = time.span()

        self.assertEqual(ms_of_key(span.oldest), NOON_MS + 2000 - WEEK_MS)
        self.assertEqual(ms_of_key(span.newest), 2**48 - 1)
