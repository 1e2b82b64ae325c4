"""Deletions in the erasure log, and a crash between it and the store (D5)."""

import unittest

from chatcore.commands import (
    Delete,
    InboxAction,
    List,
    Login,
    OutboxAction,
    Resume,
    Send,
)
from chatcore.errors import (
    OutcomeUnknown,
    SessionGone,
    StoreUnavailable,
    WrongCredentials,
)
from chatcore.events import Accepted, Deleted, Listed, Refused
from chatcore.ids import AccountId, IdempotencyKey
from chatcore.model import NO_MARK, Erasure
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, Peer, of_type
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.marks import rule
from tests.unit.chatcore.memory_erasure_log import MemoryErasureLog

DISCARD = Delete(username="ada", password=PASSWORD, inbox=InboxAction.DISCARD)
ERASE = Delete(
    username="ada",
    password=PASSWORD,
    inbox=InboxAction.DISCARD,
    outbox=OutboxAction.RETRACT,
)


class ErasuresTest(unittest.TestCase):
    def setUp(self) -> None:
        self.log = MemoryErasureLog()
        self.fixture = ChatFixture(erasure_log=self.log)
        self.ada = self.fixture.user("ada")
        self.bob = self.fixture.user("bob")

    def mark(self) -> int:
        """How far the log was with the last deletion that the store has."""
        marks = []

        async def ask() -> None:
            marks.append(await self.fixture.store.log_mark())

        self.fixture.do(ask())
        return marks[0].sequence

    def refusals(self, peer: Peer) -> list[str]:
        return [type(it.refusal).__name__ for it in of_type(peer.events, Refused)]

    @rule("D5", "B8")
    def test_a_deletion_is_in_the_log_before_the_store_decides_it(self) -> None:
        waiting = self.fixture.store.hold("delete_account")

        self.ada.do(ERASE)

        self.assertEqual(
            self.log.erasures,
            {
                1: Erasure(
                    account=AccountId(1),
                    discard=True,
                    retract=True,
                    key=IdempotencyKey(b""),
                    at_ms=self.fixture.surroundings.clock.now_ms(),
                )
            },
        )
        self.assertEqual(of_type(self.ada.events, Deleted), [])
        waiting.end(answer=True)
        self.fixture.scheduler.run()
        self.assertEqual(len(of_type(self.ada.events, Deleted)), 1)
        self.assertEqual(self.mark(), 1)

    @rule("D5", "E2")
    def test_a_log_that_cannot_be_written_refuses_and_nothing_is_changed(self) -> None:
        self.log.is_full = True

        self.ada.do(ERASE)

        (refused,) = of_type(self.ada.events, Refused)
        self.assertIsInstance(refused.refusal, StoreUnavailable)
        self.assertIn("erasure log", refused.refusal.text)
        self.assertEqual(len(of_type(self.bob.do(Send("ada", "x")), Accepted)), 1)
        self.log.is_full = False
        self.ada.do(ERASE)
        self.assertEqual(len(of_type(self.ada.events, Deleted)), 1)

    @rule("D5")
    def test_what_the_store_refuses_is_withdrawn(self) -> None:
        self.fixture.store.fail("delete_account", StoreUnavailable(reason="full"))

        self.ada.do(ERASE)

        self.assertEqual(self.refusals(self.ada), ["StoreUnavailable"])
        self.assertEqual(self.log.withdrawn, {1})
        self.fixture.restart()
        self.assertEqual(len(of_type(self.log_in().do(Send("ada", "x")), Accepted)), 1)

    @rule("D5")
    def test_what_could_not_be_withdrawn_is_at_the_next_tick(self) -> None:
        self.fixture.store.fail("delete_account", StoreUnavailable(reason="full"))
        self.log.holds_withdrawals = True
        self.ada.do(ERASE)
        self.assertEqual(self.refusals(self.ada), ["StoreUnavailable"])
        self.assertEqual(self.log.withdrawn, set())
        self.log.holds_withdrawals = False

        self.fixture.tick()

        self.assertEqual(self.log.withdrawn, {1})

    @rule("D5", "M1")
    def test_what_the_store_has_done_without_saying_so_is_not_withdrawn(self) -> None:
        self.fixture.store.fail_after("delete_account", OutcomeUnknown())

        self.ada.do(ERASE)

        self.assertEqual(self.refusals(self.ada), ["OutcomeUnknown"])
        self.assertEqual(self.log.withdrawn, set())
        self.assertEqual(self.mark(), 1)

    @rule("D2", "D5")
    def test_a_deletion_that_mail_comes_before_is_withdrawn_and_tried_again(
        self,
    ) -> None:
        carol = self.fixture.user("carol")
        carol.is_clogged = True
        self.ada.do(Send("carol", "x"))
        bouncing = self.fixture.store.hold("discard")
        carol.do(Delete(username="carol", password=PASSWORD, inbox=InboxAction.DISCARD))
        deciding = self.fixture.store.hold("delete_account")
        self.ada.do(Delete(username="ada", password=PASSWORD))
        # Only a bounce gets into a mailbox that closes.
        for wait in (bouncing, deciding):
            wait.end(answer=True)
            self.fixture.scheduler.run()
        self.assertEqual(of_type(self.ada.events, Deleted), [])

        self.ada.acknowledge(self.ada.mail[-1].position)

        self.assertEqual(len(of_type(self.ada.events, Deleted)), 1)
        self.assertEqual(self.log.withdrawn, {2})
        self.assertEqual(self.mark(), 4)

    @rule("D5", "D6")
    def test_who_is_in_the_log_and_not_in_the_store_is_erased_at_the_start(
        self,
    ) -> None:
        keyed = Delete(
            username="ada",
            password=PASSWORD,
            inbox=InboxAction.DISCARD,
            outbox=OutboxAction.RETRACT,
            key=key_of(1),
        )
        self.ada.do(Send("bob", "taken back"))
        # The process ends between the log and the store.
        self.fixture.store.silence("delete_account")
        self.ada.do(keyed)
        self.assertEqual(of_type(self.ada.events, Deleted), [])

        self.fixture.restart()

        self.assertEqual(self.mark(), 1)
        peer = self.fixture.peer()
        self.assertIsInstance(peer.refusal(Resume(self.ada.token, 0)), SessionGone)
        wrong = peer.refusal(Login(username="ada", password=PASSWORD))
        self.assertIsInstance(wrong, WrongCredentials)
        # Whoever repeats it gets the answer that the crash has kept from them.
        self.fixture.tick()
        peer.do(keyed)
        (deleted,) = of_type(peer.events, Deleted)
        self.assertEqual(deleted.receipt.retracted, 1)

    @rule("D5")
    def test_a_start_with_a_log_that_has_no_more_changes_nothing(self) -> None:
        self.ada.do(ERASE)

        self.fixture.restart()

        self.assertEqual(self.mark(), 1)
        bob = self.fixture.user("bob")
        bob.do(List("*"))
        names = [it for page in of_type(bob.events, Listed) for it in page.names]
        self.assertEqual(names, ["bob"])

    @rule("D5")
    def test_deletions_at_the_same_time_are_in_the_log_one_by_one(self) -> None:
        waiting = self.fixture.store.hold("delete_account")
        self.ada.do(ERASE)
        self.bob.do(
            Delete(username="bob", password=PASSWORD, inbox=InboxAction.DISCARD)
        )
        self.assertEqual(list(self.log.erasures), [1])

        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(list(self.log.erasures), [1, 2])
        self.assertEqual(self.mark(), 2)

    def test_without_a_log_the_store_has_no_mark(self) -> None:
        self.fixture.erasure_log = None
        self.fixture.restart()

        self.log_in().do(ERASE)

        self.assertEqual(self.mark(), NO_MARK.sequence)

    def log_in(self) -> Peer:
        """A new link of ``ada``."""
        return self.fixture.user("ada")
