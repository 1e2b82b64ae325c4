"""Logging in, and a second login (S1, S2, S4)."""

import unittest

from chatcore import SecondLogin
from chatcore.commands import (
    Acknowledge,
    ChangePassword,
    Command,
    Delete,
    Deliver,
    DeliveryMode,
    List,
    Login,
    Logout,
    Pong,
    Resume,
    Send,
)
from chatcore.errors import (
    AccountInUse,
    AlreadyLoggedIn,
    CloseCode,
    LoginRequired,
    OutcomeUnknown,
    SessionGone,
    StoreUnavailable,
    WrongCredentials,
)
from chatcore.events import (
    Accepted,
    Closing,
    Deleted,
    Delivered,
    LoggedIn,
    LoggedOut,
    Ping,
    Refused,
    Resumed,
)
from chatcore.ids import AccountId, Position, ResumeToken, Username
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, Peer, of_type
from tests.unit.chatcore.marks import rule

LOGIN = Login(username="ada", password=PASSWORD)


class LoginTest(unittest.TestCase):
    @rule("S2")
    def test_a_login_answers_with_id_token_and_number_of_queued_messages(self) -> None:
        fixture = ChatFixture()
        fixture.account("ada")
        fixture.user("bob").do(Send("ada", "one"), Send("ada", "two"))

        events = fixture.peer().do(LOGIN)

        self.assertEqual(
            events[0],
            LoggedIn(
                id=1,
                account=AccountId(1),
                username=Username("ada"),
                token=ResumeToken((2).to_bytes(32)),
                queued=2,
                acknowledged=Position(0),
                grace_ms=30_000,
            ),
        )
        self.assertEqual(len(of_type(events, Delivered)), 2)

    @rule("S2")
    def test_a_pushed_delivery_begins_after_what_was_acknowledged(self) -> None:
        fixture = ChatFixture()
        ada, bob = fixture.user("ada"), fixture.user("bob")
        bob.do(Send("ada", "one"), Send("ada", "two"))
        ada.acknowledge(1)
        ada.do(Logout())

        answer, delivered = ada.do(LOGIN)

        assert isinstance(answer, LoggedIn)
        assert isinstance(delivered, Delivered)
        self.assertEqual((answer.acknowledged, answer.queued), (1, 1))
        self.assertEqual((delivered.position, delivered.follows), (2, 1))

    @rule("S2", "M7")
    def test_a_manual_login_is_sent_nothing_until_it_asks(self) -> None:
        fixture = ChatFixture()
        fixture.account("ada")
        bob = fixture.user("bob")
        bob.do(Send("ada", "one"))
        ada = fixture.peer()

        ada.do(Login(username="ada", password=PASSWORD, delivery=DeliveryMode.MANUAL))
        bob.do(Send("ada", "two"))
        before = ada.bodies
        ada.do(Deliver())

        self.assertEqual((before, ada.bodies), ([], ["one", "two"]))

    @rule("S2", "S6")
    def test_a_token_is_told_once_its_session_is_stored_and_only_as_a_hash(
        self,
    ) -> None:
        fixture = ChatFixture()
        fixture.account("ada")
        waiting = fixture.store.hold_after("open_session")
        ada = fixture.peer()

        early = ada.do(LOGIN)
        waiting.end(answer=True)
        fixture.scheduler.run()

        stored: list[bytes] = []

        async def look() -> None:
            stored.extend(it.token_hash for it in await fixture.store.sessions())

        fixture.do(look())
        (logged_in,) = of_type(ada.events, LoggedIn)
        self.assertEqual(early, [])
        self.assertEqual([len(it) for it in stored], [32])
        self.assertNotIn(logged_in.token, stored)

    @rule("E2")
    def test_a_link_that_is_logged_in_has_to_log_out_first(self) -> None:
        fixture = ChatFixture()
        ada = fixture.user("ada")
        fixture.account("bob")

        for command in (LOGIN, Resume(ada.token)):
            refusal = ada.refusal(command)
            self.assertIsInstance(refusal, AlreadyLoggedIn)
            self.assertEqual(refusal.fields, {"username": "ada"})

    @rule("E2", "S1")
    def test_a_login_that_the_store_refuses_ends_nothing(self) -> None:
        for policy in SecondLogin:
            fixture = ChatFixture(second_login=policy)
            ada = fixture.user("ada")
            ada.lose()
            fixture.store.fail("open_session", StoreUnavailable(reason="disk full"))

            refusal = fixture.peer().refusal(LOGIN)
            resumed = fixture.peer().ask(Resume(ada.token))

            self.assertIsInstance(refusal, StoreUnavailable)
            self.assertIsInstance(resumed, Resumed)

    @rule("A5")
    def test_an_account_that_is_deleted_meanwhile_cannot_be_logged_in_to(self) -> None:
        fixture = ChatFixture()
        fixture.account("ada")
        waiting = fixture.store.hold("open_session")
        late = fixture.peer()
        late.do(LOGIN)

        # A deletion would be refused while a login opens the session: the row goes.
        fixture.store._rows.accounts.pop(AccountId(1))
        waiting.end(answer=True)
        fixture.scheduler.run()

        (refused,) = of_type(late.events, Refused)
        self.assertIsInstance(refused.refusal, WrongCredentials)

    @rule("S3")
    def test_a_link_that_is_lost_during_its_login_leaves_a_detached_session(
        self,
    ) -> None:
        fixture = ChatFixture()
        fixture.account("ada")
        waiting = fixture.store.hold("open_session")
        lost = fixture.peer()
        lost.do(LOGIN)

        lost.lose()
        waiting.end(answer=True)
        fixture.scheduler.run()
        token = (1).to_bytes(32)
        back = fixture.peer()
        in_time = back.ask(Resume(token))
        back.lose()
        fixture.pass_s(30)
        fixture.tick()

        self.assertEqual(of_type(lost.events, LoggedIn), [])
        self.assertIsInstance(in_time, Resumed)
        self.assertIsInstance(fixture.peer().refusal(Resume(token)), SessionGone)


class SecondLoginTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada = self.fixture.user("ada")
        self.other = self.fixture.peer()

    def replacing(self) -> None:
        self.fixture = ChatFixture(second_login=SecondLogin.REPLACE)
        self.ada = self.fixture.user("ada")
        self.other = self.fixture.peer()

    @rule("S1")
    def test_it_is_refused_while_the_first_was_heard_just_now(self) -> None:
        refusal = self.other.refusal(LOGIN)

        self.assertIsInstance(refusal, AccountInUse)
        self.assertEqual(of_type(self.ada.events, Ping), [])

    @rule("S1")
    def test_a_silent_session_is_pinged_and_stays_when_it_answers(self) -> None:
        self.fixture.pass_s(2)
        waiting = self.other.do(LOGIN)

        pinged = of_type(self.ada.events, Ping)
        self.ada.connection.hear()
        self.fixture.scheduler.run()

        self.assertEqual((waiting, len(pinged)), ([], 1))
        (refused,) = of_type(self.other.events, Refused)
        self.assertIsInstance(refused.refusal, AccountInUse)
        self.assertIsNotNone(self.fixture.chat.session_of(self.ada.connection))

    @rule("S1")
    def test_a_silent_session_ends_when_it_does_not_answer_within_two_seconds(
        self,
    ) -> None:
        self.fixture.pass_s(2)
        self.other.do(LOGIN)

        self.fixture.pass_s(1.9)
        early = of_type(self.other.events, LoggedIn)
        self.fixture.pass_s(0.1)

        self.assertEqual(early, [])
        self.assertEqual(len(of_type(self.other.events, LoggedIn)), 1)
        (closing,) = of_type(self.ada.events, Closing)
        self.assertIs(closing.code, CloseCode.UNRESPONSIVE)

    @rule("S1", "S3")
    def test_an_owner_who_comes_back_while_the_old_link_is_pinged_keeps_it(
        self,
    ) -> None:
        self.fixture.pass_s(2)
        self.other.do(LOGIN)
        back = self.fixture.peer()

        resumed = back.ask(Resume(self.ada.token))
        self.fixture.pass_s(2)

        self.assertIsInstance(resumed, Resumed)
        (refused,) = of_type(self.other.events, Refused)
        self.assertIsInstance(refused.refusal, AccountInUse)
        self.assertIsNotNone(self.fixture.chat.session_of(back.connection))

    @rule("S1")
    def test_an_owner_who_leaves_while_pinged_makes_way(self) -> None:
        self.fixture.pass_s(2)
        self.other.do(LOGIN)

        self.ada.do(Logout())
        self.fixture.pass_s(2)

        self.assertEqual(len(of_type(self.other.events, LoggedIn)), 1)
        self.assertEqual(of_type(self.ada.events, Closing), [])

    @rule("S1")
    def test_a_detached_session_ends_at_once(self) -> None:
        self.ada.lose()

        answer = self.other.ask(LOGIN)

        self.assertIsInstance(answer, LoggedIn)
        self.assertIsInstance(
            self.fixture.peer().refusal(Resume(self.ada.token)), SessionGone
        )

    @rule("S1", "A2", "E2")
    def test_a_wrong_password_has_no_effect(self) -> None:
        for policy in SecondLogin:
            fixture = ChatFixture(second_login=policy)
            attached, detached = fixture.user("ada"), fixture.user("bob")
            detached.lose()
            fixture.pass_s(5)

            refusals = [
                fixture.peer().refusal(Login(username=name, password="wrong password"))
                for name in ("ada", "bob")
            ]

            for refusal in refusals:
                self.assertIsInstance(refusal, WrongCredentials)
            self.assertEqual(of_type(attached.events, Ping), [])
            self.assertIsNotNone(fixture.chat.session_of(attached.connection))
            self.assertIsInstance(fixture.peer().ask(Resume(detached.token)), Resumed)

    @rule("S1", "E2")
    def test_the_first_may_be_replaced_with_a_code_that_forbids_coming_back(
        self,
    ) -> None:
        self.replacing()

        answer = self.other.ask(LOGIN)
        replaced = self.fixture.chat.session_of(self.ada.connection)
        self.ada.lose()

        self.assertIsInstance(answer, LoggedIn)
        (closing,) = of_type(self.ada.events, Closing)
        self.assertIs(closing.code, CloseCode.REPLACED)
        self.assertFalse(closing.code.may_reconnect)
        self.assertIsNone(replaced)
        self.assertIsNotNone(self.fixture.chat.session_of(self.other.connection))

    @rule("S1", "E2")
    def test_a_replacing_login_that_is_not_stored_leaves_the_first_alone(self) -> None:
        self.replacing()
        self.fixture.store.fail("open_session", StoreUnavailable(reason="disk full"))

        self.other.refusal(LOGIN)
        answer = self.ada.do(Send("ada", "still here"))

        self.assertEqual(len(of_type(answer, Accepted)), 1)

    @rule("S1")
    def test_of_two_logins_at_once_one_is_refused(self) -> None:
        self.replacing()
        waiting = self.fixture.store.hold("open_session")
        self.other.do(LOGIN)

        third = self.fixture.peer().refusal(LOGIN)
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertIsInstance(third, AccountInUse)
        self.assertEqual(len(of_type(self.other.events, LoggedIn)), 1)

    @rule("S1")
    def test_after_a_login_that_failed_the_next_one_may_try(self) -> None:
        self.ada.lose()
        self.fixture.store.fail("open_session", OutcomeUnknown())
        self.other.refusal(LOGIN)

        self.assertIsInstance(self.other.ask(LOGIN), LoggedIn)

    @rule("S1", "D1")
    def test_a_session_that_a_deletion_holds_cannot_be_replaced(self) -> None:
        self.replacing()
        self.ada.do(Send("ada", "keeps the deletion waiting"))
        self.ada.do(Delete(username="ada", password=PASSWORD))

        refusal = self.other.refusal(LOGIN)

        self.assertIsInstance(refusal, AccountInUse)


class LogoutTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada = self.fixture.user("ada")

    @rule("S4")
    def test_it_ends_the_session_at_once_and_frees_the_name(self) -> None:
        answer = self.ada.ask(Logout())

        self.assertEqual(answer, LoggedOut(2))
        self.assertIsInstance(self.fixture.peer().ask(LOGIN), LoggedIn)

    @rule("S4")
    def test_its_token_resumes_nothing_not_even_after_a_restart(self) -> None:
        self.ada.ask(Logout())

        now = self.fixture.peer().refusal(Resume(self.ada.token))
        self.fixture.restart()
        later = self.fixture.peer().refusal(Resume(self.ada.token))

        self.assertIsInstance(now, SessionGone)
        self.assertIsInstance(later, SessionGone)

    @rule("S4")
    def test_the_link_may_log_in_again(self) -> None:
        self.ada.ask(Logout())

        self.assertIsInstance(self.ada.ask(LOGIN), LoggedIn)

    @rule("S4", "E2")
    def test_a_logout_that_the_store_refuses_changes_nothing(self) -> None:
        self.fixture.store.fail("end_session", StoreUnavailable(reason="disk full"))

        refusal = self.ada.refusal(Logout())

        self.assertIsInstance(refusal, StoreUnavailable)
        self.assertIsNotNone(self.fixture.chat.session_of(self.ada.connection))

    @rule("S4", "S3")
    def test_a_session_that_is_resumed_during_its_logout_goes_on(self) -> None:
        waiting = self.fixture.store.hold("end_session")
        self.ada.do(Logout())
        back = self.fixture.peer()

        back.ask(Resume(self.ada.token))
        waiting.end(answer=True)
        self.fixture.scheduler.run()
        back.lose()

        self.assertIsInstance(self.fixture.peer().ask(Resume(self.ada.token)), Resumed)

    @rule("S4")
    def test_before_login_other_commands_are_refused(self) -> None:
        refused: list[tuple[Command, str]] = [
            (Logout(), "logout"),
            (Send("ada", "x"), "send"),
            (Deliver(), "deliver"),
            (List(), "list"),
            (ChangePassword("a", "b"), "change password"),
            (Acknowledge(0), "acknowledge"),
        ]
        peer = self.fixture.peer()

        for command, name in refused:
            refusal = peer.refusal(command)
            self.assertIsInstance(refusal, LoginRequired)
            self.assertEqual(refusal.fields, {"command": name})

    @rule("S4")
    def test_before_login_create_login_resume_delete_and_pong_are_accepted(
        self,
    ) -> None:
        self.ada.lose()
        peer: Peer = self.fixture.peer()

        created = self.fixture.account("bob")
        deleted = peer.ask(Delete(username="bob", password=PASSWORD))
        pong = peer.do(Pong())
        resumed = peer.ask(Resume(self.ada.token))

        self.assertEqual(created, 2)
        self.assertIsInstance(deleted, Deleted)
        self.assertEqual(pong, [])
        self.assertIsInstance(resumed, Resumed)
