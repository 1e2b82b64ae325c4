"""The dry run and the receipt count the same bounces, whatever the limits (D4, D5)."""

import unittest
from dataclasses import replace

from chatcore.commands import Delete, Inbox, Send
from chatcore.events import Deleted
from chatcore.limits import Limits
from marks import rule
from world import PASSWORD, World, of_type


class BounceCountTest(unittest.TestCase):
    @rule("D4", "D5")
    def test_steps_smaller_than_a_bounce_are_in_the_dry_run_too(self) -> None:
        world = World(Limits(cleanup_rows=3, bounce_messages=10))
        ada, bob = world.user("ada"), world.user("bob")
        bob.do(*[Send("ada", str(number)) for number in range(7)])
        delete = Delete(username="ada", password=PASSWORD, inbox=Inbox.DISCARD)

        ada.do(replace(delete, dry_run=True))
        ada.do(delete)

        would, did = [it.receipt for it in of_type(ada.events, Deleted)]
        self.assertEqual((would.discarded, would.bounces), (7, 3))
        self.assertEqual((did.discarded, did.bounces), (7, 3))
