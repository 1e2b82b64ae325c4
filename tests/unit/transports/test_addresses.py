"""Addresses as URLs have them."""

import pytest

from transports.base import authority, parse_address


@pytest.mark.parametrize(
    ("host", "written"),
    [("127.0.0.1", "127.0.0.1:7400"), ("::1", "[::1]:7400"), ("chat", "chat:7400")],
)
def test_a_host_and_a_port_are_read_as_they_were_written(
    host: str, written: str
) -> None:
    text = authority(host, 7400)

    address = parse_address(f"tcp://{text}")

    assert text == written
    assert (address.host, address.port) == (host, 7400)
