"""A name that is deleted and created again (A5)."""

import unittest

from chatcore.commands import Delete, InboxAction, Send
from chatcore.events import Accepted, Deleted, Delivered
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, of_type
from tests.unit.chatcore.marks import rule


class SameNameTest(unittest.TestCase):
    """A name that is deleted and created again is a new account."""

    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.ada, self.bob = self.fixture.user("ada"), self.fixture.user("bob")

    @rule("A5")
    def test_it_sees_none_of_the_messages_of_the_old_one(self) -> None:
        self.bob.lose()
        self.ada.do(Send("bob", "for the old bob"))
        self.fixture.peer().do(
            Delete(username="bob", password=PASSWORD, inbox=InboxAction.DISCARD)
        )

        bob = self.fixture.user("bob")
        self.ada.do(Send("bob", "for the new bob"))

        self.assertEqual(bob.bodies, ["for the new bob"])

    @rule("A5")
    def test_it_gets_none_of_the_bounces_of_the_old_one(self) -> None:
        self.bob.lose()
        self.ada.do(Send("bob", "hello"))
        self.ada.do(Delete(username="ada", password=PASSWORD))
        ada = self.fixture.user("ada")

        deleted = self.fixture.peer().ask(
            Delete(username="bob", password=PASSWORD, inbox=InboxAction.DISCARD)
        )

        assert isinstance(deleted, Deleted)
        self.assertEqual((deleted.receipt.discarded, deleted.receipt.bounces), (1, 0))
        self.assertEqual(ada.mail, [])

    @rule("A5")
    def test_its_positions_and_ids_are_its_own(self) -> None:
        (old,) = of_type(self.ada.do(Send("bob", "one")), Accepted)
        self.bob.acknowledge(1)
        self.bob.ask(Delete(username="bob", password=PASSWORD))
        self.fixture.user("bob")

        (new,) = of_type(self.ada.do(Send("bob", "two")), Accepted)

        self.assertEqual((old.position, new.position), (1, 1))
        self.assertNotEqual(old.recipient_id, new.recipient_id)

    @rule("A5")
    def test_a_deleted_sender_is_marked_and_not_taken_for_the_new_one(self) -> None:
        self.bob.lose()
        self.ada.do(Send("bob", "from the old ada"))
        self.ada.ask(Delete(username="ada", password=PASSWORD))
        ada = self.fixture.user("ada")
        ada.do(Send("bob", "from the new ada"))

        bob = self.fixture.user("bob")

        old, new = of_type(bob.events, Delivered)
        self.assertEqual((old.sender, new.sender), ("ada", "ada"))
        self.assertEqual((old.sender_deleted, new.sender_deleted), (True, False))
        self.assertNotEqual(old.sender_id, new.sender_id)
