"""A wall clock that is wrong switches nothing off (B7)."""

import unittest
from itertools import pairwise

from chatcore.commands import Create, Delete, InboxAction, Login, Send
from chatcore.errors import InvalidKey, KeyExpired
from chatcore.events import Accepted, Created, LoggedIn, Refused, Welcome
from chatcore.keys import ms_of_key
from chatcore.limits import DAY_MS
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, Peer, of_type
from tests.unit.chatcore.environment import NOON_MS
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.marks import rule

YEAR_MS = 365 * DAY_MS
JUMPS_MS = (10 * YEAR_MS, -10 * YEAR_MS, 8 * DAY_MS, -8 * DAY_MS, DAY_MS, -DAY_MS)


class WrongTickTest(unittest.TestCase):
    def begin(self) -> None:
        self.fixture = ChatFixture()
        self.clock = self.fixture.surroundings.clock
        self.ada, self.bob = self.fixture.user("ada"), self.fixture.user("bob")
        self.fixture.tick()

    def jump(self, ahead_ms: int) -> None:
        """Let the wall clock be wrong by so much, and an hourly sweep see it."""
        self.clock.wall_ahead_ms = ahead_ms
        self.fixture.pass_s(3601)
        self.fixture.tick()

    def receipt(self, peer: Peer, key: bytes, body: str = "hello") -> Accepted:
        """Send under a key that must be accepted."""
        (accepted,) = of_type(peer.do(Send("bob", body, key)), Accepted)
        return accepted

    def told_ms(self) -> int:
        """What a new link is told to make its keys by."""
        (welcome,) = of_type(self.fixture.peer().events, Welcome)
        return welcome.server_time_ms

    @rule("B7", "M2")
    def test_the_same_key_before_during_and_after_a_wrong_tick_is_stored_once(
        self,
    ) -> None:
        for ahead_ms in JUMPS_MS:
            self.begin()
            key = key_of(1)

            before = self.receipt(self.ada, key)
            self.jump(ahead_ms)
            during = self.receipt(self.ada, key)
            self.jump(0)
            after = self.receipt(self.ada, key)

            with self.subTest(ahead_ms=ahead_ms):
                self.assertEqual({it.position for it in (before, during, after)}, {1})
                self.assertEqual(self.bob.bodies, ["hello"])

    @rule("B7", "M2")
    def test_it_is_stored_once_as_well_when_the_server_restarts_at_any_of_these(
        self,
    ) -> None:
        for ahead_ms in JUMPS_MS:
            self.begin()
            key = key_of(1)
            positions = [self.receipt(self.ada, key).position]

            for wrong_ms in (ahead_ms, ahead_ms, 0, 0):
                self.jump(wrong_ms)
                self.fixture.restart()
                self.fixture.tick()
                ada = self.fixture.user("ada")
                positions.append(self.receipt(ada, key).position)

            with self.subTest(ahead_ms=ahead_ms):
                self.assertEqual(positions, [1] * 5)
                self.assertEqual(self.fixture.user("bob").bodies, ["hello"])

    @rule("B7")
    def test_a_key_that_was_told_while_the_clock_was_wrong_is_good_then_and_after(
        self,
    ) -> None:
        for ahead_ms in JUMPS_MS:
            self.begin()
            self.jump(ahead_ms)
            told_ms, told_s = self.told_ms(), self.clock.monotonic_s()

            during = self.receipt(self.ada, key_of(2, at_ms=told_ms), "during")
            self.jump(0)
            since_ms = int((self.clock.monotonic_s() - told_s) * 1000)
            after = self.receipt(self.ada, key_of(3, at_ms=told_ms + since_ms), "after")
            again = self.receipt(self.ada, key_of(2, at_ms=told_ms), "during")

            with self.subTest(ahead_ms=ahead_ms):
                self.assertEqual(
                    [it.position for it in (during, after, again)], [1, 2, 1]
                )

    @rule("B7")
    def test_who_makes_keys_by_a_wrong_clock_is_refused_meanwhile_and_not_after(
        self,
    ) -> None:
        self.begin()
        far_ahead = key_of(1, at_ms=NOON_MS + YEAR_MS)
        far_behind = key_of(2, at_ms=NOON_MS - YEAR_MS)

        ahead = self.ada.refusal(Send("bob", "one", far_ahead))
        behind = self.ada.refusal(Send("bob", "two", far_behind))
        right = self.receipt(self.ada, key_of(1), "one")

        self.assertIsInstance(ahead, InvalidKey)
        self.assertIsInstance(behind, KeyExpired)
        self.assertEqual((right.position, self.bob.bodies), (1, ["one"]))

    @rule("B7")
    def test_a_key_of_now_is_taken_at_every_moment_of_a_wrong_clock(self) -> None:
        for ahead_ms in JUMPS_MS:
            self.begin()
            for number, wrong_ms in enumerate((0, ahead_ms, ahead_ms, 0, 0)):
                self.jump(wrong_ms)
                right_ms = self.clock.now_ms() - wrong_ms

                accepted = self.receipt(self.ada, key_of(number, at_ms=right_ms))

                self.assertEqual(accepted.position, number + 1)

    @rule("B7")
    def test_housekeeping_goes_on_after_a_wrong_tick(self) -> None:
        for ahead_ms in JUMPS_MS:
            self.begin()
            self.jump(ahead_ms)
            self.jump(0)
            before = self.fixture.store.calls.count("forget")

            self.jump(0)

            self.assertEqual(self.fixture.store.calls.count("forget"), before + 1)

    @rule("B7", "M2")
    def test_after_a_wrong_tick_keys_still_expire_when_their_time_is_over(self) -> None:
        self.begin()
        key = key_of(1)
        self.receipt(self.ada, key)
        self.jump(10 * YEAR_MS)
        for _ in range(7 * 24 + 2):
            self.jump(0)

        refusal = self.ada.refusal(Send("bob", "hello", key))

        self.assertIsInstance(refusal, KeyExpired)
        self.assertEqual(self.bob.bodies, ["hello"])

    @rule("B7", "D6")
    def test_a_create_is_repeated_as_one_over_a_wrong_tick(self) -> None:
        for ahead_ms in JUMPS_MS:
            self.begin()
            eve = Create("eve", PASSWORD, key_of(9))
            answers = []
            for wrong_ms in (0, ahead_ms, 0):
                self.jump(wrong_ms)
                answers.append(self.fixture.peer().ask(eve))
                self.fixture.restart()

            accounts = {it.account for it in of_type(answers, Created)}
            self.assertEqual((len(answers), len(accounts)), (3, 1))

    @rule("B7", "D6")
    def test_a_deletion_under_a_key_outside_of_time_deletes_nothing(self) -> None:
        self.begin()
        reasons = [
            self.fixture.peer().refusal(
                Delete(
                    username="ada",
                    password=PASSWORD,
                    inbox=InboxAction.DISCARD,
                    key=key_of(1, at_ms=at_ms),
                )
            )
            for at_ms in (NOON_MS - 8 * DAY_MS, NOON_MS + 2 * DAY_MS)
        ]

        self.assertEqual([it.name for it in reasons], ["KEY_EXPIRED", "INVALID_KEY"])
        self.ada.lose()
        login = Login(username="ada", password=PASSWORD)
        self.assertIsInstance(self.fixture.peer().ask(login), LoggedIn)

    @rule("B7")
    def test_the_horizon_of_a_store_never_leaves_more_than_time_has_passed(
        self,
    ) -> None:
        self.begin()
        horizons: list[int] = []

        async def look() -> None:
            horizons.append(ms_of_key(await self.fixture.store.horizon()))

        for wrong_ms in (0, 10 * YEAR_MS, 0, -10 * YEAR_MS, 10 * YEAR_MS):
            self.jump(wrong_ms)
            self.fixture.do(look())

        moved_ms = [b - a for a, b in pairwise(horizons)]
        for it in moved_ms:
            self.assertGreaterEqual(it, 0)
            self.assertLessEqual(it, 2 * 3_601_000)

    @rule("B7", "E2")
    def test_what_is_refused_for_its_key_leaves_the_rest_of_the_run(self) -> None:
        self.begin()

        events = self.ada.do(
            Send("bob", "one", key_of(1)),
            Send("bob", "old", key_of(2, at_ms=NOON_MS - 8 * DAY_MS)),
            Send("bob", "new", key_of(3, at_ms=NOON_MS + 2 * DAY_MS)),
            Send("bob", "two", key_of(4)),
        )

        self.assertEqual(
            [type(it) for it in events], [Accepted, Refused, Refused, Accepted]
        )
        self.assertEqual(self.bob.bodies, ["one", "two"])
