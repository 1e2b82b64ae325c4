"""Receiving: acknowledgements, deliveries that are asked for, notices (M4, M7, M8)."""

import unittest
from collections.abc import Callable

from chatcore.commands import (
    Acknowledge,
    Delete,
    Deliver,
    DeliveryMode,
    Login,
    Logout,
    OutboxAction,
    Resume,
    Send,
)
from chatcore.errors import (
    AcknowledgedTooMuch,
    LoginRequired,
    OutcomeUnknown,
    TooManyOperations,
)
from chatcore.events import DeliveryFinished, LoggedIn, Received, Refused, Started
from chatcore.ids import AccountId, Position, Username
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, Peer, of_type
from tests.unit.chatcore.marks import rule


def manual(fixture: ChatFixture, username: str) -> Peer:
    """A link whose mail comes when it is asked for."""
    peer = fixture.peer()
    login = Login(
        username=username, password=PASSWORD, create=True, delivery=DeliveryMode.MANUAL
    )
    (logged_in,) = of_type(peer.do(login), LoggedIn)
    peer.token = logged_in.token
    return peer


class AcknowledgeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada, self.bob = self.fixture.user("ada"), self.fixture.user("bob")

    def queued(self) -> int:
        """How much mail bob finds when he logs in again."""
        self.bob.lose()
        self.bob = self.fixture.peer()
        return self.bob.log_in("bob").queued

    @rule("M4")
    def test_a_message_that_was_written_to_a_link_is_still_in_the_mailbox(
        self,
    ) -> None:
        self.ada.do(Send("bob", "hello"))

        self.assertEqual((self.bob.bodies, self.queued()), (["hello"], 1))

    @rule("M4")
    def test_an_acknowledgement_removes_all_up_to_its_position(self) -> None:
        self.ada.do(*(Send("bob", str(n)) for n in range(5)))

        self.assertEqual(self.bob.acknowledge(3), [])

        self.assertEqual(self.queued(), 2)
        self.assertEqual(self.bob.bodies, ["3", "4"])

    @rule("M4", "E2")
    def test_an_acknowledgement_of_what_was_not_delivered_is_refused(self) -> None:
        self.ada.do(Send("bob", "hello"))

        (event,) = self.bob.acknowledge(2)

        assert isinstance(event, Refused)
        self.assertIsInstance(event.refusal, AcknowledgedTooMuch)
        self.assertEqual(self.queued(), 1)

    @rule("M4")
    def test_an_older_acknowledgement_does_nothing(self) -> None:
        self.ada.do(Send("bob", "one"), Send("bob", "two"))
        self.bob.acknowledge(2)

        self.assertEqual(self.bob.acknowledge(1), [])
        self.assertEqual(self.bob.acknowledge(2), [])
        self.assertEqual(self.queued(), 0)

    @rule("W7", "M4")
    def test_a_valid_acknowledgement_has_no_answer_in_a_batch_either(self) -> None:
        self.ada.do(Send("bob", "hello"))

        events = self.bob.do(Acknowledge(1))

        self.assertEqual((events, self.queued()), ([], 0))

    @rule("S4")
    def test_without_a_session_there_is_nothing_to_acknowledge(self) -> None:
        (event,) = self.fixture.peer().acknowledge(1)

        assert isinstance(event, Refused)
        self.assertIsInstance(event.refusal, LoginRequired)

    @rule("W7")
    def test_an_acknowledgement_passes_a_slow_command(self) -> None:
        self.ada.do(Send("bob", "hello"))
        waiting = self.fixture.store.hold("deposit")
        self.bob.do(Send("ada", "slow"))

        self.bob.acknowledge(1)
        received = of_type(self.ada.events, Received)
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(len(received), 1)
        self.assertEqual(self.ada.bodies, ["slow"])

    @rule("W8")
    def test_a_delivery_stops_at_its_window_and_goes_on_when_there_is_room(
        self,
    ) -> None:
        self.ada.do(*(Send("bob", str(n)) for n in range(600)))

        counts = [len(self.bob.bodies)]
        for position in (1, 64, 256, 512):
            self.bob.acknowledge(position)
            counts.append(len(self.bob.bodies))

        self.assertEqual(counts, [256, 256, 320, 512, 600])
        self.assertEqual(len(self.bob.events), 2 + 600)
        self.assertEqual(self.bob.bodies, [str(n) for n in range(600)])

    @rule("W8")
    def test_a_delivery_stops_at_512_kib_as_well(self) -> None:
        self.ada.do(*(Send("bob", "x" * 65536) for _ in range(10)))

        self.assertEqual(len(self.bob.bodies), 8)


class NoticeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada, self.bob = self.fixture.user("ada"), self.fixture.user("bob")

    @rule("M8")
    def test_a_sender_that_is_online_is_told_what_was_acknowledged(self) -> None:
        eve = self.fixture.user("eve")
        self.ada.do(Send("bob", "one"))
        eve.do(Send("bob", "two"))
        self.ada.do(Send("bob", "three"))

        self.bob.acknowledge(3)

        self.assertEqual(
            of_type(self.ada.events, Received),
            [Received(Username("bob"), AccountId(2), (Position(1), Position(3)))],
        )
        self.assertEqual(
            of_type(eve.events, Received),
            [Received(Username("bob"), AccountId(2), (Position(2),))],
        )

    @rule("M8")
    def test_a_sender_that_is_not_there_is_never_told(self) -> None:
        self.ada.do(Send("bob", "one"))
        self.ada.lose()

        self.bob.acknowledge(1)
        back = self.fixture.peer()
        back.do(Resume(self.ada.token))
        self.fixture.user("eve").do(Logout())

        self.assertEqual(of_type(back.events, Received), [])

    @rule("M8")
    def test_a_sender_that_has_logged_out_is_never_told(self) -> None:
        self.ada.do(Send("bob", "one"), Logout())

        self.bob.acknowledge(1)

        self.assertEqual(of_type(self.ada.events, Received), [])

    @rule("M8", "M1")
    def test_the_notice_comes_after_the_commit_of_the_acknowledgement(self) -> None:
        commits: list[Callable[[], None]] = []
        fixture = ChatFixture()
        fixture.store.call_soon(commits.append)
        ada, bob = fixture.user("ada"), fixture.user("bob")
        ada.do(Send("bob", "one"))

        bob.acknowledge(1)
        early = of_type(ada.events, Received)
        for committed in commits:
            committed()
        fixture.scheduler.run()

        self.assertEqual(early, [])
        self.assertEqual(len(of_type(ada.events, Received)), 1)


class DeliverTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada, self.bob = self.fixture.user("ada"), manual(self.fixture, "bob")

    @rule("M7")
    def test_it_sends_what_is_queued_and_tells_when_all_is_acknowledged(self) -> None:
        self.ada.do(Send("bob", "one"), Send("bob", "two"))

        events = self.bob.do(Deliver())
        half = self.bob.acknowledge(1)
        whole = self.bob.acknowledge(2)

        self.assertEqual(events[0], Started(2))
        self.assertEqual(self.bob.bodies, ["one", "two"])
        self.assertEqual((half, whole), ([], [DeliveryFinished(2, 2)]))

    @rule("M7")
    def test_with_nothing_queued_it_finishes_at_once(self) -> None:
        events = self.bob.do(Deliver())

        self.assertEqual(events, [Started(2), DeliveryFinished(2, 0)])

    @rule("M7")
    def test_what_comes_later_waits_for_the_next_one(self) -> None:
        self.ada.do(Send("bob", "one"))
        self.bob.do(Deliver())
        self.ada.do(Send("bob", "two"))
        finished = self.bob.acknowledge(1)

        before = self.bob.bodies
        self.bob.do(Deliver())

        self.assertEqual(finished, [DeliveryFinished(2, 1)])
        self.assertEqual((before, self.bob.bodies), (["one"], ["one", "two"]))

    @rule("M7", "M3")
    def test_what_comes_while_the_mail_is_read_waits_and_is_not_lost(self) -> None:
        self.ada.do(Send("bob", "one"))
        waiting = self.fixture.store.hold("read")
        self.bob.do(Deliver())
        self.ada.do(Send("bob", "two"))
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        before = self.bob.bodies
        self.bob.do(Deliver())

        self.assertEqual((before, self.bob.bodies), (["one"], ["one", "two"]))

    @rule("M7", "W8")
    def test_more_than_a_window_comes_as_it_is_acknowledged(self) -> None:
        self.ada.do(*(Send("bob", str(n)) for n in range(300)))

        self.bob.do(Deliver())
        first = len(self.bob.bodies)
        self.bob.acknowledge(256)
        finished = self.bob.acknowledge(300)

        self.assertEqual((first, len(self.bob.bodies)), (256, 300))
        self.assertEqual(finished, [DeliveryFinished(2, 300)])

    @rule("M7", "M3")
    def test_what_comes_behind_a_full_window_waits_and_is_not_lost(self) -> None:
        self.ada.do(*(Send("bob", str(n)) for n in range(300)))
        self.bob.do(Deliver())
        self.ada.do(Send("bob", "300"))
        self.bob.acknowledge(256)

        before = len(self.bob.bodies)
        self.bob.acknowledge(300)
        self.bob.do(Deliver())

        self.assertEqual(before, 300)
        self.assertEqual(self.bob.bodies, [str(n) for n in range(301)])

    @rule("M7")
    def test_two_at_once_finish_each_for_itself(self) -> None:
        self.ada.do(Send("bob", "one"))
        self.bob.do(Deliver())
        self.ada.do(Send("bob", "two"))
        self.bob.do(Deliver())

        first, second = self.bob.acknowledge(1), self.bob.acknowledge(2)

        self.assertEqual(first, [DeliveryFinished(2, 1)])
        self.assertEqual(second, [DeliveryFinished(3, 2)])

    @rule("M7")
    def test_a_session_with_pushed_mail_may_ask_as_well(self) -> None:
        self.bob.do(Send("ada", "hello"))

        events = self.ada.do(Deliver())
        finished = self.ada.acknowledge(1)

        self.assertEqual(events, [Started(2)])
        self.assertEqual(finished, [DeliveryFinished(2, 1)])
        self.assertEqual(self.ada.bodies, ["hello"])

    @rule("M7", "E2")
    def test_more_than_eight_at_once_are_refused(self) -> None:
        self.ada.do(Send("bob", "hello"))
        self.bob.do(*(Deliver() for _ in range(8)))

        refusal = self.bob.refusal(Deliver())
        finished = self.bob.acknowledge(1)

        self.assertIsInstance(refusal, TooManyOperations)
        self.assertEqual(refusal.fields, {"maximum": "8"})
        self.assertEqual(len(of_type(finished, DeliveryFinished)), 8)

    @rule("M7", "D3")
    def test_it_finishes_when_all_that_was_queued_is_retracted_meanwhile(self) -> None:
        self.ada.do(Send("bob", "one"))
        waiting = self.fixture.store.hold("read")
        self.bob.do(Deliver())
        self.ada.do(
            Delete(username="ada", password=PASSWORD, outbox=OutboxAction.RETRACT)
        )

        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(self.bob.bodies, [])
        self.assertEqual(self.bob.events[-1], DeliveryFinished(2, 1))

    @rule("M7", "M1")
    def test_it_sends_what_was_stored_without_anybody_knowing(self) -> None:
        self.fixture.store.fail_after("deposit", OutcomeUnknown())
        self.bob.do(Send("ada", "hello"))

        before = self.ada.bodies
        self.ada.do(Deliver())

        self.assertEqual((before, self.ada.bodies), ([], ["hello"]))

    @rule("M7", "S3")
    def test_one_that_was_asked_for_on_an_older_link_finishes_nowhere(self) -> None:
        self.ada.do(Send("bob", "hello"))
        self.bob.do(Deliver())
        back = self.fixture.peer()
        back.do(Resume(self.bob.token, last_seen=1))

        events = back.acknowledge(1)

        self.assertEqual(events, [])

    @rule("M7", "S3")
    def test_one_that_is_overtaken_by_a_resume_starts_nothing(self) -> None:
        self.ada.do(Send("bob", "hello"))
        waiting = self.fixture.store.hold("mailbox")
        self.bob.do(Deliver())
        back = self.fixture.peer()
        back.do(Resume(self.bob.token))

        waiting.end(answer=True)
        self.fixture.scheduler.run()
        back.do(Send("ada", "wakes the link"))

        self.assertEqual(back.bodies, [])
        self.assertEqual(of_type(back.events, DeliveryFinished), [])
        self.assertEqual(of_type(self.bob.events, Started), [])
