"""How many connections there may be, in all and for each address (B3)."""

import unittest

from chatcore import Chat, Limits
from chatcore.admission import Admission
from environment import seeded
from marks import rule
from stores.memory import MemoryStore

ADDRESSES = ("", "127.0.0.1", "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2")


class AdmissionTest(unittest.TestCase):
    @rule("B3")
    def test_there_are_so_many_connections_in_all_and_no_more(self) -> None:
        admission = Admission(Limits(connections=3))

        entered = [admission.enter(f"192.0.2.{number}") for number in range(5)]

        self.assertEqual(entered, [True, True, True, False, False])

    @rule("B3")
    def test_there_are_so_many_from_one_address_and_others_still_get_in(self) -> None:
        admission = Admission(Limits(address_connections=2))

        entered = [admission.enter("192.0.2.1") for _ in range(3)]

        self.assertEqual(entered, [True, True, False])
        self.assertTrue(admission.enter("192.0.2.2"))

    @rule("B3")
    def test_an_ipv6_network_counts_as_one_address(self) -> None:
        admission = Admission(Limits(address_connections=2))

        entered = [admission.enter(f"2001:db8::{number}") for number in range(1, 4)]

        self.assertEqual(entered, [True, True, False])
        self.assertTrue(admission.enter("2001:db8:0:1::1"))

    @rule("B3")
    def test_loopback_has_no_limit_of_its_own_but_counts_in_all(self) -> None:
        admission = Admission(Limits(connections=3, address_connections=1))
        strict = Admission(Limits(address_connections=1, loopback_counts=True))

        here = [admission.enter("127.0.0.1") for _ in range(4)]
        counted = [strict.enter("127.0.0.1") for _ in range(2)]

        self.assertEqual(here, [True, True, True, False])
        self.assertEqual(counted, [True, False])

    @rule("B3")
    def test_who_leaves_makes_room_and_who_was_refused_took_none(self) -> None:
        admission = Admission(Limits(connections=3, address_connections=1))
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
        admission = Admission(Limits(connections=6, address_connections=2))
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
