"""Requests that come too late, or twice at once (D1, D6, L1)."""

import unittest

from chatcore.commands import Create, Delete, List, Send
from chatcore.errors import InvalidKey, KeyExpired, TooManyOperations
from chatcore.events import Created, Listed, Refused
from chatcore.limits import DAY_MS, Limits
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, of_type
from tests.unit.chatcore.environment import NOON_MS
from tests.unit.chatcore.key_times import key_of
from tests.unit.chatcore.marks import rule


class LateAndTwice(unittest.TestCase):
    @rule("D6")
    def test_a_creation_under_a_key_that_nobody_can_know_any_more_is_refused(
        self,
    ) -> None:
        fixture = ChatFixture()
        old = key_of(1, at_ms=NOON_MS - 7 * DAY_MS - 1)

        refusal = fixture.peer().refusal(Create("ada", PASSWORD, old))
        created = fixture.peer().ask(Create("ada", PASSWORD, key_of(2)))

        self.assertIsInstance(refusal, KeyExpired)
        self.assertIsInstance(created, Created)

    @rule("D6")
    def test_a_deletion_under_such_a_key_is_refused_too(self) -> None:
        fixture = ChatFixture()
        ada = fixture.user("ada")
        old = key_of(1, at_ms=NOON_MS - 7 * DAY_MS - 1)

        refusal = ada.refusal(Delete(username="ada", password=PASSWORD, key=old))

        self.assertIsInstance(refusal, KeyExpired)

    @rule("D1")
    def test_a_second_deletion_beside_the_first_is_refused(self) -> None:
        fixture = ChatFixture()
        ada = fixture.user("ada")
        fixture.user("bob").do(Send("ada", "unread"))
        ada.do(Delete(username="ada", password=PASSWORD))

        refusal = ada.refusal(Delete(username="ada", password=PASSWORD))
        ada.acknowledge(1)

        self.assertIsInstance(refusal, TooManyOperations)
        self.assertIsInstance(fixture.peer().ask(Create("ada", PASSWORD)), Created)

    @rule("M2")
    def test_a_key_of_another_variant_than_rfc_9562s_is_refused(self) -> None:
        fixture = ChatFixture()
        key = bytearray(key_of(1))
        key[8] = 0x40

        refusal = fixture.user("ada").refusal(Send("ada", "note", bytes(key)))

        self.assertIsInstance(refusal, InvalidKey)

    @rule("L1")
    def test_a_list_ends_with_its_link(self) -> None:
        fixture = ChatFixture(Limits(walk_names=1))
        ada, _ = fixture.user("ada"), fixture.user("bob")
        ada.is_clogged = True
        waiting = fixture.store.hold("names")
        ada.do(List("?nobody"))

        ada.lose()
        waiting.end(answer=True)
        fixture.scheduler.run()

        self.assertEqual(ada.connection.operations, 0)
        self.assertEqual(of_type(ada.events, Listed), [])
        self.assertEqual(of_type(ada.events, Refused), [])
