"""Which pages may connect, and where (W3)."""

import pytest

from tests.interop.servers import serving
from tests.unit.transports.websocket.sockets import URL, upgrade

OFFER = "Sec-WebSocket-Protocol: chat.v1.json"


@pytest.mark.rule("W3")
@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://chat.example", 101),
        ("https://CHAT.example", 101),
        ("http://evil.example", 403),
        ("http://chat.example.evil.example", 403),
        ("http://chat.example:8080", 403),
        ("null", 403),
        ("http://[", 403),
        ("", 403),
    ],
)
async def test_only_pages_of_the_same_host_may_connect(
    origin: str, status: int
) -> None:
    async with serving(URL) as server:
        answered, _ = await upgrade(
            server.url, OFFER, "Host: chat.example", f"Origin: {origin}"
        )

    assert answered == status


@pytest.mark.rule("W3")
async def test_each_of_several_origins_has_to_be_allowed() -> None:
    own, foreign = "Origin: http://chat.example", "Origin: http://evil.example"
    async with serving(URL) as server:
        answered, _ = await upgrade(
            server.url, OFFER, "Host: chat.example", own, foreign
        )

    assert answered == 403


@pytest.mark.rule("W3")
@pytest.mark.parametrize("host", [(), ("Host:",), ("Host: a", "Host: b")])
async def test_an_origin_is_not_the_host_of_a_request_that_names_none(
    host: tuple[str, ...],
) -> None:
    async with serving(URL) as server:
        answered, _ = await upgrade(server.url, OFFER, *host, "Origin: null")

    assert answered == 403


@pytest.mark.rule("W3")
async def test_a_program_that_is_no_browser_has_no_origin() -> None:
    async with serving(URL) as server:
        answered, _ = await upgrade(server.url, OFFER, "Host: chat.example")

    assert answered == 101


@pytest.mark.rule("W3")
@pytest.mark.parametrize(
    ("option", "origin", "status"),
    [
        ("https://a.example,https://b.example", "https://b.example", 101),
        ("https://a.example", "http://a.example", 403),
        ("https://a.example", "http://chat.example", 403),
        ("*", "https://anywhere.example", 101),
        ("*", "null", 101),
    ],
)
async def test_a_server_may_name_the_origins_that_it_allows(
    option: str, origin: str, status: int
) -> None:
    async with serving(f"{URL}?origin={option}") as server:
        answered, _ = await upgrade(
            server.url, OFFER, "Host: chat.example", f"Origin: {origin}"
        )

    assert answered == status


@pytest.mark.rule("W3")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/chat", 101),
        ("/chat?room=1", 101),
        ("/", 404),
        ("/chat/", 404),
        ("/other", 404),
        ("//[", 404),
    ],
)
async def test_the_chat_is_at_its_path_and_nowhere_else(path: str, status: int) -> None:
    async with serving(URL) as server:
        answered, _ = await upgrade(server.url, OFFER, "Host: chat.example", path=path)

    assert answered == status
