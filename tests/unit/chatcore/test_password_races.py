"""A password that is changed while others have, or take, the account (A6)."""

import unittest

from chatcore import SecondLogin
from chatcore.commands import (
    ChangePassword,
    Delete,
    InboxAction,
    Login,
    Resume,
    Send,
)
from chatcore.errors import CloseCode, SessionGone, WrongCredentials
from chatcore.events import (
    Accepted,
    Closing,
    Deleted,
    Delivered,
    LoggedIn,
    PasswordChanged,
    Refused,
    Resumed,
)
from chatcore.ids import ResumeToken
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, Peer, of_type
from tests.unit.chatcore.manual_scheduler import Wait
from tests.unit.chatcore.marks import rule

NEW = "new password"
CHANGE = ChangePassword(PASSWORD, NEW)
OLD_LOGIN = Login(username="ada", password=PASSWORD)
NEW_LOGIN = Login(username="ada", password=NEW)
DISCARD = Delete(username="ada", password=PASSWORD, inbox=InboxAction.DISCARD)


def code_of(peer: Peer) -> CloseCode | None:
    """Why a link was ended; None while it is not."""
    closings = of_type(peer.events, Closing)
    return closings[0].code if closings else None


def token_of(peer: Peer) -> ResumeToken:
    """The token that a change of password was answered with."""
    (changed,) = of_type(peer.events, PasswordChanged)
    return changed.token


