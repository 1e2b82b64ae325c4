"""Checking and changing passwords (A2, A6)."""

import unittest

from chatcore.commands import ChangePassword, Login, Resume
from chatcore.errors import Busy, InvalidPassword, SessionGone, WrongCredentials
from chatcore.events import LoggedIn, PasswordChanged, Resumed
from chatcore.ids import NO_KEY
from chatcore.sessions import Session
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture
from tests.unit.chatcore.marks import rule


class PasswordTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.fixture.account("ada")
        self.peer = self.fixture.peer()

    async def delete_elsewhere(self, session: Session) -> None:
        """Delete an account behind the back of its session."""
        await self.fixture.store.delete_account(
            session.account,
            session.epoch,
            discard=True,
            retract=False,
            delivered=0,
            key=NO_KEY,
            at_ms=0,
        )

    @rule("A2")
    def test_an_unknown_user_costs_a_check_and_gets_the_same_answer(self) -> None:
        unknown = self.peer.refusal(Login(username="eve", password=PASSWORD))
        wrong = self.peer.refusal(Login(username="ada", password="wrong password"))

        self.assertEqual(
            (unknown.code, unknown.text, unknown.fields),
            (wrong.code, wrong.text, wrong.fields),
        )
        self.assertEqual(
            self.fixture.surroundings.passwords.checked,
            [None, f"hash of {PASSWORD}"],
        )

    @rule("A2")
    def test_a_password_that_is_too_long_is_not_even_checked(self) -> None:
        refusal = self.peer.refusal(Login(username="ada", password="x" * 1025))

        self.assertIsInstance(refusal, InvalidPassword)
        self.assertEqual(self.fixture.surroundings.passwords.checked, [])

    @rule("A2")
    def test_a_password_below_the_minimum_is_just_wrong_at_a_login(self) -> None:
        refusal = self.peer.refusal(Login(username="ada", password="x"))

        self.assertIsInstance(refusal, WrongCredentials)

    @rule("A2")
    def test_a_full_queue_refuses_a_login_for_now(self) -> None:
        self.fixture.surroundings.passwords.is_full = True

        refusal = self.peer.refusal(Login(username="ada", password=PASSWORD))

        self.assertIsInstance(refusal, Busy)

    @rule("A6")
    def test_changing_a_password_needs_the_old_one(self) -> None:
        ada = self.fixture.user("ada")

        refusal = ada.refusal(ChangePassword("wrong password", "new password"))

        self.assertIsInstance(refusal, WrongCredentials)
        ada.lose()
        self.assertIsInstance(
            self.peer.ask(Login(username="ada", password=PASSWORD)), LoggedIn
        )

    @rule("A6")
    def test_after_a_change_only_the_new_password_is_right(self) -> None:
        ada = self.fixture.user("ada")

        answer = ada.ask(ChangePassword(PASSWORD, "new password"))
        ada.lose()
        old = self.peer.refusal(Login(username="ada", password=PASSWORD))
        new = self.peer.ask(Login(username="ada", password="new password"))

        self.assertIsInstance(answer, PasswordChanged)
        self.assertIsInstance(old, WrongCredentials)
        self.assertIsInstance(new, LoggedIn)

    @rule("A6")
    def test_after_a_change_no_older_token_of_the_account_resumes(self) -> None:
        first = self.fixture.user("ada")
        first.lose()
        second = self.fixture.user("ada")

        changed = second.ask(ChangePassword(PASSWORD, "new password"))
        older = self.peer.refusal(Resume(first.token))
        second.lose()
        own_before = self.peer.refusal(Resume(second.token))
        assert isinstance(changed, PasswordChanged)
        own = self.peer.ask(Resume(changed.token))

        self.assertIsInstance(older, SessionGone)
        self.assertIsInstance(own_before, SessionGone)
        self.assertIsInstance(own, Resumed)

    @rule("A6", "A2", "E2")
    def test_a_new_password_is_as_long_as_any(self) -> None:
        ada = self.fixture.user("ada")

        refusal = ada.refusal(ChangePassword(PASSWORD, "short"))

        self.assertIsInstance(refusal, InvalidPassword)

    @rule("A5", "A6")
    def test_a_password_of_an_account_that_is_gone_cannot_be_changed(self) -> None:
        ada = self.fixture.user("ada")
        session = self.fixture.chat.session_of(ada.connection)
        assert session is not None
        self.fixture.do(self.delete_elsewhere(session))
        self.fixture.account("ada")

        refusal = ada.refusal(ChangePassword(PASSWORD, "new password"))

        self.assertIsInstance(refusal, WrongCredentials)
        self.assertIsInstance(
            self.peer.ask(Login(username="ada", password=PASSWORD)), LoggedIn
        )
