"""A deletion that an outage or a lost link gets in the way of (D2, D5)."""

import unittest

from chatcore.commands import (
    Delete,
    Deliver,
    InboxAction,
    Login,
    Logout,
    OutboxAction,
    Resume,
    Send,
)
from chatcore.errors import (
    SessionGone,
    StoreUnavailable,
)
from chatcore.events import (
    Accepted,
    Bounced,
    Deleted,
    LoggedIn,
    Refused,
)
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


class FailureTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada = self.fixture.user("ada")

    @rule("D2", "E2")
    def test_a_store_that_cannot_decide_leaves_the_account_whole(self) -> None:
        for call in ("mailbox", "delete_account"):
            self.fixture.store.fail(call, StoreUnavailable(reason="disk full"))

            self.ada.do(DELETE)

            refused = of_type(self.ada.events, Refused)[-1]
            self.assertIsInstance(refused.refusal, StoreUnavailable)
            self.assertEqual(len(of_type(self.ada.do(Send("ada", "x")), Accepted)), 1)
            self.ada.acknowledge(self.ada.mail[-1].position)

    @rule("D2")
    def test_even_when_nothing_of_it_can_be_undone_the_refusal_is_told(self) -> None:
        self.ada.do(Logout())
        for call in ("delete_account", "end_session"):
            self.fixture.store.fail(call, StoreUnavailable(reason="disk full"))
        peer = self.fixture.peer()

        peer.do(DELETE)

        (refused,) = of_type(peer.events, Refused)
        self.assertIsInstance(refused.refusal, StoreUnavailable)
        self.assertIsNone(self.fixture.chat.session_of(peer.connection))
        self.assertEqual(
            len(of_type(peer.do(Login(username="ada", password=PASSWORD)), LoggedIn)),
            1,
        )

    @rule("D5")
    def test_a_link_that_is_lost_after_the_decision_stops_nothing(self) -> None:
        bob = self.fixture.user("bob")
        bob.do(Send("ada", "one"))
        waiting = self.fixture.store.hold("clean_up")
        self.ada.do(DISCARD)

        self.ada.lose()
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(len(of_type(bob.events, Bounced)), 1)

    @rule("D5", "S3")
    def test_a_session_whose_link_is_lost_during_the_decision_is_gone_with_it(
        self,
    ) -> None:
        waiting = self.fixture.store.hold_after("delete_account")
        self.ada.do(DELETE)

        self.ada.lose()
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertIsInstance(
            self.fixture.peer().refusal(Resume(self.ada.token)), SessionGone
        )

    @rule("D5", "S4")
    def test_a_logout_during_the_decision_does_not_stop_it_either(self) -> None:
        waiting = self.fixture.store.hold_after("delete_account")
        self.ada.do(DELETE)

        self.ada.do(Logout())
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(receipt_in(self.ada), DeletionReceipt())

    @rule("M7")
    def test_a_delivery_that_was_asked_for_finishes_within_a_deletion(self) -> None:
        self.ada.do(Send("ada", "waits"), Deliver(), DELETE)

        names = [type(it).__name__ for it in self.ada.acknowledge(1)]

        self.assertIn("DeliveryFinished", names)
        self.assertIn("Deleted", names)
