"""Token buckets: how much of something in a short time (B5)."""

import unittest
from dataclasses import fields

from chatcore.errors import RateExceeded
from chatcore.ids import AccountId
from chatcore.limits import Limits
from chatcore.rate_limiter import (
    MOST_BUCKETS,
    Buckets,
    Caller,
    RateKind,
    RateLimiter,
    RateScope,
)
from tests.unit.chatcore.environment import ManualClock, seeded
from tests.unit.chatcore.manual_scheduler import ManualScheduler
from tests.unit.chatcore.marks import rule

ADA, BOB = AccountId(1), AccountId(2)
NO_RATES: dict[str, float] = {
    it.name: 0 for it in fields(Limits) if it.name.endswith("_per_s")
}
NAMED = [
    (scope, kind)
    for scope in RateScope
    for kind in RateKind
    if f"{scope.value}_{kind.value}_per_s" in NO_RATES
]


def only(*, burst_s: float = 10.0, **rates: float) -> Limits:
    """Limits with no rates but these."""
    return Limits(**{**NO_RATES, **rates}, rate_burst_s=burst_s)  # type: ignore[arg-type]  # by names that the test gives


class RatesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.clock = ManualClock(ManualScheduler())

    def rates(self, limits: Limits) -> RateLimiter:
        return RateLimiter(limits, self.clock)

    def wait_ms(
        self, rates: RateLimiter, source: Caller, kind: RateKind, amount: int = 1
    ) -> int:
        """Take so much; 0, or in how many milliseconds to try again."""
        try:
            rates.take(source, {kind: amount})
        except RateExceeded as exceeded:
            self.assertEqual(exceeded.fields["what"], kind.value)
            return exceeded.retry_after_ms
        return 0

    @rule("B5")
    def test_each_rate_that_has_a_setting_is_held(self) -> None:
        self.assertEqual(len(NAMED), len(NO_RATES))
        for scope, kind in NAMED:
            rates = self.rates(only(**{f"{scope.value}_{kind.value}_per_s": 0.5}))
            source = Caller(account=ADA, network="192.0.2.1")
            others = {
                RateScope.SESSION: Caller(account=ADA, network="192.0.2.1"),
                RateScope.ACCOUNT: Caller(account=BOB, network="192.0.2.1"),
                RateScope.ADDRESS: Caller(account=ADA, network="192.0.2.2"),
            }

            waits = [self.wait_ms(rates, source, kind) for _ in range(6)]

            with self.subTest(scope=scope, kind=kind):
                self.assertEqual(waits, [0, 0, 0, 0, 0, 2000])
                self.assertEqual(self.wait_ms(rates, others[scope], kind), 0)
                for same in set(RateScope) - {scope, RateScope.SESSION}:
                    if scope is not RateScope.SESSION:
                        found = self.wait_ms(rates, others[same], kind)
                        self.assertEqual(found, 2000)

    @rule("B5")
    def test_what_has_no_rate_has_no_limit(self) -> None:
        rates = self.rates(only(session_lists_per_s=1))
        source = Caller(account=ADA, network="192.0.2.1")

        waits = {self.wait_ms(rates, source, RateKind.MESSAGES) for _ in range(1000)}

        self.assertEqual(waits, {0})
        self.assertFalse(rates.limits(RateKind.MESSAGES))
        self.assertTrue(rates.limits(RateKind.LISTS))

    @rule("B5")
    def test_a_bucket_fills_as_its_rate_says_and_no_further_than_its_burst(
        self,
    ) -> None:
        rates = self.rates(only(session_messages_per_s=4, burst_s=2))
        source = Caller()

        burst = [self.wait_ms(rates, source, RateKind.MESSAGES) for _ in range(9)]
        self.clock.advance(0.25)
        one_more = [self.wait_ms(rates, source, RateKind.MESSAGES) for _ in range(2)]
        self.clock.advance(3600)
        later = [self.wait_ms(rates, source, RateKind.MESSAGES) for _ in range(9)]

        self.assertEqual(burst, [0] * 8 + [250])
        self.assertEqual(one_more, [0, 250])
        self.assertEqual(later, [0] * 8 + [250])

    @rule("B5", "E2")
    def test_what_is_refused_takes_nothing_out_of_any_bucket(self) -> None:
        rates = self.rates(
            only(session_messages_per_s=1, session_bytes_per_s=10, burst_s=10)
        )
        source = Caller()
        rates.take(source, {RateKind.MESSAGES: 1, RateKind.BYTES: 60})

        for _ in range(20):
            with self.assertRaises(RateExceeded):
                rates.take(source, {RateKind.MESSAGES: 1, RateKind.BYTES: 60})

        waits = [self.wait_ms(rates, source, RateKind.MESSAGES) for _ in range(10)]
        self.assertEqual(waits, [0] * 9 + [1000])
        self.assertEqual(self.wait_ms(rates, source, RateKind.BYTES, 40), 0)

    @rule("B5")
    def test_one_scope_that_refuses_leaves_the_others_as_they_were(self) -> None:
        rates = self.rates(
            only(session_lists_per_s=1, account_lists_per_s=0.2, burst_s=10)
        )
        own: Buckets = {}
        ada, bob = Caller(buckets=own, account=ADA), Caller(buckets=own, account=BOB)
        waits = [self.wait_ms(rates, ada, RateKind.LISTS) for _ in range(9)]

        as_bob = [self.wait_ms(rates, bob, RateKind.LISTS) for _ in range(2)]

        self.assertEqual(waits, [0, 0] + [5000] * 7)
        self.assertEqual(as_bob, [0, 0])
        self.assertEqual(own[RateKind.LISTS].tokens, 10 - 4)

    @rule("B5")
    def test_more_than_a_bucket_holds_goes_through_a_full_one_which_then_owes_it(
        self,
    ) -> None:
        rates = self.rates(only(session_bytes_per_s=100, burst_s=1))
        source = Caller()

        large = self.wait_ms(rates, source, RateKind.BYTES, 350)
        small = self.wait_ms(rates, source, RateKind.BYTES, 1)
        self.clock.advance(2.5)
        owing = self.wait_ms(rates, source, RateKind.BYTES, 350)
        self.clock.advance(1.0)
        again = self.wait_ms(rates, source, RateKind.BYTES, 350)

        self.assertEqual((large, small, owing, again), (0, 2510, 1000, 0))

    @rule("B5")
    def test_a_rate_whose_burst_is_less_than_one_still_lets_one_through(self) -> None:
        rates = self.rates(only(session_creates_per_s=0.01, burst_s=10))
        source = Caller()

        first = self.wait_ms(rates, source, RateKind.CREATES)
        second = self.wait_ms(rates, source, RateKind.CREATES)
        self.clock.advance(second / 1000)

        self.assertEqual((first, second), (0, 100_000))
        self.assertEqual(self.wait_ms(rates, source, RateKind.CREATES), 0)

    @rule("B5")
    def test_who_waits_as_long_as_it_was_told_gets_through(self) -> None:
        random = seeded(5)
        for _ in range(300):
            rates = self.rates(
                only(
                    session_bytes_per_s=random.uniform(0.1, 1e6),
                    account_bytes_per_s=random.uniform(0.1, 1e6),
                    burst_s=random.uniform(0.01, 100),
                )
            )
            source = Caller(account=ADA)
            for _ in range(20):
                amount = random.randrange(1, 100_000)
                wait_ms = self.wait_ms(rates, source, RateKind.BYTES, amount)
                self.clock.advance(wait_ms / 1000)
                if wait_ms:
                    again_ms = self.wait_ms(rates, source, RateKind.BYTES, amount)
                    self.assertEqual(again_ms, 0)

    @rule("B5")
    def test_over_any_time_no_more_gets_through_than_burst_and_rate(self) -> None:
        random = seeded(6)
        rates = self.rates(only(session_messages_per_s=3, burst_s=4))
        source = Caller()
        begun_s, through = self.clock.monotonic_s(), 0
        for _ in range(5000):
            self.clock.advance(random.choice((0, 0, 0.001, 0.1, 1)))
            through += not self.wait_ms(rates, source, RateKind.MESSAGES)

            passed_s = self.clock.monotonic_s() - begun_s
            self.assertLessEqual(through, 12 + 3 * passed_s + 1e-6)

    @rule("B5")
    def test_buckets_of_a_session_are_its_own_and_go_with_it(self) -> None:
        rates = self.rates(only(session_lists_per_s=0.1))
        own: Buckets = {}

        waits = [
            self.wait_ms(rates, Caller(buckets=own), RateKind.LISTS) for _ in range(2)
        ]

        self.assertEqual(waits, [0, 10_000])
        self.assertEqual(list(own), [RateKind.LISTS])
        self.assertEqual(self.wait_ms(rates, Caller(), RateKind.LISTS), 0)

    @rule("B5", "B3")
    def test_where_there_is_no_account_or_address_only_the_session_is_asked(
        self,
    ) -> None:
        rates = self.rates(only(account_lists_per_s=0.1, address_lists_per_s=0.1))

        waits = {self.wait_ms(rates, Caller(), RateKind.LISTS) for _ in range(100)}

        self.assertEqual(waits, {0})

    @rule("B5")
    def test_the_table_is_bounded_and_forgets_those_used_longest_ago_first(
        self,
    ) -> None:
        rates = self.rates(only(account_lists_per_s=0.1))
        busy, first = Caller(account=AccountId(1)), Caller(account=AccountId(2))
        self.wait_ms(rates, busy, RateKind.LISTS)
        self.wait_ms(rates, first, RateKind.LISTS)

        for number in range(MOST_BUCKETS):
            self.wait_ms(rates, Caller(account=AccountId(number + 3)), RateKind.LISTS)
            if number % 1000 == 0:
                self.wait_ms(rates, busy, RateKind.LISTS)

        # Forgotten ones are full again, and are no way to more than a burst for those
        # that go on asking.
        self.assertEqual(self.wait_ms(rates, first, RateKind.LISTS), 0)
        self.assertGreater(self.wait_ms(rates, busy, RateKind.LISTS), 0)
