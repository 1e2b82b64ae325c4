"""Limits, and those that contradict each other."""

import unittest
from dataclasses import fields

from chatcore.limits import Limits, LimitsContradict
from chatcore.rate_limiter import RateKind, RateScope
from tests.unit.chatcore.marks import rule


def contradiction(**limits: int) -> str:
    """What is said against these limits; empty for nothing."""
    try:
        Limits(**limits)  # type: ignore[arg-type]  # by names that the test gives
    except LimitsContradict as contradict:
        return str(contradict)
    return ""


class ContradictionTest(unittest.TestCase):
    @rule("B1", "W6")
    def test_a_frame_holds_the_largest_body_however_json_writes_it(self) -> None:
        body_bytes = 100_000
        least = 6 * body_bytes + 4096

        said = contradiction(body_bytes=body_bytes, frame_bytes=least - 1)

        self.assertEqual(
            said,
            f"With body_bytes = {body_bytes} the limit frame_bytes is at least "
            f"{least}, not {least - 1}.",
        )
        self.assertEqual(contradiction(body_bytes=body_bytes, frame_bytes=least), "")

    @rule("B1")
    def test_a_frame_before_the_login_holds_the_longest_password(self) -> None:
        least = 6 * 1024 + 4096

        said = contradiction(login_frame_bytes=least - 1)
        small = contradiction(body_bytes=100, frame_bytes=least - 1)

        self.assertIn("password_max_bytes = 1024", said)
        self.assertIn(f"login_frame_bytes is at least {least}", said)
        self.assertIn(f"frame_bytes is at least {least}", small)
        self.assertEqual(contradiction(login_frame_bytes=least), "")

    def test_the_longest_password_is_as_long_as_the_shortest(self) -> None:
        said = contradiction(password_min_bytes=9, password_max_bytes=8)

        self.assertEqual(
            said,
            "With password_min_bytes = 9 the limit password_max_bytes is at least "
            "9, not 8.",
        )

    @rule("L1")
    def test_half_a_frame_holds_the_longest_name(self) -> None:
        least = 2 * (4 * 200_000 + 4096)

        said = contradiction(
            username_chars=200_000, frame_bytes=least - 1, login_frame_bytes=least
        )

        self.assertIn(f"frame_bytes is at least {least}", said)
        self.assertIn(
            "login_frame_bytes is at least",
            contradiction(username_chars=10_000, login_frame_bytes=40_000),
        )

    def test_limits_are_in_harmony_by_themselves(self) -> None:
        self.assertEqual(contradiction(), "")


class DerivedTest(unittest.TestCase):
    @rule("D4", "W6")
    def test_a_bounce_names_no_more_messages_than_fit_into_a_frame(self) -> None:
        for frame_bytes in (10_240, 20_000, 100_000):
            limits = Limits(body_bytes=1000, frame_bytes=frame_bytes)
            # Twenty digits are the most that a position can have.
            written = limits.bounce_positions * len('"18446744073709551615",')

            self.assertLessEqual(written, frame_bytes)
            self.assertGreaterEqual(limits.bounce_positions, 1)

    @rule("D4")
    def test_it_names_at_most_what_is_set_and_what_one_step_takes_out(self) -> None:
        self.assertEqual(Limits().bounce_positions, 1000)
        self.assertEqual(Limits(bounce_messages=7).bounce_positions, 7)
        self.assertEqual(Limits(cleanup_rows=5).bounce_positions, 5)

    @rule("D4")
    def test_it_names_one_even_in_the_smallest_frame(self) -> None:
        smallest = Limits(
            username_chars=1,
            body_bytes=1,
            password_min_bytes=1,
            password_max_bytes=1,
            frame_bytes=8200,
        )

        self.assertGreaterEqual(smallest.bounce_positions, 1)

    @rule("S5")
    def test_silence_is_over_when_a_ping_is_not_answered(self) -> None:
        self.assertEqual(Limits(ping_after_s=3, pong_within_s=4).silence_s, 7)

    @rule("B5")
    def test_each_rate_is_named_after_whom_it_is_for_and_what_it_counts(self) -> None:
        names = {
            f"{scope.value}_{kind.value}_per_s"
            for scope in RateScope
            for kind in RateKind
        }

        rates = {it.name for it in fields(Limits) if it.name.endswith("_per_s")}

        self.assertLessEqual(rates, names)

    @rule("B5")
    def test_by_default_messages_and_bytes_have_no_rate_and_the_rest_has(self) -> None:
        limits = Limits()
        off = {
            it.name.split("_")[1]
            for it in fields(Limits)
            if it.name.endswith("_per_s") and not getattr(limits, it.name)
        }

        self.assertEqual(off - {"creates"}, {"messages", "bytes"})
        self.assertGreater(limits.address_creates_per_s, 0)
