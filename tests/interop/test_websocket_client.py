"""``websocket-client``, a synchronous library, speaks JSON; and a page's origin."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import websocket

from tests.interop.servers import PASSWORD
from transports.base import parse_address

WITHIN_S = 10.0


@pytest.fixture
def socket(ws_url: str) -> Iterator[websocket.WebSocket]:
    connection = websocket.create_connection(
        ws_url, subprotocols=["chat.v1.json"], timeout=WITHIN_S
    )
    yield connection
    connection.close()


@pytest.mark.rule("W3", "W5")
def test_websocket_client_holds_a_whole_conversation(
    socket: websocket.WebSocket,
) -> None:
    (welcome,) = read(socket)
    account = {"username": "sync", "password": PASSWORD}

    tell(socket, {"id": 1, "create": account}, {"id": 2, "login": account})
    tell(socket, {"id": 3, "send": {"recipient": "sync", "body": "höllo ☃"}})
    events = read_until(socket, "delivered")
    (position,) = (it["delivered"]["position"] for it in events if "delivered" in it)
    tell(socket, {"acknowledge": {"position": position}}, {"id": 4, "deliver": {}})
    events += read_until(socket, "deliveryFinished")
    tell(socket, {"id": 5, "list": {"pattern": "sync"}}, {"id": 6, "delete": account})
    events += read_until(socket, "deleted")

    assert socket.getsubprotocol() == "chat.v1.json"
    assert "welcome" in welcome
    answered = {it["id"]: kind for it in events for kind in it if "id" in it}
    assert answered.keys() == {1, 2, 3, 4, 5, 6}
    told = {kind: it[kind] for it in events for kind in it if kind != "id"}
    assert told["delivered"]["body"] == "höllo ☃"
    assert told["accepted"]["position"] == position
    assert told["listed"]["entries"] == [{"username": "sync", "online": True}]


@pytest.mark.rule("E1", "E2")
def test_websocket_client_is_refused_and_goes_on(socket: websocket.WebSocket) -> None:
    read(socket)

    tell(socket, {"id": 1, "dance": {}}, {"id": 2, "login": {"username": "nobody"}})
    first, second = read_until(socket, "refused", 2)

    assert (first["id"], first["refused"]["name"]) == (1, "UNKNOWN_COMMAND")
    assert (second["id"], second["refused"]["code"]) == (2, 202)


@pytest.mark.rule("W1")
def test_another_version_is_told_why_it_is_closed(ws_url: str) -> None:
    connection = websocket.create_connection(
        ws_url, subprotocols=["chat.v2.json"], timeout=WITHIN_S
    )

    opcode, payload = connection.recv_data()
    connection.shutdown()  # type: ignore[no-untyped-call]  # it has no types

    assert opcode == websocket.ABNF.OPCODE_CLOSE
    assert int.from_bytes(payload[:2], "big") == 4502
    assert b"chat.v1.json" in payload


@pytest.mark.rule("W3")
def test_a_page_of_the_same_host_may_connect_and_no_other(ws_url: str) -> None:
    address = parse_address(ws_url)
    own = f"http://{address.host}:{address.port}"

    assert handshake(ws_url, origin=own) == 101
    assert handshake(ws_url, origin="https://evil.example") == 403
    assert handshake(ws_url, origin="null") == 403


@pytest.mark.rule("W3")
def test_there_is_nothing_beside_the_chat(ws_url: str) -> None:
    assert handshake(ws_url.replace("/chat", "/other")) == 404


def handshake(url: str, origin: str = "") -> int:
    """The status that an upgrade is answered with."""
    options: dict[str, Any] = {"origin": origin} if origin else {}
    connection = websocket.WebSocket()
    connection.settimeout(WITHIN_S)
    try:
        connection.connect(  # type: ignore[no-untyped-call]  # it has no types
            url,
            subprotocols=["chat.v1.json"],
            suppress_origin=not origin,
            **options,
        )
    except websocket.WebSocketBadStatusException as refused:
        return int(refused.status_code)
    finally:
        connection.shutdown()  # type: ignore[no-untyped-call]  # it has no types
    return 101


def tell(socket: websocket.WebSocket, *commands: dict[str, Any]) -> None:
    socket.send(json.dumps({"commands": commands}))


def read(socket: websocket.WebSocket) -> list[dict[str, Any]]:
    """The events of the next message, which has to be text."""
    message = socket.recv()
    assert isinstance(message, str)
    return list(json.loads(message)["events"])


def read_until(
    socket: websocket.WebSocket, kind: str, count: int = 1
) -> list[dict[str, Any]]:
    """All events up to so many of a kind; others may have come in the last frame."""
    events: list[dict[str, Any]] = []
    while sum(kind in it for it in events) < count:
        events += read(socket)
    return events
