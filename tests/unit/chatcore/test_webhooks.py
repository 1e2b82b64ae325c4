"""A chat keeps webhooks in its store's outbox, and wakes who sends them (M1)."""

import unittest

from chatcore import Chat
from chatcore.errors import StoreUnavailable
from chatcore.message_events import MessageEvent
from chatcore.outbox import Outbox, WebhooksNotKept
from chatcore.ports import Clock
from chatstores.memory.store import MemoryStore
from tests.unit.chatcore.environment import Surroundings
from tests.unit.chatcore.manual_scheduler import ManualScheduler
from tests.unit.chatcore.marks import rule
from tests.unit.chatcore.unreliable_store import UnreliableStore

TARGET = "https://app.example/hooks"


class Sender:
    """Notes what it is woken for, and given."""

    targets = (TARGET,)
    with_body = True
    retry_failed = False

    def __init__(self) -> None:
        self.woken = 0
        self.ran: list[tuple[Outbox, Clock, bytes]] = []

    def wake(self) -> None:
        self.woken += 1

    async def run(self, outbox: Outbox, clock: Clock, identity: bytes) -> None:
        self.ran.append((outbox, clock, identity))

    async def finish(self) -> None:
        """Nothing is under way."""


class Diary:
    """Handlers beside the webhooks, which want nothing."""

    wanted: frozenset[type[MessageEvent]] = frozenset()
    dropped = 0

    def tell(self, events: object) -> None:
        raise AssertionError(events)

    async def run(self) -> None:
        """Nothing is told."""

    async def finish(self) -> None:
        """Nothing is told."""


class WithoutOutbox(MemoryStore):
    """A store that keeps no webhooks."""

    def __init__(self) -> None:
        super().__init__()
        del self.outbox


class WebhooksTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        scheduler = ManualScheduler()
        self.environment = Surroundings(scheduler).as_environment()
        self.store = UnreliableStore(scheduler)
        self.sender = Sender()
        self.chat = Chat(self.store, webhooks=self.sender, handlers=Diary())

    @rule("M1")
    async def test_a_message_is_in_the_outbox_when_its_sender_is_answered(self) -> None:
        await self.chat.start(self.environment)
        for name in ("ada", "bob"):
            await self.chat.ensure_account(name)

        receipt = await self.chat.send("ada", "bob", "one")

        (told,) = await self.store.outbox.due(
            TARGET, now_ms=receipt.sent_at_ms, longest_ms=0, limit=9
        )
        self.assertEqual((told.position, told.body), (receipt.position, "one"))
        self.assertEqual(self.sender.woken, 1)

    @rule("M1")
    async def test_what_was_not_stored_is_told_nobody(self) -> None:
        await self.chat.start(self.environment)
        await self.chat.ensure_account("ada")
        self.store.fail("deposit", StoreUnavailable(reason="full"))

        with self.assertRaises(StoreUnavailable):
            await self.chat.send("ada", "ada", "one")

        self.assertEqual((self.store.outbox.waiting, self.sender.woken), (0, 0))

    async def test_who_sends_them_gets_the_outbox_and_whose_it_is(self) -> None:
        await self.chat.start(self.environment)

        await self.chat.send_webhooks()

        identity = await self.store.identity()
        clock = self.environment.clock
        self.assertEqual(self.sender.ran, [(self.store.outbox, clock, identity)])

    async def test_a_chat_that_is_to_send_none_keeps_none(self) -> None:
        chat = Chat(self.store)
        await chat.start(self.environment)
        await chat.ensure_account("ada")

        await chat.send("ada", "ada", "one")
        await chat.send_webhooks()

        self.assertIsNone(chat.outbox)
        self.assertEqual(self.store.outbox.waiting, 0)

    async def test_a_store_without_an_outbox_says_so_at_the_start(self) -> None:
        chat = Chat(WithoutOutbox(), webhooks=self.sender)

        with self.assertRaises(WebhooksNotKept) as refused:
            await chat.start(self.environment)

        self.assertIn("WithoutOutbox keeps no webhooks", str(refused.exception))
