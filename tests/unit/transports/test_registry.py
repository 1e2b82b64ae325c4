"""URLs, and the transports that they choose."""

import pytest

from transports import connect, loopback, register_transport
from transports.base import parse_address
from transports.errors import BadUrl
from transports.registry import TRANSPORTS, transport_for


def test_a_url_is_taken_apart() -> None:
    address = parse_address("tcp://example.org:7400/chat?origin=a&size=2")

    assert address.scheme == "tcp"
    assert (address.host, address.port) == ("example.org", 7400)
    assert address.path == "/chat"
    assert address.options == {"origin": "a", "size": "2"}


def test_a_url_may_have_a_scheme_and_nothing_else() -> None:
    address = parse_address("loopback:")

    assert (address.scheme, address.host, address.port) == ("loopback", "", 0)


@pytest.mark.parametrize("url", ["", "localhost", "//host:1", "tcp://host:seven"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadUrl) as refused:
        parse_address(url)

    assert refused.value.url == url


def test_an_unknown_scheme_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(BadUrl) as refused:
        transport_for("pigeon")

    assert "loopback" in str(refused.value)
    assert "tcp" in str(refused.value)


async def test_an_unknown_scheme_is_refused_before_anything_is_dialled() -> None:
    with pytest.raises(BadUrl):
        async with connect(["tcp://127.0.0.1:1", "pigeon://coop"]):
            pass


def test_a_registered_transport_serves_its_scheme() -> None:
    register_transport("attic", loopback)

    assert transport_for("attic") is loopback
    assert "attic" in TRANSPORTS.schemes()
