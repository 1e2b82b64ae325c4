"""Who may make an account (A3, A4), and what a refusal does not tell (A2)."""

import unittest

from chatcore import Registration
from chatcore.commands import Create, Login
from chatcore.errors import (
    KeyReused,
    RegistrationClosed,
    TooManyAttempts,
    WrongCredentials,
)
from chatcore.events import Created, LoggedIn
from chatcore.limits import Limits
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture
from tests.unit.chatcore.key_times import key_of
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
