"""Sending: from a run of commands to one commit and its receipts (M1 to M3, M6)."""

import unittest
from collections.abc import Sequence

from chatcore.commands import Delete, List, Send
from chatcore.errors import (
    InvalidBody,
    InvalidKey,
    InvalidUsername,
    KeyExpired,
    KeyReused,
    MailboxFull,
    NoSuchRecipient,
    OutcomeUnknown,
    Refusal,
    StoreUnavailable,
)
from chatcore.events import Accepted, Delivered, Event, Refused
from chatcore.ids import AccountId, Position, Username
from chatcore.limits import DAY_MS, Limits
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, of_type
from tests.unit.chatcore.environment import NOON_MS
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.marks import rule


class NoSpam:
    """An application that lets nothing through that says "spam"."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    async def judge(
        self, sender: Username, sends: Sequence[Send]
    ) -> Sequence[Refusal | None]:
        self.asked.append((sender, [it.body for it in sends]))
        return [
            InvalidBody(maximum=0, bytes=0) if "spam" in it.body else None
            for it in sends
        ]


class CommitTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada, self.bob = self.fixture.user("ada"), self.fixture.user("bob")

    @rule("M1")
    def test_the_receipt_names_the_message_and_says_whether_it_is_durable(self) -> None:
        self.fixture.pass_s(1)

        answer = self.ada.ask(Send("bob", "hello"))

        self.assertEqual(
            answer,
            Accepted(
                id=2,
                recipient_id=AccountId(2),
                position=Position(1),
                sent_at_ms=NOON_MS + 1000,
                durable=False,
            ),
        )

    @rule("M1")
    def test_a_durable_store_makes_durable_receipts(self) -> None:
        self.fixture.store.durable = True

        (accepted,) = of_type(self.ada.do(Send("bob", "hello")), Accepted)

        self.assertTrue(accepted.durable)

    @rule("M1")
    def test_neither_receipt_nor_message_comes_before_the_commit(self) -> None:
        waiting = self.fixture.store.hold_after("deposit")

        early = self.ada.do(Send("bob", "hello"))
        delivered_early = self.bob.bodies
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual((early, delivered_early), ([], []))
        self.assertEqual(len(of_type(self.ada.events, Accepted)), 1)
        self.assertEqual(self.bob.bodies, ["hello"])

    @rule("M1", "E2")
    def test_a_store_that_cannot_write_refuses_and_nothing_was_sent(self) -> None:
        self.fixture.store.fail("deposit", StoreUnavailable(reason="disk full"))

        events = self.ada.do(Send("bob", "one"), Send("bob", "two"))
        again = self.ada.do(Send("bob", "three"))

        self.assertEqual([type(it) for it in events], [Refused, Refused])
        self.assertEqual(len(of_type(again, Accepted)), 1)
        self.assertEqual(self.bob.bodies, ["three"])

    @rule("M1", "M2")
    def test_when_the_outcome_is_unknown_a_repeat_under_the_same_key_settles_it(
        self,
    ) -> None:
        send = Send("bob", "hello", key_of(1))
        for stored in (True, False):
            fixture = ChatFixture()
            ada = fixture.user("ada")
            fixture.account("bob")
            fail = fixture.store.fail_after if stored else fixture.store.fail
            fail("deposit", OutcomeUnknown())

            refusal = ada.refusal(send)
            answer = ada.ask(send)
            bob = fixture.user("bob")

            self.assertIsInstance(refusal, OutcomeUnknown)
            self.assertIsInstance(answer, Accepted)
            self.assertEqual(bob.bodies, ["hello"])

    @rule("M1", "M3")
    def test_a_message_whose_outcome_was_unknown_comes_before_the_next_one(
        self,
    ) -> None:
        self.fixture.store.fail_after("deposit", OutcomeUnknown())
        self.ada.do(Send("bob", "one"))

        self.ada.do(Send("bob", "two"))

        self.assertEqual(self.bob.bodies, ["one", "two"])

    @rule("M1")
    def test_a_run_of_sends_is_one_call_of_the_store(self) -> None:
        self.ada.do(*(Send("bob", str(n)) for n in range(20)))

        self.assertEqual(self.fixture.store.calls.count("deposit"), 1)
        self.assertEqual(self.bob.bodies, [str(n) for n in range(20)])

    @rule("M3")
    def test_messages_arrive_in_the_order_sent(self) -> None:
        for n in range(5):
            self.ada.do(Send("bob", f"{n}a"), List(), Send("bob", f"{n}b"))

        self.assertEqual(
            self.bob.bodies, [f"{n}{half}" for n in range(5) for half in "ab"]
        )

    @rule("M6")
    def test_one_may_send_to_oneself(self) -> None:
        events = self.ada.do(Send("ada", "remember"))

        self.assertEqual(len(of_type(events, Accepted)), 1)
        self.assertEqual(self.ada.bodies, ["remember"])

    @rule("M3")
    def test_messages_of_several_senders_are_counted_in_one_mailbox(self) -> None:
        eve = self.fixture.user("eve")
        self.ada.do(Send("bob", "one"))
        eve.do(Send("bob", "two"))

        delivered = of_type(self.bob.events, Delivered)

        self.assertEqual(
            [(it.position, it.follows, it.sender) for it in delivered],
            [(1, 0, "ada"), (2, 1, "eve")],
        )


class JudgeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture(Limits(mailbox_messages=3))
        self.ada, self.bob = self.fixture.user("ada"), self.fixture.user("bob")

    @rule("M6")
    def test_a_body_is_one_byte_to_64_kib_of_utf_8(self) -> None:
        for body in ("x", "x" * 65536, "ä" * 32768):
            self.assertIsInstance(self.ada.ask(Send("bob", body)), Accepted)
            self.bob.acknowledge(self.bob.mail[-1].position)
        for body, size in (("", 0), ("x" * 65537, 65537), ("ä" * 32769, 65538)):
            refusal = self.ada.refusal(Send("bob", body))
            self.assertIsInstance(refusal, InvalidBody)
            self.assertEqual(refusal.fields, {"maximum": "65536", "bytes": str(size)})

    @rule("M6")
    def test_a_body_may_hold_any_character(self) -> None:
        self.ada.do(Send("bob", "\x00\n\U0001f600"))

        self.assertEqual(self.bob.bodies, ["\x00\n\U0001f600"])

    @rule("M6")
    def test_a_send_to_an_unknown_name_is_refused(self) -> None:
        refusal = self.ada.refusal(Send("Nobody", "hello"))

        self.assertIsInstance(refusal, NoSuchRecipient)
        self.assertEqual(refusal.fields, {"recipient": "nobody"})

    @rule("M6", "A1")
    def test_a_send_to_what_is_no_name_is_refused(self) -> None:
        self.assertIsInstance(self.ada.refusal(Send("*", "hello")), InvalidUsername)

    @rule("A1")
    def test_a_recipient_is_found_under_any_spelling_of_its_name(self) -> None:
        self.ada.do(Send("BOB", "hello"))

        self.assertEqual(self.bob.bodies, ["hello"])

    @rule("M6", "E2")
    def test_a_full_mailbox_refuses_and_drops_nothing(self) -> None:
        events = self.ada.do(*(Send("bob", str(n)) for n in range(4)))

        self.assertEqual(len(of_type(events, Accepted)), 3)
        (refused,) = of_type(events, Refused)
        self.assertIsInstance(refused.refusal, MailboxFull)
        self.assertEqual(refused.refusal.fields, {"recipient": "bob"})
        self.assertEqual(self.bob.bodies, ["0", "1", "2"])

    @rule("M6", "M4")
    def test_an_acknowledgement_makes_room_in_a_full_mailbox(self) -> None:
        self.ada.do(*(Send("bob", str(n)) for n in range(3)))

        self.bob.acknowledge(1)

        self.assertIsInstance(self.ada.ask(Send("bob", "3")), Accepted)

    @rule("E2", "W7")
    def test_each_send_of_a_run_is_judged_by_itself(self) -> None:
        events = self.ada.do(
            Send("bob", "one"),
            Send("bob", ""),
            Send("nobody", "hello"),
            Send("bob", "key", b"none"),
            Send("bob", "two"),
        )

        self.assertEqual(
            [type(it) for it in events],
            [Accepted, Refused, Refused, Refused, Accepted],
        )
        self.assertEqual(
            [it.id for it in events if isinstance(it, Accepted | Refused)],
            [2, 3, 4, 5, 6],
        )
        self.assertEqual(self.bob.bodies, ["one", "two"])

    def test_a_run_in_which_nothing_is_right_does_not_ask_the_store(self) -> None:
        self.ada.do(Send("bob", ""), Send("*", "x"))

        self.assertNotIn("deposit", self.fixture.store.calls)


class KeyTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada, self.bob = self.fixture.user("ada"), self.fixture.user("bob")
        self.send = Send("bob", "hello", key_of(1))

    def sole_answer(self, events: Sequence[Event]) -> Accepted:
        (accepted,) = of_type(events, Accepted)
        return accepted

    @rule("M2")
    def test_a_repeat_gets_the_first_receipt_and_is_delivered_once(self) -> None:
        first = self.sole_answer(self.ada.do(self.send))
        self.fixture.pass_s(60)

        second = self.sole_answer(self.ada.do(self.send))

        self.assertEqual(second._replace(id=first.id), first)
        self.assertEqual(self.bob.bodies, ["hello"])

    @rule("M2")
    def test_a_repeat_within_one_run_is_stored_once(self) -> None:
        first, second = of_type(self.ada.do(self.send, self.send), Accepted)

        self.assertEqual(first.position, second.position)
        self.assertEqual(self.bob.bodies, ["hello"])

    @rule("M2", "E2")
    def test_a_key_with_another_body_is_refused(self) -> None:
        self.ada.do(self.send)

        refusal = self.ada.refusal(Send("bob", "goodbye", key_of(1)))

        self.assertIsInstance(refusal, KeyReused)
        self.assertEqual(self.bob.bodies, ["hello"])

    @rule("M2")
    def test_a_key_is_the_sender_s_and_the_recipient_s_own(self) -> None:
        eve = self.fixture.user("eve")

        answers = [
            self.sole_answer(self.ada.do(self.send)),
            self.sole_answer(eve.do(self.send)),
            self.sole_answer(self.ada.do(Send("eve", "hello", key_of(1)))),
        ]

        self.assertEqual(
            [(it.recipient_id, it.position) for it in answers],
            [(2, 1), (2, 2), (3, 1)],
        )

    @rule("M2", "A5")
    def test_a_key_outlives_the_recipient_and_its_name(self) -> None:
        first = self.sole_answer(self.ada.do(self.send))
        self.bob.acknowledge(1)
        self.bob.ask(Delete(username="bob", password=PASSWORD))

        gone = self.sole_answer(self.ada.do(self.send))
        new_bob = self.fixture.user("bob")
        again = self.sole_answer(self.ada.do(self.send))

        for repeat in (gone, again):
            self.assertEqual(repeat._replace(id=first.id), first)
        self.assertEqual(new_bob.bodies, [])

    @rule("M2")
    def test_a_key_is_known_after_a_restart(self) -> None:
        first = self.sole_answer(self.ada.do(self.send))
        self.bob.acknowledge(1)
        self.fixture.restart()
        ada, bob = self.fixture.user("ada"), self.fixture.user("bob")

        second = self.sole_answer(ada.do(self.send))

        self.assertEqual(second.position, first.position)
        self.assertEqual(bob.bodies, [])

    @rule("M2")
    def test_an_unknown_key_that_is_older_than_seven_days_is_refused(self) -> None:
        just = Send("bob", "just", key_of(1, at_ms=NOON_MS - 7 * DAY_MS))
        older = Send("bob", "older", key_of(1, at_ms=NOON_MS - 7 * DAY_MS - 1))

        accepted = self.ada.ask(just)
        refusal = self.ada.refusal(older)

        self.assertIsInstance(accepted, Accepted)
        self.assertIsInstance(refusal, KeyExpired)
        self.assertEqual(refusal.fields, {"days": "7"})

    @rule("M2")
    def test_a_key_that_was_forgotten_is_never_stored_again(self) -> None:
        self.ada.do(self.send)
        self.fixture.pass_s(7 * 24 * 3600 + 1)
        self.fixture.tick()

        refusal = self.ada.refusal(self.send)

        self.assertIsInstance(refusal, KeyExpired)
        self.assertEqual(self.bob.bodies, ["hello"])

    @rule("M2")
    def test_old_keys_are_forgotten_once_an_hour(self) -> None:
        for _ in range(5):
            self.fixture.tick()
            self.fixture.pass_s(1800)

        self.assertEqual(self.fixture.store.calls.count("forget"), 3)

    @rule("M2")
    def test_the_lifetime_of_a_key_is_a_setting(self) -> None:
        fixture = ChatFixture(Limits(key_lifetime_ms=2 * DAY_MS))
        ada = fixture.user("ada")

        refusal = ada.refusal(Send("ada", "x", key_of(1, at_ms=NOON_MS - 3 * DAY_MS)))

        self.assertEqual(refusal.fields, {"days": "2"})

    @rule("M2", "E2")
    def test_a_key_of_the_future_is_refused(self) -> None:
        tomorrow = key_of(1, at_ms=NOON_MS + 2 * DAY_MS)

        self.assertIsInstance(self.ada.refusal(Send("bob", "x", tomorrow)), InvalidKey)

    @rule("M2")
    def test_a_message_without_a_key_is_sent_as_often_as_it_is_asked(self) -> None:
        self.ada.do(Send("bob", "hello"), Send("bob", "hello"))

        self.assertEqual(self.bob.bodies, ["hello", "hello"])


class PolicyTest(unittest.TestCase):
    def test_the_application_may_refuse_what_the_rules_accept(self) -> None:
        policy = NoSpam()
        fixture = ChatFixture(policy=policy)
        ada, bob = fixture.user("ada"), fixture.user("bob")

        events = ada.do(
            Send("bob", "hello"),
            Send("bob", "spam"),
            Send("bob", ""),
            Send("bob", "goodbye"),
        )

        self.assertEqual(
            [type(it) for it in events], [Accepted, Refused, Refused, Accepted]
        )
        self.assertEqual(policy.asked, [("ada", ["hello", "spam", "goodbye"])])
        self.assertEqual(bob.bodies, ["hello", "goodbye"])
