"""URLs, and the transports that they choose."""

from types import SimpleNamespace
from typing import Any

import pytest

from chatcore import Chat
from chatstores import open_store
from chatsystem.schemes import BadPlugin
from transports import connect, loopback, open_server, register_transport
from transports.base import parse_address
from transports.errors import BadUrl, CannotConnect, CannotListen
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


class Attic:
    """A transport of somebody else's that raises what it is told to."""

    codecs = ("json",)

    def __init__(self, fault: Exception) -> None:
        self._fault = fault

    async def listen(self, *_: object) -> Any:
        raise self._fault

    async def dial(self, *_: object) -> Any:
        raise self._fault


FAULTS = pytest.mark.parametrize(
    ("fault", "told"),
    [
        (ZeroDivisionError("on purpose"), f"{__name__}.Attic failed with ZeroDivision"),
        (ConnectionRefusedError(111, "refused"), "Connection refused"),
        (TimeoutError(), "it does not answer"),
    ],
    ids=["fault", "system", "time"],
)


@FAULTS
async def test_what_a_transport_raises_that_dials_is_one_line(
    fault: Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TRANSPORTS.registered, "attic", Attic(fault))

    with pytest.raises(CannotConnect) as refused:
        async with connect("attic://floor", reconnect=None):
            pass

    assert str(refused.value).startswith("Cannot connect to attic://floor: ")
    assert told in refused.value.reason
    assert refused.value.__cause__ is fault


@FAULTS
async def test_what_a_transport_raises_that_listens_is_one_line(
    fault: Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TRANSPORTS.registered, "attic", Attic(fault))

    async with open_store("memory:") as store, open_server(Chat(store)) as server:
        with pytest.raises(CannotListen) as refused:
            await server.listen("attic://floor")

    assert told in refused.value.reason


@pytest.mark.parametrize(
    ("parts", "lacking"),
    [
        ({"listen": print, "dial": print}, "it has no codecs"),
        ({"listen": print, "dial": print, "codecs": ()}, "it has no codecs"),
        ({"dial": print, "codecs": ("json",)}, "it has no listen"),
        ({"listen": print, "dial": 5, "codecs": ("json",)}, "it has no dial"),
        ({"listen": print, "dial": print, "codecs": ["xml"]}, "not 'xml'"),
    ],
)
def test_what_is_no_transport_is_refused_by_what_it_lacks(
    parts: dict[str, Any], lacking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong: Any = SimpleNamespace(**parts)

    with pytest.raises(BadPlugin) as refused:
        register_transport("attic", wrong)
    monkeypatch.setitem(TRANSPORTS.registered, "attic", wrong)
    with pytest.raises(BadUrl) as unusable:
        transport_for("attic")

    assert lacking in refused.value.reason
    assert lacking in unusable.value.reason
    assert "SimpleNamespace" in refused.value.name
