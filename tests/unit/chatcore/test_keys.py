"""Idempotency keys (M2): parsing them, and their order in time."""

import unittest

from chatcore.errors import InvalidKey
from chatcore.ids import NO_KEY
from chatcore.keys import key_from_ms, parse_key
from chatcore.limits import DAY_MS
from environment import NOON_MS, seeded
from marks import rule
from moments import key_of


class KeyTest(unittest.TestCase):
    def refused(self, key: bytes) -> str:
        with self.assertRaises(InvalidKey) as caught:
            parse_key(key, NOON_MS)
        return caught.exception.fields["reason"]

    @rule("M2")
    def test_a_uuidv7_is_a_key(self) -> None:
        self.assertEqual(parse_key(key_of(7), NOON_MS), key_of(7))

    @rule("M2")
    def test_no_bytes_are_no_key(self) -> None:
        self.assertEqual(parse_key(b"", NOON_MS), NO_KEY)

    @rule("M2")
    def test_other_lengths_and_other_versions_are_refused(self) -> None:
        version_4 = key_of(7)[:6] + b"\x40" + key_of(7)[7:]

        for key in (b"\x70", key_of(7)[:15], key_of(7) + b"\x00", version_4):
            self.assertEqual(self.refused(key), "this is none")

    @rule("M2")
    def test_a_key_may_be_a_day_ahead_and_no_more(self) -> None:
        latest = key_of(0, at_ms=NOON_MS + DAY_MS)
        too_late = key_of(0, at_ms=NOON_MS + DAY_MS + 1)

        self.assertEqual(parse_key(latest, NOON_MS), latest)
        self.assertEqual(self.refused(too_late), "this one's time is in the future")

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
