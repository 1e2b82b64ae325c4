"""What an application's handlers are told of messages, and when (M1, M4)."""

import unittest
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from chatcore.commands import DeliveryMode, Login, Resume, Send
from chatcore.errors import StoreUnavailable
from chatcore.ids import (
    NO_KEY,
    AccountId,
    Epoch,
    IdempotencyKey,
    Position,
    Username,
)
from chatcore.message_events import (
    MailWaiting,
    MessageAcknowledged,
    MessageDelivered,
    MessageEvent,
    MessageStored,
)
from chatcore.model import Deposit
from chatcore.sessions import Sessions
from chatcore.store import Stored
from chatcore.telling import Telling
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture
from tests.unit.chatcore.environment import NOON_MS
from tests.unit.chatcore.marks import rule

KINDS = (MessageStored, MessageDelivered, MessageAcknowledged, MailWaiting)
ADA, BOB = AccountId(1), AccountId(2)
KEY = IdempotencyKey(NOON_MS.to_bytes(6, "big") + b"\x70\x00\x80" + bytes(7))


class Diary:
    """Notes batches, of the kinds that it wants."""

    dropped = 0

    def __init__(self, *wanted: type[MessageEvent]) -> None:
        self.wanted: AbstractSet[type[MessageEvent]] = frozenset(wanted)
        self.batches: list[list[MessageEvent]] = []

    def tell(self, events: Sequence[MessageEvent]) -> None:
        self.batches.append(list(events))

    async def run(self) -> None:
        """Nothing waits here."""

    async def finish(self) -> None:
        """Nothing waits here."""

    def take(self) -> list[list[MessageEvent]]:
        """The batches since this was asked last."""
        taken, self.batches = self.batches, []
        return taken


def stored(position: int, body: str) -> MessageStored:
    """What is told of a message from ada to bob."""
    return MessageStored(
        Username("ada"), ADA, Username("bob"), BOB, Position(position), body, NOON_MS
    )


def delivered(position: int) -> MessageDelivered:
    """What is told when bob has it."""
    return MessageDelivered(
        Username("ada"), ADA, Username("bob"), BOB, Position(position)
    )


def acknowledged(position: int) -> MessageAcknowledged:
    """What is told when bob has acknowledged it."""
    return MessageAcknowledged(ADA, Username("bob"), BOB, Position(position))


def waiting(position: int) -> MailWaiting:
    """What is told when bob is offline and has mail."""
    return MailWaiting(Username("bob"), BOB, Position(position))


class TellingCase(unittest.TestCase):
    """A chat of ada and bob, and somebody who is told."""

    wanted: Sequence[type[MessageEvent]] = KINDS

    def setUp(self) -> None:
        self.diary = Diary(*self.wanted)
        self.fixture = ChatFixture(handlers=self.diary)
        for name in ("ada", "bob"):
            self.fixture.account(name)
        self.ada = self.fixture.user("ada")


class TellingTest(TellingCase):
    @rule("M1")
    def test_a_run_of_sends_is_told_as_one_batch_and_who_is_offline_once(self) -> None:
        self.ada.do(Send("bob", "one"), Send("bob", "two"), Send("nobody", "three"))

        self.assertEqual(
            self.diary.take(), [[stored(1, "one"), stored(2, "two")], [waiting(2)]]
        )

    def test_what_goes_straight_to_a_link_is_told_as_delivered_too(self) -> None:
        self.fixture.user("bob")

        self.ada.do(Send("bob", "one"), Send("bob", "two"))

        self.assertEqual(
            self.diary.take(),
            [[stored(1, "one"), stored(2, "two")], [delivered(1), delivered(2)]],
        )

    def test_mail_that_waited_is_told_as_delivered_when_it_is_read(self) -> None:
        self.ada.do(Send("bob", "one"))
        self.diary.take()

        self.fixture.user("bob")

        self.assertEqual(self.diary.take(), [[delivered(1)]])

    @rule("M4")
    def test_an_acknowledgement_is_told_of_each_message_after_its_commit(self) -> None:
        bob = self.fixture.user("bob")
        self.ada.do(Send("bob", "one"), Send("bob", "two"), Send("bob", "three"))
        self.diary.take()

        bob.acknowledge(2)

        self.assertEqual(self.diary.take(), [[acknowledged(1), acknowledged(2)]])

    @rule("M2")
    def test_a_repeat_under_a_key_is_told_once(self) -> None:
        self.ada.do(Send("bob", "one", KEY))
        self.diary.take()

        self.ada.do(Send("bob", "one", KEY))

        self.assertEqual(self.diary.take(), [])

    @rule("M1")
    def test_what_was_not_stored_is_not_told(self) -> None:
        self.fixture.store.fail("deposit", StoreUnavailable(reason="full"))

        self.ada.do(Send("bob", "one"))

        self.assertEqual(self.diary.take(), [])

    def test_what_the_application_sends_itself_is_told_as_well(self) -> None:
        async def send() -> None:
            await self.fixture.chat.send("ada", "bob", "one")

        self.fixture.do(send())

        self.assertEqual(self.diary.take(), [[stored(1, "one")], [waiting(1)]])


