"""Idempotency keys (M2): parsing them, and their order in time."""

import unittest

from chatcore.errors import InvalidKey, KeyExpired, Refusal
from chatcore.ids import NO_KEY, IdempotencyKey
from chatcore.keys import derived_key, key_from_ms, ms_of_key, parse_key, refuse_outside
from chatcore.limits import DAY_MS
from chatcore.store import KeySpan
from tests.unit.chatcore.environment import NOON_MS, seeded
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.marks import rule


class KeyTest(unittest.TestCase):
    def refused(self, key: bytes) -> str:
        with self.assertRaises(InvalidKey) as caught:
            parse_key(key)
        return caught.exception.fields["reason"]

    @rule("M2")
    def test_a_uuidv7_is_a_key(self) -> None:
        self.assertEqual(parse_key(key_of(7)), key_of(7))

    @rule("M2")
    def test_no_bytes_are_no_key(self) -> None:
        self.assertEqual(parse_key(b""), NO_KEY)

    @rule("M2")
    def test_other_lengths_and_other_versions_are_refused(self) -> None:
        version_4 = key_of(7)[:6] + b"\x40" + key_of(7)[7:]

        for key in (b"\x70", key_of(7)[:15], key_of(7) + b"\x00", version_4):
            self.assertEqual(self.refused(key), "this is none")

    @rule("M2")
    def test_keys_sort_by_time_and_after_the_lowest_of_their_moment(self) -> None:
        random = seeded(2)
        for _ in range(500):
            at_ms = random.randrange(1, 2**48)
            key = key_of(random.randrange(2**56), at_ms=at_ms)

            self.assertLessEqual(key_from_ms(at_ms), key)
            self.assertGreater(key_from_ms(at_ms), key_of(2**56 - 1, at_ms=at_ms - 1))

    @rule("M2")
    def test_a_moment_before_1970_has_the_lowest_key_of_all(self) -> None:
        self.assertEqual(key_from_ms(-1), bytes(16))

    @rule("M2")
    def test_a_derived_key_is_one_and_the_same_for_the_same_words_alone(self) -> None:
        words: list[tuple[str | int, ...]] = [
            ("a", 1), ("a1",), ("a", "1"), ("a", 2), (), ("", "a", 1)
        ]  # fmt: skip

        keys = [derived_key(NOON_MS, *it) for it in words]

        self.assertEqual([parse_key(it) for it in keys], keys)
        self.assertEqual([ms_of_key(it) for it in keys], [NOON_MS] * len(words))
        self.assertEqual(len({*keys}), len(words))
        self.assertEqual([derived_key(NOON_MS, *it) for it in words], keys)
        self.assertNotEqual(derived_key(NOON_MS + 1, "a", 1), keys[0])

    @rule("B7")
    def test_a_moment_that_no_key_can_say_has_the_highest_time_of_all(self) -> None:
        latest = key_from_ms(2**48 - 1)

        self.assertEqual(key_from_ms(2**48), latest)
        self.assertEqual(key_from_ms(2**60), latest)

    @rule("M2")
    def test_the_moment_of_a_key_is_the_one_that_it_was_made_at(self) -> None:
        for at_ms in (0, NOON_MS, 2**48 - 1):
            self.assertEqual(ms_of_key(key_from_ms(at_ms)), at_ms)


class SpanTest(unittest.TestCase):
    """Keys that are unknown are stored within a span of time, and not outside."""

    SPAN = KeySpan(key_from_ms(NOON_MS - 7 * DAY_MS), key_from_ms(NOON_MS + DAY_MS))

    def refusal(self, key: bytes) -> Refusal | None:
        try:
            refuse_outside(IdempotencyKey(key), self.SPAN, lifetime_ms=7 * DAY_MS)
        except Refusal as refusal:
            return refusal
        return None

    @rule("M2")
    def test_a_key_may_be_a_day_ahead_and_no_more(self) -> None:
        latest = key_from_ms(NOON_MS + DAY_MS)
        too_late = key_of(0, at_ms=NOON_MS + DAY_MS + 1)

        refusal = self.refusal(too_late)

        self.assertIsNone(self.refusal(latest))
        assert isinstance(refusal, InvalidKey)
        self.assertEqual(refusal.fields["reason"], "this one's time is in the future")

    @rule("M2", "B7")
    def test_a_key_below_the_oldest_that_is_known_has_expired(self) -> None:
        oldest = key_from_ms(NOON_MS - 7 * DAY_MS)
        too_old = key_of(2**56 - 1, at_ms=NOON_MS - 7 * DAY_MS - 1)

        refusal = self.refusal(too_old)

        self.assertIsNone(self.refusal(oldest))
        assert isinstance(refusal, KeyExpired)
        self.assertEqual(refusal.fields, {"days": "7"})

    @rule("M2")
    def test_no_key_is_outside_of_nothing(self) -> None:
        self.assertIsNone(self.refusal(NO_KEY))
