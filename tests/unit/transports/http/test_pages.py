"""Which pages may connect, and what their browsers are told of that (W3)."""

import pytest

from tests.interop.servers import serving
from tests.unit.transports.http.asking import OFFER, URL, socket_to


@pytest.mark.rule("W3")
@pytest.mark.parametrize(
    ("option", "origin", "status"),
    [
        ("", "http://chat.example", 201),
        ("", "https://CHAT.example", 201),
        ("", "http://evil.example", 403),
        ("", "null", 403),
        ("https://a.example,https://b.example", "https://b.example", 201),
        ("https://a.example", "http://chat.example", 403),
        ("*", "https://anywhere.example", 201),
    ],
)
async def test_pages_of_the_same_host_or_of_named_origins_may_connect(
    option: str, origin: str, status: int
) -> None:
    url = f"{URL}?origin={option}" if option else URL
    async with serving(url) as server, socket_to(server.url) as socket:
        answer = await socket.ask("POST", "/chat/links", OFFER, f"Origin: {origin}")

    assert answer.status == status
    assert answer.headers["vary"] == "Origin"
    allowed = answer.headers.get("access-control-allow-origin")
    assert allowed == (origin if status == 201 else None)
    assert "access-control-allow-credentials" not in answer.headers
    if status == 403:
        assert answer.said["code"] == 4507


@pytest.mark.rule("W3")
async def test_each_of_several_origins_has_to_be_allowed() -> None:
    own, foreign = "Origin: http://chat.example", "Origin: http://evil.example"
    async with serving(URL) as server, socket_to(server.url) as socket:
        answer = await socket.ask("POST", "/chat/links", OFFER, own, foreign)

    assert answer.status == 403


@pytest.mark.rule("W3")
async def test_a_browser_that_asks_first_is_told_what_a_page_may_ask() -> None:
    async with (
        serving(f"{URL}?origin=https://a.example") as server,
        socket_to(server.url) as socket,
    ):
        asked = ("Access-Control-Request-Method: POST", "Origin: https://a.example")
        allowed = await socket.ask("OPTIONS", "/chat/frames", *asked)
        refused = await socket.ask(
            "OPTIONS", "/chat/frames", asked[0], "Origin: https://b.example"
        )

    assert allowed.status == 204
    assert allowed.headers["access-control-allow-origin"] == "https://a.example"
    assert allowed.headers["access-control-allow-methods"] == "POST"
    assert "Chat-Link" in allowed.headers["access-control-allow-headers"]
    assert refused.status == 403
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.rule("W3")
async def test_the_events_of_a_page_are_for_its_origin_alone() -> None:
    async with (
        serving(f"{URL}?origin=https://a.example") as server,
        socket_to(server.url) as socket,
        socket_to(server.url) as other,
    ):
        link = await socket.open("Origin: https://a.example")
        path = f"/chat/events?once={link.once}"
        refused = await other.ask("GET", path, "Origin: https://b.example")
        events = await socket.ask("GET", path, "Origin: https://a.example")
        await socket.until(b'"welcome"')

    assert refused.status == 403
    assert events.status == 200
    assert events.headers["access-control-allow-origin"] == "https://a.example"
