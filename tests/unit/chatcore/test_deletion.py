"""Deletion: who may, and what happens to the inbox (D1, D2)."""

import unittest

from chatcore import SecondLogin
from chatcore.commands import (
    Create,
    Delete,
    InboxAction,
    List,
    Login,
    Logout,
    OutboxAction,
    Resume,
    Send,
)
from chatcore.errors import (
    AccountInUse,
    DeletionStalled,
    Fenced,
    MailboxClosing,
    NameTaken,
    OtherAccount,
    OutcomeUnknown,
    SessionGone,
    TooManyOperations,
    WrongCredentials,
)
from chatcore.events import (
    Accepted,
    Closing,
    Created,
    Deleted,
    LoggedIn,
    Ping,
    Refused,
    Resumed,
    Started,
)
from chatcore.limits import Limits
from chatcore.model import DeletionReceipt
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, Peer, of_type
from tests.unit.chatcore.marks import rule

DELETE = Delete(username="ada", password=PASSWORD)
DISCARD = Delete(username="ada", password=PASSWORD, inbox=InboxAction.DISCARD)
ERASE = Delete(
    username="ada",
    password=PASSWORD,
    inbox=InboxAction.DISCARD,
    outbox=OutboxAction.RETRACT,
)


def receipt_in(peer: Peer) -> DeletionReceipt:
    """The receipt of the one deletion that was asked for on a link."""
    (deleted,) = of_type(peer.events, Deleted)
    return deleted.receipt


class WhoTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.fixture.account("ada")
        self.peer = self.fixture.peer()

    @rule("D1", "W7")
    def test_name_and_password_delete_an_account_without_a_login(self) -> None:
        events = self.peer.do(DELETE)

        self.assertEqual(events, [Started(1), Deleted(1, DeletionReceipt())])
        self.assertIsInstance(
            self.peer.refusal(Login(username="ada", password=PASSWORD)),
            WrongCredentials,
        )

    @rule("D1", "A2")
    def test_a_wrong_password_and_an_unknown_name_are_refused_alike(self) -> None:
        wrong = self.peer.refusal(Delete(username="ada", password="wrong password"))
        unknown = self.peer.refusal(Delete(username="eve", password=PASSWORD))

        for refusal in (wrong, unknown):
            self.assertIsInstance(refusal, WrongCredentials)
        self.assertIsInstance(self.peer.refusal(Create("ada", PASSWORD)), NameTaken)

    @rule("D1")
    def test_the_owner_s_own_link_may_delete_and_is_logged_out_by_it(self) -> None:
        ada = self.fixture.user("ada")

        ada.do(DELETE)

        self.assertEqual(receipt_in(ada), DeletionReceipt())
        self.assertIsNone(self.fixture.chat.session_of(ada.connection))
        self.assertEqual(of_type(ada.events, Closing), [])
        self.assertIsInstance(ada.ask(Create("ada", PASSWORD)), Created)
        self.assertIsInstance(self.peer.refusal(Resume(ada.token)), SessionGone)

    @rule("D1", "E2")
    def test_an_attached_session_elsewhere_forbids_it_whatever_logins_may_do(
        self,
    ) -> None:
        for policy in SecondLogin:
            fixture = ChatFixture(second_login=policy)
            ada = fixture.user("ada")

            refusal = fixture.peer().refusal(DELETE)

            self.assertIsInstance(refusal, AccountInUse)
            self.assertEqual(len(of_type(ada.do(Send("ada", "x")), Accepted)), 1)

    @rule("D1")
    def test_a_session_that_does_not_answer_does_not_forbid_it(self) -> None:
        ada = self.fixture.user("ada")
        self.fixture.pass_s(2)
        self.peer.do(DELETE)

        self.fixture.pass_s(2)

        self.assertEqual(receipt_in(self.peer), DeletionReceipt())
        self.assertEqual(len(of_type(ada.events, Ping)), 1)

    @rule("D1")
    def test_a_detached_session_does_not_forbid_it(self) -> None:
        self.fixture.user("ada").lose()

        self.peer.do(DELETE)

        self.assertEqual(receipt_in(self.peer), DeletionReceipt())

    @rule("D1", "E2")
    def test_a_link_of_another_account_may_not(self) -> None:
        bob = self.fixture.user("bob")

        refusal = bob.refusal(DELETE)

        self.assertIsInstance(refusal, OtherAccount)
        self.assertEqual(refusal.fields, {"username": "bob"})

    @rule("D1")
    def test_a_deletion_holds_the_session_while_it_runs(self) -> None:
        self.fixture.user("bob").do(Send("ada", "hello"))
        self.peer.do(DELETE)

        login = self.fixture.peer().refusal(Login(username="ada", password=PASSWORD))
        second = self.fixture.peer().refusal(DELETE)

        self.assertIsInstance(login, AccountInUse)
        self.assertIsInstance(second, AccountInUse)

    @rule("W8", "E2")
    def test_a_deletion_counts_as_an_operation(self) -> None:
        fixture = ChatFixture(Limits(operations=1, page_names=1, walk_names=1))
        ada = fixture.user("ada")
        ada.is_clogged = True
        ada.do(List(), DELETE)

        (refused,) = of_type(ada.unclog(), Refused)

        self.assertIsInstance(refused.refusal, TooManyOperations)


class InboxTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.fixture.account("ada")
        self.bob = self.fixture.user("bob")
        self.bob.do(Send("ada", "one"), Send("ada", "two"))
        self.peer = self.fixture.peer()

    def whole(self) -> list[str]:
        """What a login finds: the account is there, and so is its mail."""
        return self.fixture.user("ada").bodies

    @rule("D2")
    def test_undelivered_mail_is_streamed_and_deleted_once_acknowledged(self) -> None:
        events = self.peer.do(DELETE)
        half = self.peer.acknowledge(1)
        whole = self.peer.acknowledge(2)

        self.assertEqual(events[0], Started(1))
        self.assertEqual(self.peer.bodies, ["one", "two"])
        self.assertEqual(half, [])
        self.assertEqual(whole, [Deleted(1, DeletionReceipt(delivered=2))])

    @rule("D2")
    def test_it_works_on_the_owner_s_link_with_pushed_mail_as_well(self) -> None:
        ada = self.fixture.user("ada")
        ada.do(DELETE)

        ada.acknowledge(2)

        self.assertEqual(receipt_in(ada), DeletionReceipt(delivered=2))

    @rule("D2", "W8")
    def test_more_than_a_window_is_delivered_as_it_is_acknowledged(self) -> None:
        self.bob.do(*(Send("ada", str(n)) for n in range(298)))
        self.peer.do(DELETE)

        self.peer.acknowledge(256)
        self.peer.acknowledge(300)

        self.assertEqual(receipt_in(self.peer), DeletionReceipt(delivered=300))

    @rule("D2")
    def test_what_was_acknowledged_before_is_not_counted_as_delivered(self) -> None:
        ada = self.fixture.user("ada")
        ada.acknowledge(1)
        ada.do(DELETE)

        ada.acknowledge(2)

        self.assertEqual(receipt_in(ada), DeletionReceipt(delivered=1))

    @rule("D2")
    def test_what_comes_before_the_mailbox_closes_is_delivered_too(self) -> None:
        self.peer.do(DELETE)
        late = self.bob.ask(Send("ada", "three"))

        self.peer.acknowledge(2)
        closing = self.bob.refusal(Send("ada", "four"))
        self.peer.acknowledge(3)

        self.assertIsInstance(late, Accepted)
        self.assertIsInstance(closing, MailboxClosing)
        self.assertEqual(closing.fields, {"recipient": "ada", "retry_after_ms": "1000"})
        self.assertEqual(self.peer.bodies, ["one", "two", "three"])
        self.assertEqual(receipt_in(self.peer), DeletionReceipt(delivered=3))

    @rule("D2")
    def test_a_lost_link_leaves_the_account_whole(self) -> None:
        self.peer.do(DELETE)

        self.peer.lose()

        self.assertEqual(self.whole(), ["one", "two"])
        self.assertIsInstance(self.bob.ask(Send("ada", "three")), Accepted)

    @rule("D2")
    def test_a_link_that_is_lost_while_the_mailbox_closes_opens_it_again(self) -> None:
        self.peer.do(DELETE)
        self.bob.do(Send("ada", "three"))
        self.peer.acknowledge(2)

        self.peer.lose()

        self.assertIsInstance(self.bob.ask(Send("ada", "four")), Accepted)
        self.assertEqual(self.whole(), ["three", "four"])

    @rule("D2", "S3")
    def test_the_owner_s_lost_link_leaves_its_session_detached(self) -> None:
        ada = self.fixture.user("ada")
        ada.do(DELETE)

        ada.lose()
        answer = self.fixture.peer().do(Resume(ada.token, last_seen=2))[0]

        self.assertIsInstance(answer, Resumed)

    @rule("D2", "S3")
    def test_a_resume_on_another_link_leaves_the_account_whole(self) -> None:
        ada = self.fixture.user("ada")
        ada.do(DELETE)
        back = self.fixture.peer()
        back.do(Resume(ada.token, last_seen=2))

        back.acknowledge(2)

        self.assertEqual(len(of_type(back.do(Send("ada", "x")), Accepted)), 1)
        self.assertEqual(of_type(ada.events, Deleted), [])

    @rule("D2", "S4")
    def test_a_logout_in_the_middle_leaves_the_account_whole(self) -> None:
        ada = self.fixture.user("ada")
        ada.do(DELETE)
        ada.do(Logout())

        self.fixture.pass_s(30)

        (refused,) = of_type(ada.events, Refused)
        self.assertIsInstance(refused.refusal, Fenced)
        self.assertEqual(self.whole(), ["one", "two"])

    @rule("D2")
    def test_thirty_seconds_without_progress_leave_the_account_whole(self) -> None:
        self.peer.do(DELETE)

        self.fixture.pass_s(29.9)
        early = of_type(self.peer.events, Refused)
        self.fixture.pass_s(0.1)

        (refused,) = of_type(self.peer.events, Refused)
        self.assertEqual(early, [])
        self.assertIsInstance(refused.refusal, DeletionStalled)
        self.assertEqual(refused.refusal.fields, {"seconds": "30"})
        self.assertEqual(self.whole(), ["one", "two"])

    @rule("D2")
    def test_each_acknowledgement_is_progress(self) -> None:
        self.peer.do(DELETE)
        self.fixture.pass_s(29)
        self.peer.acknowledge(1)
        self.fixture.pass_s(29)

        self.peer.acknowledge(2)

        self.assertEqual(receipt_in(self.peer), DeletionReceipt(delivered=2))

    @rule("D2")
    def test_after_a_stall_the_link_is_as_it_was_before(self) -> None:
        ada = self.fixture.user("ada")
        for peer, logged_in in ((ada, True), (self.peer, False)):
            peer.do(DELETE)
            self.fixture.pass_s(30)

            held = self.fixture.chat.session_of(peer.connection)
            self.assertEqual(held is not None, logged_in)
            ada.do(Logout())

    @rule("D2", "S1")
    def test_after_a_stall_the_session_may_be_replaced_like_any(self) -> None:
        fixture = ChatFixture(second_login=SecondLogin.REPLACE)
        ada = fixture.user("ada")
        ada.do(Send("ada", "waits"), DELETE)
        fixture.pass_s(30)

        answer = fixture.peer().do(Login(username="ada", password=PASSWORD))[0]

        self.assertIsInstance(answer, LoggedIn)

    @rule("D2", "S6")
    def test_after_a_stall_no_session_is_left_that_nobody_has(self) -> None:
        self.bob.do(Logout())
        self.peer.do(DELETE)
        self.fixture.pass_s(30)

        self.assertEqual(self.fixture.store._rows.by_token, {})

    @rule("D2", "M1")
    def test_what_was_stored_without_anybody_knowing_is_delivered_too(self) -> None:
        ada = self.fixture.user("ada")
        ada.acknowledge(2)
        self.fixture.store.fail_after("deposit", OutcomeUnknown())
        self.bob.do(Send("ada", "three"))

        ada.do(DELETE)
        ada.acknowledge(3)

        self.assertEqual(ada.bodies, ["one", "two", "three"])
        self.assertEqual(receipt_in(ada), DeletionReceipt(delivered=1))

    @rule("D2")
    def test_discard_drops_what_waits_and_asks_for_no_acknowledgement(self) -> None:
        self.peer.do(DISCARD)

        self.assertEqual(self.peer.bodies, [])
        self.assertEqual(receipt_in(self.peer), DeletionReceipt(discarded=2, bounces=1))

    @rule("D2", "S6")
    def test_mail_that_was_seen_before_a_restart_still_has_to_be_acknowledged(
        self,
    ) -> None:
        ada = self.fixture.user("ada")
        self.fixture.restart()
        back = self.fixture.peer()
        back.do(Resume(ada.token, last_seen=2))

        early = back.do(DELETE)
        back.acknowledge(2)

        self.assertEqual(of_type(early, Deleted), [])
        self.assertEqual(len(of_type(back.events, Deleted)), 1)

    @rule("D2", "S6")
    def test_a_deletion_under_an_epoch_that_has_passed_ends_and_changes_nothing(
        self,
    ) -> None:
        for command in (DELETE, DISCARD):
            fixture = ChatFixture()
            ada = fixture.user("ada")
            fixture.store.fail_after("resume_session", OutcomeUnknown())
            fixture.peer().refusal(Resume(ada.token))

            ada.do(command)

            (refused,) = of_type(ada.events, Refused)
            self.assertIsInstance(refused.refusal, Fenced)
            self.assertEqual(of_type(ada.events, Deleted), [])
