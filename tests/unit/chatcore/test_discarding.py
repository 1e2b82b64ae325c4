"""What a deletion does to others: retractions and bounces (D3, D4)."""

import unittest

from chatcore.commands import (
    Delete,
    InboxAction,
    Logout,
    OutboxAction,
    Send,
)
from chatcore.events import (
    Accepted,
    Bounced,
    Deleted,
    Delivered,
    Refused,
)
from chatcore.ids import AccountId, Position, Username
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


class OutboxTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada, self.bob = self.fixture.user("ada"), self.fixture.user("bob")
        self.bob.lose()
        self.ada.do(Send("bob", "one"), Send("bob", "two"))

    @rule("D3")
    def test_what_the_account_has_sent_is_kept(self) -> None:
        self.ada.do(DELETE)

        self.assertEqual(receipt_in(self.ada), DeletionReceipt(kept=2))
        self.assertEqual(self.fixture.user("bob").bodies, ["one", "two"])

    @rule("D3")
    def test_retract_removes_what_is_not_acknowledged(self) -> None:
        bob = self.fixture.user("bob")
        bob.acknowledge(1)
        bob.lose()

        self.ada.do(ERASE)

        self.assertEqual(receipt_in(self.ada), DeletionReceipt(retracted=1))
        self.assertEqual(self.fixture.user("bob").bodies, [])

    @rule("D3", "M3")
    def test_a_retraction_does_not_look_like_a_loss(self) -> None:
        eve = self.fixture.user("eve")
        eve.do(Send("bob", "three"))
        self.ada.do(ERASE)
        eve.do(Send("bob", "four"))

        bob = self.fixture.user("bob")

        chain = [(it.position, it.follows) for it in of_type(bob.events, Delivered)]
        self.assertEqual(chain, [(3, 0), (4, 3)])

    @rule("D3", "M4")
    def test_a_recipient_may_acknowledge_what_was_retracted_meanwhile(self) -> None:
        bob = self.fixture.user("bob")
        self.ada.do(ERASE)

        self.assertEqual(bob.acknowledge(2), [])


class BounceTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.fixture.account("ada")
        self.bob, self.eve = self.fixture.user("bob"), self.fixture.user("eve")

    @rule("D4")
    def test_the_senders_of_discarded_messages_are_told_which(self) -> None:
        self.bob.do(Send("ada", "one"))
        self.eve.do(Send("ada", "two"))
        self.bob.do(Send("ada", "three"))

        self.fixture.peer().do(DISCARD)

        (told_bob,), (told_eve,) = self.bob.mail, self.eve.mail
        assert isinstance(told_bob, Bounced)
        assert isinstance(told_eve, Bounced)
        self.assertEqual(
            (told_bob.recipient, told_bob.recipient_id, told_bob.positions),
            (Username("ada"), AccountId(1), (Position(1), Position(3))),
        )
        self.assertEqual(told_eve.positions, (Position(2),))

    @rule("D4")
    def test_a_bounce_is_delivered_like_a_message(self) -> None:
        self.bob.do(Send("ada", "one"))
        self.bob.lose()
        self.fixture.peer().do(DISCARD)
        self.eve.do(Send("bob", "hello"))

        bob = self.fixture.user("bob")
        bob.acknowledge(1)
        bob.lose()
        again = self.fixture.user("bob")

        self.assertEqual([type(it) for it in bob.mail], [Bounced, Delivered])
        self.assertEqual([it.follows for it in bob.mail], [0, 1])
        self.assertEqual(again.bodies, ["hello"])
        self.assertEqual(len(again.mail), 1)

    @rule("D4")
    def test_a_bounce_waits_for_a_sender_that_is_not_there(self) -> None:
        self.bob.do(Send("ada", "one"), Logout())

        self.fixture.peer().do(DISCARD)

        self.assertEqual([type(it) for it in self.fixture.user("bob").mail], [Bounced])

    @rule("D4")
    def test_a_bounce_names_at_most_a_thousand_messages(self) -> None:
        fixture = ChatFixture(Limits(bounce_messages=10, cleanup_rows=15))
        fixture.account("ada")
        bob = fixture.user("bob")
        bob.do(*(Send("ada", str(n)) for n in range(25)))
        peer = fixture.peer()

        peer.do(DISCARD)

        sizes = [len(it.positions) for it in of_type(bob.events, Bounced)]
        self.assertEqual(Limits().bounce_messages, 1000)
        self.assertEqual(sizes, [10, 10, 5])
        self.assertEqual(receipt_in(peer), DeletionReceipt(discarded=25, bounces=3))

    @rule("D4", "M6")
    def test_a_bounce_is_never_refused_and_not_counted(self) -> None:
        fixture = ChatFixture(Limits(mailbox_messages=1))
        fixture.account("ada")
        bob = fixture.user("bob")
        bob.do(Send("ada", "one"), Send("bob", "fills it"))
        fixture.peer().do(DISCARD)

        refused = bob.do(Send("bob", "too much"))
        bob.acknowledge(1)
        accepted = bob.do(Send("bob", "fits again"))

        self.assertEqual(len(of_type(bob.events, Bounced)), 1)
        self.assertEqual(len(of_type(refused, Refused)), 1)
        self.assertEqual(len(of_type(accepted, Accepted)), 1)

    @rule("D4")
    def test_a_bounce_never_bounces(self) -> None:
        self.bob.do(Send("ada", "one"))
        self.bob.lose()
        self.fixture.peer().do(DISCARD)
        peer = self.fixture.peer()

        peer.do(Delete(username="bob", password=PASSWORD, inbox=InboxAction.DISCARD))

        self.assertEqual(receipt_in(peer), DeletionReceipt())

    @rule("D4", "A5")
    def test_a_message_to_oneself_does_not_bounce(self) -> None:
        ada = self.fixture.user("ada")
        ada.do(Send("ada", "remember"))

        ada.do(DISCARD)

        self.assertEqual(receipt_in(ada), DeletionReceipt(discarded=1))

    @rule("D4", "D2")
    def test_a_bounce_that_gets_into_a_closed_mailbox_is_delivered_as_well(
        self,
    ) -> None:
        self.bob.do(Send("ada", "to ada"))
        waiting = self.fixture.store.hold("delete_account")
        self.bob.do(Delete(username="bob", password=PASSWORD))
        self.fixture.peer().do(DISCARD)
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        before = of_type(self.bob.events, Deleted)
        self.bob.acknowledge(1)

        self.assertEqual(before, [])
        self.assertEqual(len(of_type(self.bob.events, Bounced)), 1)
        self.assertEqual(receipt_in(self.bob), DeletionReceipt())

    @rule("D4", "D2")
    def test_a_link_that_is_lost_before_the_decision_leaves_such_an_account_whole(
        self,
    ) -> None:
        self.bob.do(Send("ada", "to ada"))
        waiting = self.fixture.store.hold("delete_account")
        self.bob.do(Delete(username="bob", password=PASSWORD))
        self.fixture.peer().do(DISCARD)

        self.bob.lose()
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(len(self.fixture.user("bob").mail), 1)
