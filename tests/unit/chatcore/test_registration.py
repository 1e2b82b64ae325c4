"""Who may make an account (A3, A4), and what a refusal does not tell (A2)."""

import unittest

from chatcore import Registration
from chatcore.commands import Create, Login, Logout
from chatcore.errors import (
    InvitationRefused,
    KeyReused,
    NameTaken,
    RegistrationClosed,
    TooManyAttempts,
    WrongCredentials,
)
from chatcore.events import Created, LoggedIn, Refused
from chatcore.ids import AccountId, Username
from chatcore.limits import DAY_MS, Limits
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, of_type
from tests.unit.chatcore.environment import NOON_MS
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.manual_scheduler import Wait
from tests.unit.chatcore.marks import rule


class ClosedTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.first = self.fixture.peer().ask(Create("ada", PASSWORD, key_of(1)))
        self.fixture.registration = Registration.CLOSED
        self.fixture.restart()
        self.passwords = self.fixture.surroundings.passwords
        self.passwords.hashed.clear()

    @rule("A3", "A2")
    def test_creating_is_refused_alike_for_a_name_that_is_free_or_taken(self) -> None:
        peer = self.fixture.peer()

        free = peer.refusal(Create("bob", PASSWORD))
        taken = peer.refusal(Create("ada", PASSWORD))

        self.assertIsInstance(free, RegistrationClosed)
        self.assertEqual(str(free), str(taken))
        self.assertEqual(self.passwords.hashed, [])
        self.assertEqual(self.passwords.checked, [])

    @rule("A4", "A2")
    def test_a_login_that_may_create_does_not_tell_whether_the_name_is_free(
        self,
    ) -> None:
        peer = self.fixture.peer()

        free = peer.refusal(Login(username="bob", password=PASSWORD, create=True))
        wrong = peer.refusal(Login(username="ada", password="not hers", create=True))

        self.assertIsInstance(free, RegistrationClosed)
        self.assertEqual(str(free), str(wrong))
        self.assertEqual(
            self.passwords.checked, [None, f"hash of {PASSWORD}"], "each costs a check"
        )
        self.assertEqual(self.passwords.hashed, [])
        unknown = peer.refusal(Login(username="bob", password=PASSWORD))
        self.assertIsInstance(unknown, WrongCredentials)

    @rule("A4")
    def test_with_the_right_password_it_stays_a_login(self) -> None:
        answer = self.fixture.peer().ask(
            Login(username="ada", password=PASSWORD, create=True)
        )

        self.assertIsInstance(answer, LoggedIn)

    @rule("B4")
    def test_guessing_by_logins_that_may_create_is_throttled(self) -> None:
        self.fixture = ChatFixture(
            Limits(wrong_passwords=2), registration=Registration.CLOSED
        )
        peer = self.fixture.peer("192.0.2.1")
        guess = Login(username="ada", password="not hers", create=True)

        refusals = [type(peer.refusal(guess)) for _ in range(3)]

        self.assertEqual(
            refusals, [RegistrationClosed, RegistrationClosed, TooManyAttempts]
        )

    @rule("D6")
    def test_what_was_created_before_is_answered_again_under_its_key(self) -> None:
        peer = self.fixture.peer()

        again = peer.ask(Create("ada", PASSWORD, key_of(1)))
        other = peer.refusal(Create("bob", PASSWORD, key_of(1)))

        self.assertIsInstance(self.first, Created)
        self.assertEqual(again, self.first)
        self.assertIsInstance(other, KeyReused)


class Anyone:
    """An application that knows everybody."""

    async def check(self, username: str, password: str) -> bool:
        return bool(username) and password == PASSWORD


class ElsewhereTest(unittest.TestCase):
    @rule("A2")
    def test_it_says_nothing_about_the_users_of_an_application(self) -> None:
        fixture = ChatFixture(credentials=Anyone(), registration=Registration.CLOSED)
        peer = fixture.peer()

        wrong = peer.refusal(Login(username="ada", password="not hers", create=True))
        answer = peer.ask(Login(username="ada", password=PASSWORD, create=True))

        self.assertIsInstance(wrong, WrongCredentials)
        self.assertIsInstance(answer, LoggedIn)


class InviteTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture(
            Limits(wrong_passwords=2), registration=Registration.INVITE
        )
        self.peer = self.fixture.peer()
        self.passwords = self.fixture.surroundings.passwords

    def invite(self, *, uses: int = 1, lifetime_ms: int = DAY_MS) -> str:
        """A code of the operator's."""
        made: list[str] = []

        async def ask() -> None:
            invite = await self.fixture.chat.admin.invite(
                uses=uses, lifetime_ms=lifetime_ms
            )
            self.assertEqual(invite.uses, uses)
            self.assertEqual(invite.expires_at_ms, NOON_MS + lifetime_ms)
            made.append(invite.code)

        self.fixture.do(ask())
        return made[0]

    @rule("A3")
    def test_a_code_allows_one_account(self) -> None:
        code = self.invite()

        first = self.peer.ask(Create("ada", PASSWORD, invitation=code))
        second = self.peer.refusal(Create("bob", PASSWORD, invitation=code))

        self.assertIsInstance(first, Created)
        self.assertIsInstance(second, InvitationRefused)

    @rule("A4")
    def test_so_it_does_in_a_login_that_may_create(self) -> None:
        code = self.invite()
        login = Login(username="ada", password=PASSWORD, create=True, invitation=code)

        first = self.peer.ask(login)
        self.peer.ask(Logout())
        again = self.peer.ask(login)

        self.assertIsInstance(first, LoggedIn)
        self.assertIsInstance(again, LoggedIn, "the account exists: it is a login")

    @rule("A3")
    def test_it_may_allow_several_until_it_is_spent(self) -> None:
        code = self.invite(uses=2)

        answers = [
            type(self.peer.do(Create(name, PASSWORD, invitation=code))[-1])
            for name in ("ada", "bob", "eve")
        ]

        self.assertEqual(answers, [Created, Created, Refused])

    @rule("A3", "A2")
    def test_unknown_spent_and_expired_codes_and_none_are_one_refusal(self) -> None:
        spent, expired = self.invite(), self.invite(lifetime_ms=1000)
        self.peer.ask(Create("ada", PASSWORD, invitation=spent))
        self.fixture.pass_s(1)
        self.passwords.hashed.clear()

        codes = [spent, expired, "AAAA" * 8, "no code", "x" * 5000, ""]
        refusals = [
            str(self.peer.refusal(Create(name, PASSWORD, invitation=code)))
            for code in codes
            for name in ("ada", "bob")
        ]

        self.assertEqual(set(refusals), {str(InvitationRefused())})
        self.assertEqual(self.passwords.hashed, [])

    @rule("A3")
    def test_a_code_is_read_however_it_is_written_down(self) -> None:
        code = self.invite()
        self.assertRegex(code, "^([A-Z2-7]{4}-){7}[A-Z2-7]{4}$")

        answer = self.peer.ask(
            Create("ada", PASSWORD, invitation=f" {code.lower().replace('-', ' ')}\n")
        )

        self.assertIsInstance(answer, Created)

    @rule("A3", "E2")
    def test_a_create_that_is_refused_spends_nothing(self) -> None:
        code = self.invite()
        self.passwords.is_full = True
        self.peer.refusal(Create("ada", PASSWORD, invitation=code))
        self.passwords.is_full = False
        self.peer.refusal(Create("ada!", PASSWORD, invitation=code))
        self.peer.ask(Create("bob", PASSWORD, invitation=self.invite()))

        taken = self.peer.refusal(Create("bob", PASSWORD, invitation=code))
        answer = self.peer.ask(Create("ada", PASSWORD, invitation=code))

        self.assertIsInstance(taken, NameTaken)
        self.assertIsInstance(answer, Created)

    @rule("D6")
    def test_a_repeat_under_the_key_gets_the_first_answer_with_a_spent_code(
        self,
    ) -> None:
        code = self.invite()
        create = Create("ada", PASSWORD, key_of(1), code)

        first = self.peer.ask(create)
        again = self.fixture.peer().ask(create)

        self.assertIsInstance(first, Created)
        self.assertEqual(again, Created(1, AccountId(1), Username("ada")))

    @rule("A3")
    def test_of_two_at_once_with_the_last_use_one_is_told_that_it_is_spent(
        self,
    ) -> None:
        code = self.invite()
        waiting = self.passwords.hashing = Wait(self.fixture.scheduler)
        slow = self.fixture.peer()
        slow.do(Create("ada", PASSWORD, invitation=code))

        fast = self.peer.ask(Create("bob", PASSWORD, invitation=code))
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertIsInstance(fast, Created)
        (refused,) = of_type(slow.events, Refused)
        self.assertIsInstance(refused.refusal, InvitationRefused)

    @rule("A4")
    def test_so_it_is_for_a_login_that_may_create(self) -> None:
        code = self.invite()
        waiting = self.passwords.hashing = Wait(self.fixture.scheduler)
        slow = self.fixture.peer()
        slow.do(Login(username="ada", password=PASSWORD, create=True, invitation=code))

        self.peer.ask(Create("bob", PASSWORD, invitation=code))
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        (refused,) = of_type(slow.events, Refused)
        self.assertIsInstance(refused.refusal, InvitationRefused)

    @rule("A4", "A2")
    def test_without_a_code_a_login_does_not_tell_whether_the_name_is_free(
        self,
    ) -> None:
        self.peer.ask(Create("ada", PASSWORD, invitation=self.invite()))
        self.passwords.hashed.clear()

        free = self.peer.refusal(Login(username="bob", password="none", create=True))
        wrong = self.peer.refusal(Login(username="ada", password="none", create=True))

        self.assertIsInstance(free, InvitationRefused)
        self.assertEqual(str(free), str(wrong))
        self.assertEqual(self.passwords.checked, [None, f"hash of {PASSWORD}"])

    @rule("B4")
    def test_guessing_codes_is_throttled_for_its_network_and_no_other(self) -> None:
        code, guess = self.invite(uses=2), "AAAA" * 8
        near, far = self.fixture.peer("192.0.2.1"), self.fixture.peer("192.0.2.2")

        guesses = [
            type(near.refusal(Create(name, PASSWORD, invitation=guess)))
            for name in ("a", "b", "c")
        ]
        right = near.refusal(Create("ada", PASSWORD, invitation=code))
        login = near.refusal(
            Login(username="eve", password=PASSWORD, create=True, invitation=code)
        )
        from_far = far.ask(Create("bob", PASSWORD, invitation=code))
        self.fixture.pass_s(2)
        later = near.ask(Create("ada", PASSWORD, invitation=code))

        self.assertEqual(
            guesses, [InvitationRefused, InvitationRefused, TooManyAttempts]
        )
        self.assertIsInstance(right, TooManyAttempts)
        self.assertIsInstance(login, TooManyAttempts)
        self.assertIsInstance(from_far, Created)
        self.assertIsInstance(later, Created)

    @rule("B7")
    def test_expired_codes_are_dropped_with_old_keys_by_a_clock_that_jumps(
        self,
    ) -> None:
        code = self.invite(lifetime_ms=1000)
        clock = self.fixture.surroundings.clock
        clock.wall_ahead_ms = 400 * DAY_MS
        self.fixture.tick()
        ahead = self.peer.refusal(Create("ada", PASSWORD, invitation=code))

        clock.wall_ahead_ms = 0
        answer = self.peer.ask(Create("ada", PASSWORD, invitation=code))

        self.assertIsInstance(ahead, InvitationRefused)
        self.assertIsInstance(answer, Created)
