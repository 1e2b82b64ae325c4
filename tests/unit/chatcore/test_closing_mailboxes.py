"""What a mailbox takes while its account is being deleted (D2)."""

import unittest

from chatcore.closing_mailboxes import ClosingMailboxes
from chatcore.commands import Delete, Send
from chatcore.errors import MailboxClosing, NoSuchRecipient, OutcomeUnknown
from chatcore.events import Accepted, Deleted, Refused
from chatcore.ids import Username
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, Peer, of_type
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.marks import rule

DELETE = Delete(username="ada", password=PASSWORD)


def outcomes(peer: Peer, *sends: Send) -> list[str]:
    """What became of each of them, in order."""
    return [
        type(it.refusal).__name__ if isinstance(it, Refused) else type(it).__name__
        for it in peer.do(*sends)
        if isinstance(it, Accepted | Refused)
    ]


class ClosingTest(unittest.TestCase):
    """Ada's mailbox has closed: of what came before one message is unacknowledged."""

    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada, self.bob = self.fixture.user("ada"), self.fixture.user("bob")
        self.first = Send("ada", "first", key_of(1))
        self.bob.do(self.first)
        self.ada.do(DELETE)
        self.bob.do(Send("ada", "late"))
        self.ada.acknowledge(1)

    @rule("D2", "M2")
    def test_a_repeat_is_answered_as_the_first_time(self) -> None:
        repeated = self.bob.ask(self.first)
        other = self.bob.refusal(Send("ada", "other", key_of(1)))
        new = self.bob.refusal(Send("ada", "new", key_of(2)))

        self.assertIsInstance(repeated, Accepted)
        self.assertEqual(type(other).__name__, "KeyReused")
        self.assertIsInstance(new, MailboxClosing)
        self.assertEqual(self.ada.bodies, ["first", "late"])

    @rule("D2", "W7", "E2")
    def test_other_sends_of_the_same_run_are_stored_and_answers_are_in_order(
        self,
    ) -> None:
        found = outcomes(
            self.bob,
            Send("bob", "1"),
            Send("ada", "2"),
            Send("nobody", "3"),
            self.first,
            Send("bob", "4"),
        )

        self.assertEqual(
            found,
            ["Accepted", "MailboxClosing", "NoSuchRecipient", "Accepted", "Accepted"],
        )
        self.assertEqual(self.bob.bodies, ["1", "4"])

    @rule("D2", "M1")
    def test_an_outage_is_told_only_to_those_that_it_met(self) -> None:
        self.fixture.store.fail_after("deposit", OutcomeUnknown())

        found = outcomes(self.bob, Send("ada", "1"), Send("bob", "2"))

        self.assertEqual(found, ["OutcomeUnknown", "Accepted"])

    @rule("D2", "D5")
    def test_it_ends_with_the_account(self) -> None:
        self.ada.acknowledge(2)

        self.assertEqual(len(of_type(self.ada.events, Deleted)), 1)
        self.assertIsInstance(self.bob.refusal(Send("ada", "x")), NoSuchRecipient)
        self.assertEqual(self.fixture.user("ada").mail, [])
        self.assertIsInstance(self.bob.ask(Send("ada", "x")), Accepted)

    @rule("D2", "S6")
    def test_it_is_open_in_a_new_process(self) -> None:
        self.fixture.restart()

        answer = self.fixture.user("bob").ask(Send("ada", "after"))

        self.assertIsInstance(answer, Accepted)


class OnItsWayTest(unittest.TestCase):
    @rule("D2", "M1")
    def test_what_was_on_its_way_when_it_closed_is_delivered_before_the_account_goes(
        self,
    ) -> None:
        fixture = ChatFixture()
        ada, bob = fixture.user("ada"), fixture.user("bob")
        on_its_way, deciding = (
            fixture.store.hold("deposit"),
            fixture.store.hold("delete_account"),
        )
        bob.do(Send("ada", "on its way"))
        ada.do(DELETE)

        for wait in (on_its_way, deciding):
            wait.end(answer=True)
            fixture.scheduler.run()
        undecided = of_type(ada.events, Deleted)
        ada.acknowledge(1)

        self.assertEqual(undecided, [])
        self.assertEqual(ada.bodies, ["on its way"])
        self.assertEqual(len(of_type(bob.events, Accepted)), 1)
        (deleted,) = of_type(ada.events, Deleted)
        self.assertEqual(deleted.receipt.delivered, 1)

    @rule("D2", "M1")
    def test_what_comes_too_late_for_the_decision_finds_nobody(self) -> None:
        fixture = ChatFixture()
        ada, bob = fixture.user("ada"), fixture.user("bob")
        on_its_way = fixture.store.hold("deposit")
        bob.do(Send("ada", "too late"))

        ada.do(DELETE)
        on_its_way.end(answer=True)
        fixture.scheduler.run()

        self.assertEqual(len(of_type(ada.events, Deleted)), 1)
        (refused,) = of_type(bob.events, Refused)
        self.assertIsInstance(refused.refusal, NoSuchRecipient)


class NamesTest(unittest.TestCase):
    @rule("D2")
    def test_what_two_have_closed_is_open_when_both_have_done(self) -> None:
        mailboxes, ada = ClosingMailboxes(), Username("ada")
        seen = []

        with mailboxes.closed(ada):
            with mailboxes.closed(ada):
                seen.append(ada in mailboxes.names)
            seen.append(ada in mailboxes.names)
        seen.append(ada in mailboxes.names)

        self.assertEqual(seen, [True, True, False])