class WaitingTest(TellingCase):
    wanted: Sequence[type[MessageEvent]] = (MailWaiting,)

    def test_who_is_offline_is_told_of_once_however_much_comes(self) -> None:
        for body in ("one", "two", "three"):
            self.ada.do(Send("bob", body))

        self.assertEqual(self.diary.take(), [[waiting(1)]])

    def test_who_was_online_again_is_told_of_anew(self) -> None:
        self.ada.do(Send("bob", "one"))
        bob = self.fixture.user("bob")
        bob.acknowledge(1)
        bob.lose()
        self.diary.take()

        self.ada.do(Send("bob", "two"))

        self.assertEqual(self.diary.take(), [[waiting(2)]])

    def test_who_loses_the_link_with_mail_on_it_is_told_of(self) -> None:
        bob = self.fixture.user("bob")
        self.ada.do(Send("bob", "one"))

        bob.lose()

        self.assertEqual(self.diary.take(), [[waiting(1)]])

    def test_who_loses_the_link_and_has_acknowledged_all_is_not_told_of(self) -> None:
        bob = self.fixture.user("bob")
        self.ada.do(Send("bob", "one"))
        bob.acknowledge(1)

        bob.lose()

        self.assertEqual(self.diary.take(), [])

    def test_a_resume_counts_as_having_been_online(self) -> None:
        bob = self.fixture.user("bob")
        self.ada.do(Send("bob", "one"))
        bob.lose()
        again = self.fixture.peer()
        again.do(Resume(token=bob.token, last_seen=0))
        self.diary.take()

        again.lose()

        self.assertEqual(self.diary.take(), [[waiting(1)]])

    def test_who_has_mail_and_does_not_fetch_it_is_online_all_the_same(self) -> None:
        bob = self.fixture.peer()
        bob.do(Login(username="bob", password=PASSWORD, delivery=DeliveryMode.MANUAL))

        self.ada.do(Send("bob", "one"))

        self.assertEqual(self.diary.take(), [])

    def test_a_server_that_stops_tells_of_nobody(self) -> None:
        bob = self.fixture.user("bob")
        self.ada.do(Send("bob", "one"))
        self.fixture.do(self.fixture.chat.stop())

        bob.lose()

        self.assertEqual(self.diary.take(), [])

    def test_of_too_many_the_first_may_be_told_of_again(self) -> None:
        telling = Telling(self.diary, Sessions(grace_s=30), most_told=1)
        deposit = Deposit(ADA, Epoch(1), Username("bob"), "one", 3, NO_KEY, NOON_MS)
        results = [
            Stored(AccountId(account), Position(1), NOON_MS, new=True)
            for account in (2, 3, 3, 2)
        ]

        for result in results:
            telling.stored(Username("ada"), [deposit], [result])

        told = [
            it.account
            for batch in self.diary.take()
            for it in batch
            if isinstance(it, MailWaiting)
        ]
        self.assertEqual(told, [2, 3, 2])


class WantedTest(TellingCase):
    wanted: Sequence[type[MessageEvent]] = (MessageStored,)

    def test_what_nobody_wants_to_know_is_not_told(self) -> None:
        bob = self.fixture.user("bob")
        self.ada.do(Send("bob", "one"))
        bob.acknowledge(1)
        bob.lose()
        self.ada.do(Send("bob", "two"))
        self.fixture.user("bob")

        self.assertEqual(self.diary.take(), [[stored(1, "one")], [stored(2, "two")]])
