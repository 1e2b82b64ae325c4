"""What one peer can make the chat hold, and how full mailboxes stay open (B1, B6)."""

import json
import unittest

from chatcore.commands import List, Login, Resume, Send
from chatcore.errors import (
    AcknowledgedTooMuch,
    InvalidKey,
    MailboxFull,
    MailboxShare,
    OutcomeUnknown,
)
from chatcore.events import Accepted, Delivered, Listed, Received, Refused
from chatcore.limits import DAY_MS, Limits
from tests.unit.chatcore.chat_fixture import ChatFixture, Peer, of_type
from tests.unit.chatcore.environment import NOON_MS
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.marks import rule


class NoticeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture(Limits(turn_commands=4))
        self.ada, self.bob = self.fixture.user("ada"), self.fixture.user("bob")

    @rule("B1", "M8")
    def test_notices_are_dropped_while_a_sender_does_not_read(self) -> None:
        for number in range(50):
            self.ada.do(Send("bob", str(number)))
        self.ada.is_clogged = True

        for position in range(1, 51):
            self.bob.acknowledge(position)
        held = len(self.ada.connection.outbox)
        late = of_type(self.ada.unclog(), Received)

        self.assertEqual(held, 4)
        self.assertEqual([it.positions for it in late], [(1,), (2,), (3,), (4,)])

    @rule("B1", "M8")
    def test_they_come_again_once_it_reads(self) -> None:
        self.ada.do(*(Send("bob", str(number)) for number in range(8)))
        self.ada.is_clogged = True
        for position in range(1, 8):
            self.bob.acknowledge(position)
        self.ada.unclog()

        self.bob.acknowledge(8)

        self.assertEqual(of_type(self.ada.events, Received)[-1].positions, (8,))

    @rule("B1", "M1")
    def test_answers_and_mail_are_never_dropped_for_want_of_room(self) -> None:
        self.ada.is_clogged = True
        self.ada.do(*(Send("ada", str(number)) for number in range(40)))

        events = self.ada.unclog()

        self.assertEqual(len(of_type(events, Accepted)), 40)
        self.assertEqual(len(of_type(events, Delivered)), 40)


class PageTest(unittest.TestCase):
    @rule("L1", "W6")
    def test_pages_of_a_list_are_split_by_size_and_each_fits_a_frame(self) -> None:
        frame_bytes = 10_240
        fixture = ChatFixture(Limits(body_bytes=1000, frame_bytes=frame_bytes))
        names = [f'{number:03}"\\ä漢' + "ж" * 57 for number in range(200)]
        for name in names:
            fixture.account(name)

        pages = of_type(fixture.user("ada").do(List()), Listed)

        self.assertGreater(len(pages), 2)
        for page in pages:
            written = json.dumps(
                {
                    "listed": {
                        "id": page.id,
                        "names": page.names,
                        "online": page.online,
                        "complete": page.complete,
                    }
                },
                ensure_ascii=False,
            )
            self.assertLess(len(written.encode()), frame_bytes)
            self.assertEqual(len(page.names), len(page.online))
        listed = [name for page in pages for name in page.names]
        self.assertEqual(listed, sorted([*names, "ada"]))
        self.assertEqual([it.complete for it in pages[:-1]], [False] * (len(pages) - 1))
        self.assertTrue(pages[-1].complete)

    @rule("L1")
    def test_small_names_still_come_as_many_to_a_page_as_are_set(self) -> None:
        fixture = ChatFixture(Limits(page_names=50))
        for number in range(120):
            fixture.account(f"user{number}")

        pages = of_type(fixture.user("ada").do(List()), Listed)

        self.assertEqual([len(it.names) for it in pages], [50, 50, 21])

    @rule("L1")
    def test_a_page_has_one_name_at_least_however_long(self) -> None:
        limits = Limits(
            username_chars=2000,
            body_bytes=10,
            password_max_bytes=100,
            frame_bytes=2 * (4 * 2000 + 4096),
        )
        fixture = ChatFixture(limits)
        for letter in "xyz":
            fixture.account("\U00010400" * 1999 + letter)

        pages = of_type(fixture.user("ada").do(List()), Listed)

        self.assertEqual([len(it.names) for it in pages], [2, 1, 1])


class ShareTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture(Limits(mailbox_messages=16))
        self.fixture.account("bob")

    def fill(self, sender: Peer, messages: int) -> list[str]:
        """Send so many; why each was not accepted, or nothing."""
        events = sender.do(*([Send("bob", "hello")] * messages))
        return [
            it.refusal.name if isinstance(it, Refused) else ""
            for it in events
            if isinstance(it, Accepted | Refused)
        ]

    @rule("B6")
    def test_the_last_quarter_takes_only_those_who_hold_less_than_a_quarter(
        self,
    ) -> None:
        ada, eve = self.fixture.user("ada"), self.fixture.user("eve")

        of_ada = self.fill(ada, 14)
        of_eve = self.fill(eve, 5)

        self.assertEqual(of_ada, [""] * 12 + ["MAILBOX_SHARE"] * 2)
        self.assertEqual(of_eve, [""] * 4 + ["MAILBOX_FULL"])

    @rule("B6", "E1")
    def test_the_refusal_says_which_mailbox_and_that_nothing_was_dropped(self) -> None:
        ada = self.fixture.user("ada")
        self.fill(ada, 12)

        refusal = ada.refusal(Send("bob", "one more"))

        self.assertIsInstance(refusal, MailboxShare)
        self.assertEqual((refusal.code, refusal.fields), (306, {"recipient": "bob"}))
        self.assertIn("nothing was dropped", refusal.text)

    @rule("B6")
    def test_room_that_is_made_is_there_for_all_again(self) -> None:
        ada = self.fixture.user("ada")
        self.fill(ada, 12)
        bob = self.fixture.user("bob")

        bob.acknowledge(4)

        self.assertEqual(self.fill(ada, 5), [""] * 4 + ["MAILBOX_SHARE"])

    @rule("B6", "M6")
    def test_a_mailbox_of_a_few_messages_takes_that_many_of_anybody(self) -> None:
        for size in (1, 2, 3):
            fixture = ChatFixture(Limits(mailbox_messages=size))
            fixture.account("bob")
            ada = fixture.user("ada")

            events = ada.do(*([Send("bob", "hello")] * (size + 1)))

            self.assertEqual(len(of_type(events, Accepted)), size)
            (refused,) = of_type(events, Refused)
            self.assertIsInstance(refused.refusal, MailboxFull)


