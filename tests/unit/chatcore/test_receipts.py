"""What a deletion counts, repeats and finishes after all (D5, D6)."""

import unittest
from dataclasses import replace

from chatcore.commands import Create, Delete, InboxAction, Login, OutboxAction, Send
from chatcore.errors import (
    AccountInUse,
    InvalidKey,
    KeyReused,
    OutcomeUnknown,
    Refusal,
    StoreUnavailable,
    WrongCredentials,
)
from chatcore.events import Bounced, Created, Deleted, LoggedIn, Refused, Started
from chatcore.limits import Limits
from chatcore.model import DeletionReceipt
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, Peer, of_type
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.marks import rule

DELETE = Delete(username="ada", password=PASSWORD)
DISCARD = replace(DELETE, inbox=InboxAction.DISCARD)
PRESETS = (
    DELETE,
    DISCARD,
    replace(DISCARD, outbox=OutboxAction.RETRACT),
)


def receipt_in(peer: Peer) -> DeletionReceipt:
    """The receipt of the last deletion on a link."""
    return of_type(peer.events, Deleted)[-1].receipt


def refusals_in(peer: Peer) -> list[Refusal]:
    """Every refusal on a link."""
    return [it.refusal for it in of_type(peer.events, Refused)]


def busy_world(limits: Limits | None = None) -> ChatFixture:
    """Ada has three messages of two senders waiting, and two of hers wait for bob."""
    fixture = ChatFixture(limits)
    ada, bob, eve = fixture.user("ada"), fixture.user("bob"), fixture.user("eve")
    ada.lose()
    bob.lose()
    eve.do(Send("ada", "1"), Send("ada", "2"))
    again = fixture.user("bob")
    again.do(Send("ada", "3"))
    again.lose()
    ada = fixture.user("ada")
    ada.do(Send("bob", "4"), Send("bob", "5"))
    ada.lose()
    return fixture


class DryRunTest(unittest.TestCase):
    @rule("D5")
    def test_it_answers_what_would_happen_in_counts(self) -> None:
        fixture, receipts = busy_world(), []
        for preset in PRESETS:
            peer = fixture.peer()
            peer.do(replace(preset, dry_run=True))
            receipts.append(receipt_in(peer))

        self.assertEqual(
            receipts,
            [
                DeletionReceipt(dry_run=True, delivered=3, kept=2),
                DeletionReceipt(dry_run=True, discarded=3, bounces=2, kept=2),
                DeletionReceipt(dry_run=True, discarded=3, bounces=2, retracted=2),
            ],
        )

    @rule("D5")
    def test_the_real_call_counts_the_same_when_nothing_happens_between(self) -> None:
        for preset in PRESETS:
            fixture = busy_world()
            dry, real = fixture.peer(), fixture.peer()
            dry.do(replace(preset, dry_run=True))

            real.do(preset)
            real.acknowledge(3 if preset.inbox is InboxAction.DELIVER else 0)

            self.assertEqual(replace(receipt_in(dry), dry_run=False), receipt_in(real))

    @rule("D5", "E2")
    def test_it_changes_nothing(self) -> None:
        fixture = busy_world()
        peer = fixture.peer()
        opened = fixture.store.calls.count("open_session")

        events = peer.do(*(replace(it, dry_run=True) for it in PRESETS))

        self.assertEqual([type(it) for it in events], [Started, Deleted] * 3)
        self.assertEqual(fixture.store.calls.count("open_session"), opened)
        self.assertNotIn("delete_account", fixture.store.calls)
        self.assertIsNone(fixture.chat.session_of(peer.connection))
        self.assertEqual(fixture.user("ada").bodies, ["1", "2", "3"])
        self.assertEqual(fixture.user("bob").bodies, ["4", "5"])

    @rule("D5", "D1")
    def test_it_may_be_asked_for_by_the_owner_s_link_and_by_no_other(self) -> None:
        fixture = ChatFixture()
        ada = fixture.user("ada")

        own = ada.ask(replace(DELETE, dry_run=True))
        other = fixture.peer().refusal(replace(DELETE, dry_run=True))

        self.assertIsInstance(own, Deleted)
        self.assertIsInstance(other, AccountInUse)

    @rule("D5", "D1")
    def test_it_needs_the_password(self) -> None:
        fixture = busy_world()

        refusal = fixture.peer().refusal(
            Delete(username="ada", password="wrong password", dry_run=True)
        )

        self.assertIsInstance(refusal, WrongCredentials)


