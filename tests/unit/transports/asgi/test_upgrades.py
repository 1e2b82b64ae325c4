"""What is judged before a WebSocket is accepted below an ASGI server (W1, W3, B3)."""

import pytest

from chatcore import ChatApp, Limits
from chatcore.errors import CloseCode
from tests.unit.transports.asgi.applications import Application, serving
from tests.unit.transports.websocket.sockets import end_of, opening, upgrade
from transports.asgi.messages import Receive, Scope, Send

OFFER = "Sec-WebSocket-Protocol: chat.v1.json"
HOST = "Host: chat.example"


@pytest.mark.rule("W3")
@pytest.mark.parametrize(
    ("path", "status"),
    [("/chat", 101), ("/", 101), ("/chat?room=1", 101), ("/chat/", 404), ("/x", 404)],
)
async def test_the_chat_is_at_its_path_and_at_its_mount(path: str, status: int) -> None:
    async with serving() as application:
        answered, _ = await upgrade(application.url, OFFER, HOST, path=path)

    assert answered == status


@pytest.mark.rule("W3")
@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://chat.example", 101), ("http://evil.example", 403), ("null", 403)],
)
async def test_only_pages_of_the_same_host_may_connect(
    origin: str, status: int
) -> None:
    async with serving() as application:
        answered, said = await upgrade(
            application.url, OFFER, HOST, f"Origin: {origin}"
        )

    assert answered == status
    assert (f"Pages of {origin} may not connect." in said) == (status == 403)


@pytest.mark.rule("W3")
async def test_a_server_that_knows_no_other_answer_says_403() -> None:
    async with serving(changed=without_extensions) as application:
        answered, _ = await upgrade(application.url, HOST)

    assert answered == 403


def without_extensions(app: ChatApp) -> Application:
    """Below a server that takes no response for a handshake."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "extensions": {}}, receive, send)

    return application


@pytest.mark.rule("W3")
async def test_other_origins_may_be_named() -> None:
    async with serving(origins=["https://app.example"]) as application:
        named, _ = await upgrade(
            application.url, OFFER, HOST, "Origin: https://app.example"
        )
        own, _ = await upgrade(
            application.url, OFFER, HOST, "Origin: http://chat.example"
        )

    assert (named, own) == (101, 403)


@pytest.mark.rule("W1")
async def test_another_version_is_accepted_and_closed_with_a_reason() -> None:
    async with (
        serving() as application,
        opening(application.url, "chat.v2.json") as socket,
    ):
        code, reason = await end_of(socket)

    assert code == CloseCode.WRONG_VERSION
    assert "chat.v1.json" in reason


@pytest.mark.rule("W3")
@pytest.mark.parametrize("offer", [(), ("Sec-WebSocket-Protocol: graphql-ws",)])
async def test_who_offers_no_chat_is_refused(offer: tuple[str, ...]) -> None:
    async with serving() as application:
        answered, said = await upgrade(application.url, HOST, *offer)

    assert answered == 400
    assert "chat.v1.protobuf" in said


@pytest.mark.rule("B3")
async def test_an_address_has_so_many_links_and_gives_them_back() -> None:
    limits = Limits(loopback_counts=True, address_connections=1)
    async with serving(limits=limits) as application:
        async with opening(application.url) as socket:
            await socket.recv()
            refused, said = await upgrade(application.url, OFFER, HOST)
        await _until_admitted(application.url)

    assert refused == 503
    assert CloseCode.TOO_MANY_CONNECTIONS.text in said


async def _until_admitted(url: str) -> None:
    answered = 0
    while answered != 101:
        answered, _ = await upgrade(url, OFFER, HOST)


@pytest.mark.rule("B3")
async def test_a_refused_upgrade_takes_no_place() -> None:
    limits = Limits(connections=1)
    async with serving(limits=limits) as application:
        for _ in range(3):
            await upgrade(application.url, OFFER, HOST, "Origin: http://evil.example")
        answered, _ = await upgrade(application.url, OFFER, HOST)

    assert answered == 101


@pytest.mark.rule("B3")
async def test_who_comes_by_a_proxy_is_who_that_says() -> None:
    limits = Limits(address_connections=1)
    # uvicorn's own say is switched off: it would take the header for the client.
    unproxied = {"proxy_headers": False}
    async with (
        serving(limits=limits, proxies=["127.0.0.1"], asgi=unproxied) as application,
        opening(application.url, headers={"X-Forwarded-For": "192.0.2.1"}) as socket,
    ):
        await socket.recv()
        again, _ = await upgrade(
            application.url, OFFER, HOST, "X-Forwarded-For: 192.0.2.1"
        )
        other, _ = await upgrade(
            application.url, OFFER, HOST, "X-Forwarded-For: 192.0.2.2"
        )

    assert (again, other) == (503, 101)


@pytest.mark.rule("B3")
async def test_an_address_that_the_asgi_server_tells_is_taken() -> None:
    limits = Limits(address_connections=1)
    async with (
        serving(limits=limits) as application,
        opening(application.url, headers={"X-Forwarded-For": "192.0.2.1"}) as socket,
    ):
        await socket.recv()
        again, _ = await upgrade(
            application.url, OFFER, HOST, "X-Forwarded-For: 192.0.2.1"
        )

    assert again == 503
