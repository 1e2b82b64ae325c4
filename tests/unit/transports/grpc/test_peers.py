"""Where a call comes from, as gRPC spells it (B3)."""

import pytest

from transports.grpc.peers import address_of, spelled


@pytest.mark.rule("B3")
@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:192.0.2.1:50001", "192.0.2.1"),
        ("ipv6:%5B2001:db8::1%5D:50001", "2001:db8::1"),
        ("ipv6:[2001:DB8:0::1]:50001", "2001:db8::1"),
        ("ipv6:%5Bfe80::1%25eth0%5D:50001", "fe80::1"),
        ("ipv6:%5B::ffff:192.0.2.1%5D:50001", "192.0.2.1"),
        ("ipv6:%5B::1%5D:50001", "::1"),
        ("unix:", ""),
        ("unix:/run/chat.socket", ""),
        ("ipv4:somewhere:1", ""),
    ],
)
def test_an_address_has_no_port_no_brackets_and_one_spelling(
    peer: str, address: str
) -> None:
    assert address_of(peer) == address


@pytest.mark.parametrize(
    ("peer", "client", "name"),
    [
        ("ipv4:192.0.2.1:50001", "192.0.2.1", "192.0.2.1:50001"),
        ("ipv6:%5B2001:db8::1%5D:50001", "2001:db8::1", "[2001:db8::1]:50001"),
        ("ipv6:%5B::ffff:192.0.2.1%5D:50001", "192.0.2.1", "192.0.2.1:50001"),
        ("ipv4:10.0.0.1:5", "192.0.2.1", "192.0.2.1 by 10.0.0.1:5"),
        ("unix:/run/chat.socket", "", "unix:/run/chat.socket"),
    ],
)
def test_a_log_spells_a_peer_as_on_other_transports(
    peer: str, client: str, name: str
) -> None:
    assert spelled(peer, client) == name