class OutcomeTest(unittest.TestCase):
    @rule("M1", "M2")
    def test_after_an_unknown_outcome_and_a_repeat_an_online_recipient_has_it_at_once(
        self,
    ) -> None:
        fixture = ChatFixture()
        ada, bob = fixture.user("ada"), fixture.user("bob")
        fixture.store.fail_after("deposit", OutcomeUnknown())
        send = Send("bob", "hello", key_of(1))
        unknown = ada.refusal(send)
        before = bob.bodies

        repeated = ada.ask(send)

        self.assertIsInstance(unknown, OutcomeUnknown)
        self.assertIsInstance(repeated, Accepted)
        self.assertEqual((before, bob.bodies), ([], ["hello"]))

    @rule("M1", "M3")
    def test_the_next_message_brings_it_as_well_in_order_and_a_repeat_nothing_more(
        self,
    ) -> None:
        fixture = ChatFixture()
        ada, bob = fixture.user("ada"), fixture.user("bob")
        fixture.store.fail_after("deposit", OutcomeUnknown())
        ada.do(Send("bob", "one", key_of(1)))

        ada.do(Send("bob", "two", key_of(2)), Send("bob", "one", key_of(1)))
        ada.do(Send("bob", "one", key_of(1)))

        self.assertEqual(bob.bodies, ["one", "two"])

    @rule("M1")
    def test_a_recipient_that_is_away_gets_it_when_it_is_back(self) -> None:
        fixture = ChatFixture()
        ada, bob = fixture.user("ada"), fixture.user("bob")
        bob.lose()
        fixture.store.fail_after("deposit", OutcomeUnknown())
        send = Send("bob", "hello", key_of(1))
        ada.do(send)
        ada.do(send)
        back = fixture.peer()

        back.do(Resume(bob.token))

        self.assertEqual(back.bodies, ["hello"])

    @rule("B7", "M2")
    def test_a_key_that_is_further_ahead_than_clocks_differ_is_refused_by_the_store(
        self,
    ) -> None:
        fixture = ChatFixture()
        ada, bob = fixture.user("ada"), fixture.user("bob")
        key = key_of(1, at_ms=NOON_MS + DAY_MS + 1)

        refusal = ada.refusal(Send("bob", "early", key))
        fixture.pass_s(1)
        answer = ada.ask(Send("bob", "early", key))

        assert isinstance(refusal, InvalidKey)
        self.assertEqual(refusal.fields, {"reason": "this one's time is in the future"})
        self.assertIsInstance(answer, Accepted)
        self.assertEqual(bob.bodies, ["early"])


class RefusedResumeTest(unittest.TestCase):
    @rule("E2", "S3", "S6")
    def test_a_resume_that_has_seen_too_much_leaves_epoch_link_and_deliveries(
        self,
    ) -> None:
        fixture = ChatFixture()
        ada, bob = fixture.user("ada"), fixture.user("bob")
        bob.do(Send("ada", "one"), Send("ada", "two"))
        session = fixture.chat.session_of(ada.connection)
        assert session is not None
        epoch = session.epoch
        stored: list[int] = []

        async def look() -> None:
            stored.extend(it.epoch for it in await fixture.store.sessions())

        fixture.do(look())

        refusal = fixture.peer().refusal(Resume(ada.token, last_seen=3))
        fixture.do(look())
        bob.do(Send("ada", "three"))
        refused_early = ada.acknowledge(2)

        self.assertIsInstance(refusal, AcknowledgedTooMuch)
        self.assertEqual(stored[:2], stored[2:])
        self.assertEqual(session.epoch, epoch)
        self.assertIs(fixture.chat.session_of(ada.connection), session)
        self.assertEqual(ada.bodies, ["one", "two", "three"])
        self.assertEqual(refused_early, [])
        self.assertEqual(len(of_type(bob.events, Received)), 1)
        ada.lose()
        events = fixture.peer().do(Resume(ada.token, last_seen=2))
        self.assertEqual([it.body for it in of_type(events, Delivered)], ["three"])

    @rule("E2", "S3")
    def test_a_detached_session_still_waits_for_one_that_is_right(self) -> None:
        fixture = ChatFixture()
        ada = fixture.user("ada")
        ada.lose()
        back = fixture.peer()

        back.refusal(Resume(ada.token, last_seen=1))
        fixture.pass_s(29)
        fixture.tick()

        self.assertNotIsInstance(back.ask(Resume(ada.token)), Refused)
        fixture.account("eve")
        self.assertNotIsInstance(
            fixture.peer().ask(Login(username="eve", password="correct horse")), Refused
        )