class RaceTest(unittest.TestCase):
    def begin(self, second_login: SecondLogin = SecondLogin.REJECT) -> None:
        self.fixture = ChatFixture(second_login=second_login)
        self.ada, self.thief = self.fixture.user("ada"), self.fixture.peer()

    def setUp(self) -> None:
        self.begin()

    def go_on(self, waiting: Wait) -> None:
        waiting.end(answer=True)
        self.fixture.scheduler.run()

    def can_send(self, peer: Peer) -> bool:
        """Whether a link has the account, as the chat and its store see it."""
        return bool(of_type(peer.do(Send("ada", "hello")), Accepted))

    def check_that_only_the_new_password_is_good(self) -> None:
        """The owner gets in at once; no token and no password of before does."""
        peer = self.fixture.peer()
        self.assertIsInstance(peer.refusal(Resume(self.ada.token)), SessionGone)
        self.assertIsInstance(peer.refusal(OLD_LOGIN), WrongCredentials)
        self.assertTrue(of_type(peer.do(NEW_LOGIN), LoggedIn))
        self.assertTrue(self.can_send(peer))

    def check_that_the_new_token_resumes(self) -> None:
        """The owner comes back without any password."""
        events = self.fixture.peer().do(Resume(token_of(self.ada)))
        self.assertEqual(len(of_type(events, Resumed)), 1)

    @rule("A6")
    def test_a_stolen_token_that_resumes_before_the_commit_is_out_after_it(
        self,
    ) -> None:
        waiting = self.fixture.store.hold("change_password")
        self.ada.do(CHANGE)

        resumed = self.thief.ask(Resume(self.ada.token))
        self.go_on(waiting)

        self.assertIsInstance(resumed, Resumed)
        self.assertIs(code_of(self.ada), CloseCode.RESUMED_ELSEWHERE)
        self.assertIs(code_of(self.thief), CloseCode.PASSWORD_CHANGED)
        self.assertFalse(CloseCode.PASSWORD_CHANGED.may_reconnect)
        self.assertFalse(self.can_send(self.thief))
        self.check_that_only_the_new_password_is_good()

    @rule("A6")
    def test_a_stolen_token_resumes_nothing_between_the_commit_and_its_answer(
        self,
    ) -> None:
        waiting = self.fixture.store.hold_after("change_password")
        self.ada.do(CHANGE)

        refusal = self.thief.refusal(Resume(self.ada.token))
        self.go_on(waiting)

        self.assertIsInstance(refusal, SessionGone)
        self.assertTrue(self.can_send(self.ada))

    @rule("A6")
    def test_a_resume_that_was_committed_before_the_change_is_not_answered_after_it(
        self,
    ) -> None:
        waiting = self.fixture.store.hold_after("resume_session")
        self.thief.do(Resume(self.ada.token))

        self.ada.do(CHANGE)
        self.go_on(waiting)

        (refused,) = of_type(self.thief.events, Refused)
        self.assertIsInstance(refused.refusal, SessionGone)
        self.assertTrue(self.can_send(self.ada))
        self.ada.lose()
        self.check_that_the_new_token_resumes()

    @rule("A6", "S1")
    def test_a_login_with_the_old_password_that_replaced_the_session_is_out(
        self,
    ) -> None:
        self.begin(SecondLogin.REPLACE)
        waiting = self.fixture.store.hold("change_password")
        self.ada.do(CHANGE)

        self.thief.log_in("ada")
        self.go_on(waiting)

        self.assertIs(code_of(self.ada), CloseCode.REPLACED)
        self.assertIs(code_of(self.thief), CloseCode.PASSWORD_CHANGED)
        self.assertIsInstance(
            self.fixture.peer().refusal(Resume(self.thief.token)), SessionGone
        )
        self.check_that_only_the_new_password_is_good()

    @rule("A6", "E2")
    def test_a_password_that_is_changed_after_it_was_checked_opens_nothing(
        self,
    ) -> None:
        for second_login in SecondLogin:
            self.begin(second_login)
            waiting = Wait(self.fixture.scheduler)
            self.fixture.surroundings.passwords.checking = waiting
            self.thief.do(OLD_LOGIN)

            self.ada.do(CHANGE)
            self.fixture.pass_s(1)
            self.go_on(waiting)
            self.ada.connection.hear()
            self.fixture.scheduler.run()

            self.assertEqual(of_type(self.thief.events, LoggedIn), [])
            self.assertIsNone(code_of(self.ada))
            self.assertTrue(self.can_send(self.ada))
            self.ada.lose()
            self.check_that_the_new_token_resumes()

    @rule("A6", "E2")
    def test_one_that_is_changed_while_the_session_is_opened_opens_nothing_either(
        self,
    ) -> None:
        self.begin(SecondLogin.REPLACE)
        waiting = self.fixture.store.hold("open_session")
        self.thief.do(OLD_LOGIN)

        self.ada.do(CHANGE)
        self.go_on(waiting)

        (refused,) = of_type(self.thief.events, Refused)
        self.assertIsInstance(refused.refusal, WrongCredentials)
        self.assertIsNone(code_of(self.ada))
        self.assertTrue(self.can_send(self.ada))
        self.ada.lose()
        self.check_that_the_new_token_resumes()

    @rule("A6")
    def test_a_deletion_whose_password_was_changed_meanwhile_deletes_nothing(
        self,
    ) -> None:
        waiting = Wait(self.fixture.scheduler)
        self.fixture.surroundings.passwords.checking = waiting
        self.thief.do(DISCARD)

        self.ada.do(CHANGE)
        self.ada.lose()
        self.go_on(waiting)

        self.assertEqual(of_type(self.thief.events, Deleted), [])
        self.check_that_only_the_new_password_is_good()

    @rule("A6", "E2")
    def test_of_two_changes_from_the_same_password_the_later_one_changes_nothing(
        self,
    ) -> None:
        """A thief with token and password cannot undo what the owner did meanwhile."""
        self.thief.do(Resume(self.ada.token))
        waiting = Wait(self.fixture.scheduler)
        self.fixture.surroundings.passwords.hashing = waiting
        self.thief.do(ChangePassword(PASSWORD, "password of a thief"))
        owner = self.fixture.peer()
        owner.do(Resume(self.ada.token), CHANGE)

        self.go_on(waiting)

        self.assertIsNone(code_of(owner))
        self.assertTrue(self.can_send(owner))
        owner.lose()
        self.check_that_only_the_new_password_is_good()

    @rule("A6")
    def test_a_login_with_the_new_password_outlives_the_change_that_made_it(
        self,
    ) -> None:
        self.begin(SecondLogin.REPLACE)
        waiting = self.fixture.store.hold_after("change_password")
        self.ada.do(CHANGE)

        self.thief.do(NEW_LOGIN)  # it is no thief, who knows this one
        self.go_on(waiting)

        self.assertIs(code_of(self.ada), CloseCode.REPLACED)
        self.assertIsNone(code_of(self.thief))
        self.assertTrue(self.can_send(self.thief))
        (logged_in,) = of_type(self.thief.events, LoggedIn)
        self.thief.lose()
        self.assertTrue(
            of_type(self.fixture.peer().do(Resume(logged_in.token)), Resumed)
        )

    @rule("A6", "S3")
    def test_a_link_that_is_lost_during_the_change_leaves_no_session_behind(
        self,
    ) -> None:
        waiting = self.fixture.store.hold("change_password")
        self.ada.do(CHANGE)

        self.ada.lose()
        self.go_on(waiting)

        self.check_that_only_the_new_password_is_good()

    @rule("A6", "S3")
    def test_nor_does_one_whose_grace_is_over_before_the_change_is_answered(
        self,
    ) -> None:
        waiting = self.fixture.store.hold_after("change_password")
        self.ada.do(CHANGE)
        self.ada.lose()
        self.fixture.pass_s(31)
        self.fixture.tick()

        self.go_on(waiting)
        self.fixture.restart()

        self.check_that_only_the_new_password_is_good()

    @rule("S3", "D1")
    def test_a_deletion_does_not_go_on_when_its_session_went_to_another_link(
        self,
    ) -> None:
        waiting = Wait(self.fixture.scheduler)
        self.fixture.surroundings.passwords.checking = waiting
        self.ada.do(DISCARD)

        self.thief.do(Resume(self.ada.token))
        self.go_on(waiting)

        self.assertEqual(of_type(self.ada.events, Deleted), [])
        self.assertTrue(self.can_send(self.thief))


class TokenTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada, self.bob = self.fixture.user("ada"), self.fixture.user("bob")

    @rule("A6", "S6")
    def test_the_token_of_the_answer_resumes_after_a_restart_and_the_old_one_does_not(
        self,
    ) -> None:
        self.ada.do(CHANGE)

        self.fixture.restart()
        old = self.fixture.peer().refusal(Resume(self.ada.token))
        new = self.fixture.peer().ask(Resume(token_of(self.ada)))

        self.assertIsInstance(old, SessionGone)
        self.assertIsInstance(new, Resumed)

    @rule("A6", "M4")
    def test_what_was_acknowledged_before_and_during_the_change_stays_so(self) -> None:
        self.bob.do(Send("ada", "one"), Send("ada", "two"), Send("ada", "three"))
        self.ada.acknowledge(1)
        waiting = self.fixture.store.hold_after("change_password")
        self.ada.do(CHANGE)
        self.ada.acknowledge(2)

        waiting.end(answer=True)
        self.fixture.scheduler.run()
        self.fixture.restart()
        back = self.fixture.peer()
        events = back.do(Resume(token_of(self.ada), last_seen=3))

        (resumed,) = of_type(events, Resumed)
        self.assertEqual(resumed.queued, 1)
        self.assertEqual(of_type(events, Delivered), [])

    @rule("A6", "M1", "M3")
    def test_mail_goes_on_in_both_directions_over_the_change(self) -> None:
        self.ada.do(Send("bob", "1"), CHANGE, Send("bob", "2"))
        self.bob.do(Send("ada", "3"))
        self.ada.acknowledge(1)
        self.bob.do(Send("ada", "4"))

        self.assertEqual(self.bob.bodies, ["1", "2"])
        self.assertEqual(self.ada.bodies, ["3", "4"])

    @rule("A6", "E2")
    def test_a_change_that_the_store_does_not_make_leaves_the_token_as_it_was(
        self,
    ) -> None:
        refusal = self.ada.refusal(ChangePassword("wrong password", NEW))
        self.ada.lose()

        self.assertIsInstance(refusal, WrongCredentials)
        self.assertIsInstance(self.fixture.peer().ask(Resume(self.ada.token)), Resumed)
