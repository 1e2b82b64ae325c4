"""Creating accounts, with and without a login (A2 to A4, D6)."""

import unittest

from chatcore.commands import Create, Delete, Login
from chatcore.errors import (
    Busy,
    InvalidKey,
    InvalidPassword,
    KeyExpired,
    KeyReused,
    NameTaken,
    WrongCredentials,
)
from chatcore.events import Created, LoggedIn, Refused
from chatcore.ids import AccountId, Username
from chatcore.limits import Limits
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, of_type
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.marks import rule


class CreateTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.peer = self.fixture.peer()

    @rule("A3")
    def test_creating_answers_with_the_account(self) -> None:
        answer = self.peer.ask(Create("Ada", PASSWORD))

        self.assertEqual(answer, Created(1, AccountId(1), Username("ada")))

    @rule("A3", "E2")
    def test_creating_a_name_that_exists_changes_nothing(self) -> None:
        self.peer.ask(Create("ada", PASSWORD))

        refusal = self.peer.refusal(Create("ada", "another password"))

        self.assertIsInstance(refusal, NameTaken)
        self.assertIsInstance(
            self.peer.refusal(Login(username="ada", password="another password")),
            WrongCredentials,
        )
        self.assertIsInstance(
            self.peer.ask(Login(username="ada", password=PASSWORD)), LoggedIn
        )

    @rule("A3", "A2", "B5")
    def test_that_a_name_is_taken_costs_as_much_as_creating_it(self) -> None:
        self.peer.ask(Create("ada", PASSWORD))

        refusal = self.peer.refusal(Create("ada", "another password"))

        self.assertIsInstance(refusal, NameTaken)
        self.assertEqual(
            self.fixture.surroundings.passwords.hashed, [PASSWORD, "another password"]
        )

    @rule("A3", "A2")
    def test_that_a_name_is_taken_is_not_told_while_hashing_is_refused(self) -> None:
        self.peer.ask(Create("ada", PASSWORD))
        self.fixture.surroundings.passwords.is_full = True

        taken = self.peer.refusal(Create("ada", PASSWORD))
        free = self.peer.refusal(Create("bob", PASSWORD))

        self.assertIsInstance(taken, Busy)
        self.assertEqual((taken.text, taken.fields), (free.text, free.fields))

    @rule("A3")
    def test_of_two_that_create_a_name_at_once_one_is_refused(self) -> None:
        waiting = self.fixture.store.hold("create_account")
        self.peer.do(Create("ada", PASSWORD))
        other = self.fixture.peer()
        first = other.ask(Create("ada", "another password"))

        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertIsInstance(first, Created)
        self.assertEqual(
            [it.refusal.name for it in of_type(self.peer.events, Refused)],
            ["NAME_TAKEN"],
        )

    @rule("A2", "E2")
    def test_a_password_of_8_to_1024_bytes_is_accepted_and_no_other(self) -> None:
        for size in (8, 1024):
            answer = self.peer.ask(Create(f"good{size}", "x" * size))
            self.assertIsInstance(answer, Created)
        for size in (0, 7, 1025):
            refusal = self.peer.refusal(Create(f"bad{size}", "x" * size))
            self.assertIsInstance(refusal, InvalidPassword)
            self.assertEqual(refusal.fields["bytes"], str(size))

    @rule("A2")
    def test_a_password_is_measured_in_bytes_of_utf_8(self) -> None:
        self.assertIsInstance(self.peer.ask(Create("ada", "ä" * 4)), Created)
        self.assertIsInstance(
            self.peer.refusal(Create("bob", "ä" * 513)), InvalidPassword
        )

    @rule("A2")
    def test_the_minimum_of_a_password_is_a_setting(self) -> None:
        peer = ChatFixture(Limits(password_min_bytes=4)).peer()

        self.assertIsInstance(peer.ask(Create("ada", "1234")), Created)

    @rule("A2")
    def test_a_full_queue_of_passwords_says_when_to_try_again(self) -> None:
        self.fixture.surroundings.passwords.is_full = True

        refusal = self.peer.refusal(Create("ada", PASSWORD))

        assert isinstance(refusal, Busy)
        self.assertEqual(refusal.retry_after_ms, 250)


class RepeatedCreateTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.peer = self.fixture.peer()
        self.create = Create("ada", PASSWORD, key_of(1))

    @rule("D6")
    def test_a_repeat_under_its_key_gets_the_first_answer(self) -> None:
        self.peer.ask(self.create)

        answer = self.peer.ask(self.create)

        self.assertEqual(answer, Created(2, AccountId(1), Username("ada")))

    @rule("D6")
    def test_it_gets_it_even_when_the_account_is_gone_and_the_name_is_not_free(
        self,
    ) -> None:
        self.peer.ask(self.create)
        self.peer.ask(Delete(username="ada", password=PASSWORD))
        self.peer.ask(Create("ada", "another password"))

        answer = self.peer.ask(self.create)

        self.assertEqual(answer, Created(4, AccountId(1), Username("ada")))

    @rule("D6")
    def test_a_repeat_on_two_links_at_once_creates_one_account(self) -> None:
        waiting = self.fixture.store.hold("create_account")
        self.peer.do(self.create)
        first = self.fixture.peer().ask(self.create)

        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(first, Created(1, AccountId(1), Username("ada")))
        self.assertEqual(self.peer.events[-1], first)

    @rule("D6")
    def test_a_repeat_with_another_password_is_refused(self) -> None:
        self.peer.ask(self.create)

        refusal = self.peer.refusal(Create("ada", "another password", key_of(1)))

        self.assertIsInstance(refusal, WrongCredentials)

    @rule("D6")
    def test_the_key_of_something_else_is_refused(self) -> None:
        self.peer.ask(self.create)
        self.peer.ask(Create("bob", PASSWORD))
        self.peer.ask(Delete(username="bob", password=PASSWORD, key=key_of(2)))

        other_name = self.peer.refusal(Create("eve", PASSWORD, key_of(1)))
        a_deletion = self.peer.refusal(Create("bob", PASSWORD, key_of(2)))

        self.assertIsInstance(other_name, KeyReused)
        self.assertIsInstance(a_deletion, KeyReused)

    @rule("D6", "M2")
    def test_what_is_no_key_is_refused(self) -> None:
        refusal = self.peer.refusal(Create("ada", PASSWORD, b"no key"))

        self.assertIsInstance(refusal, InvalidKey)

    @rule("D6")
    def test_a_key_is_known_for_seven_days(self) -> None:
        self.peer.ask(self.create)
        days_6, days_8 = 6 * 24 * 3600, 2 * 24 * 3600

        self.fixture.pass_s(days_6)
        self.fixture.tick()
        within = self.peer.ask(self.create)
        self.fixture.pass_s(days_8)
        self.fixture.tick()
        after = self.peer.refusal(self.create)

        self.assertIsInstance(within, Created)
        self.assertIsInstance(after, KeyExpired)


class LoginThatCreatesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.peer = self.fixture.peer()

    @rule("A4")
    def test_it_creates_the_account_of_a_free_name_and_logs_in(self) -> None:
        answer = self.peer.ask(Login(username="Ada", password=PASSWORD, create=True))

        assert isinstance(answer, LoggedIn)
        self.assertEqual((answer.account, answer.username), (1, "ada"))

    @rule("A4")
    def test_it_logs_in_to_the_account_of_a_name_that_exists(self) -> None:
        account = self.fixture.account("ada")

        answer = self.peer.ask(Login(username="ada", password=PASSWORD, create=True))

        assert isinstance(answer, LoggedIn)
        self.assertEqual(answer.account, account)

    @rule("A4", "A2")
    def test_it_does_not_take_a_name_with_another_password(self) -> None:
        self.fixture.account("ada")

        refusal = self.peer.refusal(
            Login(username="ada", password="another password", create=True)
        )

        self.assertIsInstance(refusal, WrongCredentials)

    @rule("A4", "A2")
    def test_it_creates_nothing_under_a_short_password(self) -> None:
        refusal = self.peer.refusal(
            Login(username="ada", password="short", create=True)
        )

        self.assertIsInstance(refusal, InvalidPassword)
        self.assertIsInstance(self.peer.ask(Create("ada", PASSWORD)), Created)

    @rule("A4")
    def test_who_loses_the_race_for_a_name_has_to_own_it(self) -> None:
        for password, expected in ((PASSWORD, True), ("another password", False)):
            fixture = ChatFixture()
            waiting = fixture.store.hold("create_account")
            late = fixture.peer()
            late.do(Login(username="ada", password=password, create=True))
            fixture.account("ada")

            waiting.end(answer=True)
            fixture.scheduler.run()

            self.assertEqual(bool(of_type(late.events, LoggedIn)), expected)

    @rule("A4", "A2")
    def test_without_create_a_free_name_stays_free(self) -> None:
        refusal = self.peer.refusal(Login(username="ada", password=PASSWORD))

        self.assertIsInstance(refusal, WrongCredentials)
        self.assertIsInstance(self.peer.ask(Create("ada", PASSWORD)), Created)
