"""Network addresses, as limits count them (B3, B4)."""

import unittest

from chatcore.addresses import hash_address, network_of
from chatcore.ids import NO_ADDRESS, AccountId
from tests.unit.chatcore.marks import rule

HERE = ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "::1%lo")


class NetworkTest(unittest.TestCase):
    @rule("B3")
    def test_an_ipv4_address_counts_as_it_is(self) -> None:
        found = [
            network_of(it, loopback_counts=False) for it in ("192.0.2.1", "192.0.2.2")
        ]

        self.assertEqual(found, ["192.0.2.1", "192.0.2.2"])

    @rule("B3")
    def test_an_ipv4_address_in_ipv6_is_the_same_address(self) -> None:
        for text in ("::ffff:192.0.2.1", "::ffff:c000:201", "::FFFF:192.0.2.1%eth0"):
            self.assertEqual(network_of(text, loopback_counts=False), "192.0.2.1")

    @rule("B3")
    def test_all_ipv6_addresses_of_one_64_count_as_one(self) -> None:
        inside = ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff")
        outside = ("2001:db8:0:2::1", "2001:db8:1:1::1")

        networks = {network_of(it, loopback_counts=False) for it in inside}
        others = {network_of(it, loopback_counts=False) for it in outside}

        self.assertEqual(networks, {"2001:db8:0:1::/64"})
        self.assertEqual(others, {"2001:db8:0:2::/64", "2001:db8:1:1::/64"})

    @rule("B3")
    def test_the_interface_that_a_link_came_over_makes_no_difference(self) -> None:
        plain = network_of("fe80::1", loopback_counts=False)
        over_eth0 = network_of("fe80::2%eth0", loopback_counts=False)

        self.assertEqual((plain, over_eth0), ("fe80::/64", "fe80::/64"))

    @rule("B3")
    def test_loopback_is_left_out_unless_it_counts(self) -> None:
        left_out = {network_of(it, loopback_counts=False) for it in HERE}
        counted = {network_of(it, loopback_counts=True) for it in HERE}

        self.assertEqual(left_out, {""})
        self.assertEqual(counted, {"127.0.0.1", "127.8.8.8", "::/64"})

    @rule("B3")
    def test_a_link_without_an_address_is_left_out_and_another_name_is_kept(
        self,
    ) -> None:
        for loopback_counts in (False, True):
            unnamed = network_of("", loopback_counts=loopback_counts)
            named = network_of("a peer of ours", loopback_counts=loopback_counts)

            self.assertEqual((unnamed, named), ("", "a peer of ours"))


class HashTest(unittest.TestCase):
    @rule("B4", "B8")
    def test_the_hash_of_an_address_is_another_for_each_account(self) -> None:
        accounts = [AccountId(1), AccountId(2), AccountId(12)]
        networks = ["192.0.2.1", "2.0.2.1", "192.0.2.11"]

        hashes = {hash_address(it, network) for it in accounts for network in networks}

        self.assertEqual(len(hashes), 9)
        self.assertEqual({len(it) for it in hashes}, {16})

    @rule("B4")
    def test_it_is_the_same_each_time_and_none_where_there_is_no_address(self) -> None:
        first, again = (hash_address(AccountId(1), "192.0.2.1") for _ in range(2))

        self.assertEqual(first, again)
        self.assertEqual(hash_address(AccountId(1), ""), NO_ADDRESS)
