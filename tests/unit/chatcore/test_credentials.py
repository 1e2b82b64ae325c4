"""An application that brings its own users (A2)."""

import unittest
from dataclasses import replace

from chatcore.commands import (
    ChangePassword,
    Create,
    Delete,
    InboxAction,
    Login,
    Resume,
    Send,
)
from chatcore.errors import (
    AccountsElsewhere,
    Busy,
    InvalidPassword,
    ProofRefused,
    WrongCredentials,
)
from chatcore.events import Deleted, LoggedIn, Refused, Resumed
from chatcore.ids import Username
from tests.unit.chatcore.chat_fixture import ChatFixture, of_type
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.manual_scheduler import Wait
from tests.unit.chatcore.marks import rule


class Members:
    """The users of a club, each with a card."""

    def __init__(self, **cards: str) -> None:
        self.cards = cards
        self.checked: list[str] = []
        self.is_closed = False
        self.waiting: Wait | None = None

    async def check(self, username: Username, password: str) -> bool:
        if self.is_closed:
            raise Busy(retry_after_ms=60_000)
        self.checked.append(username)
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            await waiting
        return self.cards.get(username) == password


class CredentialsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.members = Members(ada="card 1", bob="card 2")
        self.fixture = ChatFixture(credentials=self.members)
        self.peer = self.fixture.peer()
        self.login = Login(username="Ada", password="card 1")
        self.delete = Delete(
            username="ada", password="card 1", inbox=InboxAction.DISCARD
        )

    @rule("A2")
    def test_a_user_of_the_application_logs_in_without_an_account(self) -> None:
        for create in (False, True):
            answer = self.peer.ask(replace(self.login, create=create))
            self.peer.lose()
            self.peer = self.fixture.peer()

            assert isinstance(answer, LoggedIn)
            self.assertEqual((answer.account, answer.username), (1, "ada"))
        self.assertEqual(self.fixture.surroundings.passwords.hashed, [])
        self.assertEqual(self.fixture.surroundings.passwords.checked, [])

    @rule("A2")
    def test_two_first_logins_of_one_user_at_once_make_one_account(self) -> None:
        self.members.waiting = waiting = Wait(self.fixture.scheduler)
        self.peer.do(self.login)
        (first,) = of_type(self.fixture.peer().do(self.login), LoggedIn)

        waiting.end(answer=True)
        self.fixture.scheduler.run()

        (refused,) = of_type(self.peer.events, Refused)
        self.assertEqual(refused.refusal.name, "ACCOUNT_IN_USE")
        self.assertEqual(first.account, 1)

    @rule("A2", "A4")
    def test_a_user_who_is_created_by_a_login_is_checked_as_well(self) -> None:
        for create in (False, True):
            refusal = self.peer.refusal(
                replace(self.login, password="card 2", create=create)
            )
            self.assertIsInstance(refusal, WrongCredentials)

        self.assertNotIn("create_account", self.fixture.store.calls)

    @rule("A2")
    def test_users_send_each_other_messages(self) -> None:
        ada, bob = self.fixture.peer(), self.fixture.peer()
        bob.do(Login(username="bob", password="card 2"))
        ada.do(self.login)

        ada.do(Send("bob", "hello"))

        self.assertEqual(bob.bodies, ["hello"])

    @rule("A2", "E2")
    def test_the_chat_creates_no_accounts_and_changes_no_passwords_then(self) -> None:
        self.peer.do(self.login)

        created = self.peer.refusal(Create("eve", "a password"))
        changed = self.peer.refusal(ChangePassword("card 1", "a password"))

        self.assertIsInstance(created, AccountsElsewhere)
        self.assertEqual(created.fields, {"command": "create"})
        self.assertIsInstance(changed, AccountsElsewhere)
        self.assertEqual(changed.fields, {"command": "change password"})

    @rule("A2", "S3")
    def test_a_session_is_resumed_by_its_token_and_a_password_that_is_shown(
        self,
    ) -> None:
        answer = self.peer.ask(self.login)
        assert isinstance(answer, LoggedIn)
        other = self.fixture.peer()

        wrong = other.refusal(Resume(answer.token, proof="card 2"))
        nobody = other.refusal(Login(proof="card 1"))
        bare = other.ask(Resume(answer.token))
        right = self.fixture.peer().ask(Resume(answer.token, proof="card 1"))

        self.assertIsInstance(wrong, ProofRefused)
        self.assertIsInstance(nobody, ProofRefused)
        self.assertIsInstance(bare, Resumed)
        self.assertIsInstance(right, Resumed)

    @rule("A2")
    def test_the_application_may_be_busy(self) -> None:
        self.members.is_closed = True

        self.assertIsInstance(self.peer.refusal(self.login), Busy)

    @rule("A2")
    def test_a_password_that_is_too_long_does_not_reach_the_application(self) -> None:
        refusal = self.peer.refusal(replace(self.login, password="x" * 1025))

        self.assertIsInstance(refusal, InvalidPassword)
        self.assertEqual(self.members.checked, [])

    @rule("D1", "A5")
    def test_a_user_may_delete_the_account_and_begin_anew(self) -> None:
        self.peer.do(self.login)
        self.peer.ask(self.delete)

        answer = self.peer.ask(self.login)

        assert isinstance(answer, LoggedIn)
        self.assertEqual(answer.account, 2)

    @rule("D6")
    def test_a_repeated_deletion_is_checked_by_the_application(self) -> None:
        delete = replace(self.delete, key=key_of(1))
        self.peer.ask(delete)

        wrong = self.peer.refusal(replace(delete, password="card 2"))
        right = self.peer.ask(delete)

        self.assertIsInstance(wrong, WrongCredentials)
        self.assertIsInstance(right, Deleted)

    @rule("A5")
    def test_an_account_that_is_deleted_while_it_is_made_is_not_logged_in_to(
        self,
    ) -> None:
        waiting = self.fixture.store.hold_after("create_account")
        self.peer.do(self.login)
        self.fixture.peer().ask(self.delete)

        waiting.end(answer=True)
        self.fixture.scheduler.run()

        (refused,) = of_type(self.peer.events, Refused)
        self.assertIsInstance(refused.refusal, WrongCredentials)
