"""The dry run and the receipt count the same bounces, whatever the limits (D4, D5)."""

import unittest
from dataclasses import replace

from chatcore.commands import Delete, InboxAction, Send
from chatcore.events import Deleted
from chatcore.limits import Limits
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, of_type
from tests.unit.chatcore.marks import rule


class BounceCountTest(unittest.TestCase):
    @rule("D4", "D5")
    def test_steps_smaller_than_a_bounce_are_in_the_dry_run_too(self) -> None:
        fixture = ChatFixture(Limits(cleanup_rows=3, bounce_messages=10))
        ada, bob = fixture.user("ada"), fixture.user("bob")
        bob.do(*[Send("ada", str(number)) for number in range(7)])
        delete = Delete(username="ada", password=PASSWORD, inbox=InboxAction.DISCARD)

        ada.do(replace(delete, dry_run=True))
        ada.do(delete)

        would, did = [it.receipt for it in of_type(ada.events, Deleted)]
        self.assertEqual((would.discarded, would.bounces), (7, 3))
        self.assertEqual((did.discarded, did.bounces), (7, 3))
