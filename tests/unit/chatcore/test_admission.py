"""How many connections there may be, in all and for each address (B3)."""

import unittest

from chatcore import Chat, Limits
from chatcore.admission import Admission
from chatstores.memory import MemoryStore
from tests.unit.chatcore.environment import seeded
from tests.unit.chatcore.marks import rule

ADDRESSES = ("", "127.0.0.1", "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2")


def nobody(_network: str) -> int:
    """Nobody is logged in from anywhere."""
    return 0


class AdmissionTest(unittest.TestCase):
    @rule("B3")
    def test_there_are_so_many_connections_in_all_and_no_more(self) -> None:
        admission = Admission(Limits(connections=3), nobody)

        entered = [admission.enter(f"192.0.2.{number}") for number in range(5)]

        self.assertEqual(entered, [True, True, True, False, False])

    @rule("B3")
    def test_there_are_so_many_from_one_address_and_others_still_get_in(self) -> None:
        admission = Admission(Limits(address_connections=2), nobody)

        entered = [admission.enter("192.0.2.1") for _ in range(3)]

        self.assertEqual(entered, [True, True, False])
        self.assertTrue(admission.enter("192.0.2.2"))

    @rule("B3")
    def test_an_ipv6_network_counts_as_one_address(self) -> None:
        admission = Admission(Limits(address_connections=2), nobody)

        entered = [admission.enter(f"2001:db8::{number}") for number in range(1, 4)]

        self.assertEqual(entered, [True, True, False])
        self.assertTrue(admission.enter("2001:db8:0:1::1"))

    @rule("B3")
    def test_loopback_has_no_limit_of_its_own_but_counts_in_all(self) -> None:
        admission = Admission(Limits(connections=3, address_connections=1), nobody)
        strict = Admission(Limits(address_connections=1, loopback_counts=True), nobody)

        here = [admission.enter("127.0.0.1") for _ in range(4)]
        counted = [strict.enter("127.0.0.1") for _ in range(2)]

        self.assertEqual(here, [True, True, True, False])
        self.assertEqual(counted, [True, False])

    @rule("B3", "B1")
    def test_of_strangers_an_address_has_fewer_than_of_those_who_are_known(
        self,
    ) -> None:
        known = 0
        admission = Admission(
            Limits(address_connections=4, address_strangers=2), lambda _: known
        )

        strangers = [admission.enter("192.0.2.1") for _ in range(3)]
        known = 2
        after_their_login = [admission.enter("192.0.2.1") for _ in range(3)]

        self.assertEqual(strangers, [True, True, False])
        self.assertEqual(after_their_login, [True, True, False])

    @rule("B3")
    def test_calls_count_with_the_links_but_not_as_strangers(self) -> None:
        admission = Admission(
            Limits(address_connections=3, address_strangers=1), nobody
        )

        calls = [admission.enter_call("192.0.2.1") for _ in range(2)]
        links = [admission.enter("192.0.2.1") for _ in range(2)]
        admission.leave_call("192.0.2.1")
        another = admission.enter_call("192.0.2.1")
        over = admission.enter_call("192.0.2.1")

        self.assertEqual((calls, links), ([True, True], [True, False]))
        self.assertEqual((another, over), (True, False))

    @rule("B3")
    def test_who_leaves_makes_room_and_who_was_refused_took_none(self) -> None:
        admission = Admission(Limits(connections=3, address_connections=1), nobody)
        admission.enter("192.0.2.1")
        refused = admission.enter("192.0.2.1")

        others = [admission.enter("192.0.2.2"), admission.enter("192.0.2.3")]
        admission.leave("192.0.2.1")
        again = admission.enter("192.0.2.1")

        self.assertFalse(refused)
        self.assertEqual((others, again), ([True, True], True))

    @rule("B3")
    def test_no_order_of_coming_and_going_lets_more_in_or_shuts_anybody_out(
        self,
    ) -> None:
        random = seeded(3)
        admission = Admission(Limits(connections=6, address_connections=2), nobody)
        present: list[str] = []
        for _ in range(2000):
            address = random.choice(ADDRESSES)
            if present and random.random() < 0.5:
                admission.leave(present.pop(random.randrange(len(present))))
                continue
            network = address[:8] if "db8" in address else address
            same = sum(it.startswith(network) for it in present)
            limited = address not in ADDRESSES[:2]

            entered = admission.enter(address)

            room = len(present) < 6 and not (limited and same >= 2)
            self.assertEqual(entered, room)
            present += [address] * entered

    @rule("B3")
    def test_a_chat_has_one_for_all_of_its_transports(self) -> None:
        chat = Chat(MemoryStore(), limits=Limits(connections=1))

        self.assertTrue(chat.admission.enter("192.0.2.1"))
        self.assertFalse(chat.admission.enter("192.0.2.2"))
