"""Peers that say no more, and what they were told before (M4, D2, S3)."""

import unittest

from chatcore.commands import Delete, Resume, Send
from chatcore.errors import AcknowledgedTooMuch, DeletionStalled
from chatcore.events import Deleted, Refused
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, of_type
from tests.unit.chatcore.marks import rule


class GoingSilent(unittest.TestCase):
    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.bob = self.fixture.user("bob")
        self.ada = self.fixture.user("ada")

    @rule("M4", "S3")
    def test_what_was_delivered_before_a_resume_can_be_acknowledged_after_it(
        self,
    ) -> None:
        self.bob.do(Send("ada", "one"), Send("ada", "two"))
        back = self.fixture.peer()
        back.is_clogged = True
        back.do(Resume(self.ada.token, last_seen=0))

        back.acknowledge(2)
        back.unclog()
        again = self.fixture.peer()
        again.do(Resume(self.ada.token))

        self.assertEqual(of_type(back.events, Refused), [])
        self.assertEqual(again.bodies, [])

    @rule("M4")
    def test_what_was_never_delivered_cannot_be_acknowledged_after_a_resume(
        self,
    ) -> None:
        self.bob.do(Send("ada", "one"))
        back = self.fixture.peer()
        back.do(Resume(self.ada.token, last_seen=0))

        back.acknowledge(2)

        (refused,) = of_type(back.events, Refused)
        self.assertIsInstance(refused.refusal, AcknowledgedTooMuch)

    @rule("D2")
    def test_a_deletion_does_not_wait_for_a_peer_that_can_acknowledge_nothing(
        self,
    ) -> None:
        self.bob.do(Send("ada", "unread"))
        self.ada.do(Delete(username="ada", password=PASSWORD))

        self.ada.connection.fall_silent()
        self.fixture.scheduler.run()

        (refused,) = of_type(self.ada.events, Refused)
        self.assertIsInstance(refused.refusal, DeletionStalled)
        self.ada.lose()
        self.assertEqual(self.fixture.user("ada").bodies, ["unread"])

    @rule("D2")
    def test_a_silent_peer_with_nothing_to_read_can_delete_its_account(self) -> None:
        self.ada.connection.fall_silent()

        self.ada.do(Delete(username="ada", password=PASSWORD))

        self.assertEqual(len(of_type(self.ada.events, Deleted)), 1)