class CleanUpTest(unittest.TestCase):
    """One message of a clean-up a step, so that there is something in between."""

    def setUp(self) -> None:
        self.fixture = busy_world(Limits(cleanup_rows=1))
        self.eve = self.fixture.user("mia")
        self.eve.do(*(Send("ada", str(n)) for n in range(5)))

    @rule("D5")
    def test_the_receipt_comes_after_the_last_step(self) -> None:
        waiting = self.fixture.store.hold("clean_up")
        peer = self.fixture.peer()
        peer.do(PRESETS[2])

        early = of_type(peer.events, Deleted)
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(early, [])
        self.assertEqual(
            receipt_in(peer), DeletionReceipt(discarded=8, bounces=8, retracted=2)
        )

    @rule("D5", "S6")
    def test_a_clean_up_goes_on_after_a_restart_step_by_step(self) -> None:
        self.fixture.store.silence("discard")
        self.fixture.peer().do(DISCARD)
        self.fixture.restart()
        mia = self.fixture.user("mia")

        counts = []
        for _ in range(10):
            counts.append(len(mia.mail))
            self.fixture.tick()

        self.assertEqual(counts[0], 0)
        self.assertEqual(sorted(counts), counts)
        self.assertEqual(
            [len(it.positions) for it in of_type(mia.events, Bounced)], [1] * 5
        )

    @rule("D5")
    def test_a_clean_up_that_an_outage_has_stopped_goes_on_by_itself(self) -> None:
        self.fixture.tick()
        self.fixture.store.fail("clean_up", StoreUnavailable(reason="disk full"))
        peer = self.fixture.peer()
        peer.do(DISCARD)

        for _ in range(10):
            self.fixture.tick()

        self.assertIsInstance(refusals_in(peer)[0], StoreUnavailable)
        self.assertEqual(len(of_type(self.eve.events, Bounced)), 5)

    @rule("D5", "M1")
    def test_a_decision_whose_outcome_was_unknown_is_cleaned_up_after(self) -> None:
        self.fixture.tick()
        self.fixture.store.fail_after("delete_account", OutcomeUnknown())
        peer = self.fixture.peer()
        peer.do(DISCARD)

        for _ in range(10):
            self.fixture.tick()

        self.assertIsInstance(refusals_in(peer)[0], OutcomeUnknown)
        self.assertEqual(len(of_type(self.eve.events, Bounced)), 5)

    @rule("D5")
    def test_several_clean_ups_that_were_left_are_done_one_after_the_other(
        self,
    ) -> None:
        self.eve.do(Send("bob", "to bob"))
        for name in ("ada", "bob"):
            self.fixture.store.silence("discard")
            self.fixture.peer().do(
                Delete(username=name, password=PASSWORD, inbox=InboxAction.DISCARD)
            )
        self.fixture.restart()
        mia = self.fixture.user("mia")

        for _ in range(20):
            self.fixture.tick()

        self.assertEqual(
            {it.recipient for it in of_type(mia.events, Bounced)}, {"ada", "bob"}
        )
        self.assertEqual(len(of_type(mia.events, Bounced)), 6)


class RepeatTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = busy_world()
        self.delete = replace(DISCARD, key=key_of(1))
        self.peer = self.fixture.peer()

    @rule("D6")
    def test_a_repeat_under_its_key_gets_the_first_answer(self) -> None:
        self.peer.do(self.delete)
        first = receipt_in(self.peer)
        other = self.fixture.peer()

        events = other.do(self.delete)

        self.assertEqual(events, [Started(1), Deleted(1, first)])

    @rule("D6", "A5")
    def test_a_repeat_does_not_touch_a_new_account_of_the_name(self) -> None:
        self.peer.do(self.delete)
        self.fixture.account("ada")

        self.peer.do(self.delete)

        self.assertIsInstance(
            self.peer.ask(Login(username="ada", password=PASSWORD)), LoggedIn
        )

    @rule("D6")
    def test_a_repeat_with_another_password_is_refused(self) -> None:
        self.peer.do(self.delete)

        refusal = self.peer.refusal(replace(self.delete, password="wrong password"))

        self.assertIsInstance(refusal, WrongCredentials)

    @rule("D6", "M1")
    def test_a_repeat_settles_an_outcome_that_was_unknown(self) -> None:
        self.fixture.store.fail_after("delete_account", OutcomeUnknown())
        self.peer.do(self.delete)

        self.peer.do(self.delete)

        self.assertIsInstance(refusals_in(self.peer)[0], OutcomeUnknown)
        self.assertEqual(
            receipt_in(self.peer), DeletionReceipt(discarded=3, bounces=2, kept=2)
        )

    @rule("D6", "D5")
    def test_a_repeat_finishes_what_is_left_of_the_first(self) -> None:
        self.fixture.store.fail("clean_up", StoreUnavailable(reason="disk full"))
        self.peer.do(self.delete)

        self.peer.do(self.delete)

        self.assertEqual(
            receipt_in(self.peer), DeletionReceipt(discarded=3, bounces=2, kept=2)
        )

    @rule("D6", "E2")
    def test_the_key_of_something_else_is_refused(self) -> None:
        self.peer.do(Create("mia", PASSWORD, key_of(2)))
        self.peer.do(self.delete)

        of_a_create = self.peer.refusal(
            Delete(username="mia", password=PASSWORD, key=key_of(2))
        )
        of_another = self.peer.refusal(replace(self.delete, username="mia"))

        self.assertIsInstance(of_a_create, KeyReused)
        self.assertIsInstance(of_another, KeyReused)
        self.assertEqual(len(of_type(self.peer.events, Created)), 1)

    @rule("D6")
    def test_what_is_no_key_is_refused(self) -> None:
        self.assertIsInstance(
            self.peer.refusal(replace(DELETE, key=b"no key")), InvalidKey
        )

    @rule("D6")
    def test_a_deletion_without_a_key_cannot_be_repeated(self) -> None:
        self.peer.do(DISCARD)

        self.assertIsInstance(self.peer.refusal(DISCARD), WrongCredentials)
