"""The server's own page may connect from its other port, and nobody else's (W3)."""

import pytest

from tests.interop.servers import serving
from tests.unit.transports.http.asking import socket_to
from tests.unit.transports.http.test_site import SITE
from tests.unit.transports.websocket.sockets import URL, upgrade
from transports.base import parse_address
from transports.http_site import Site

OFFER = "Sec-WebSocket-Protocol: chat.v1.json"
PAGES = "http://127.0.0.1:0"


@pytest.mark.rule("W3")
@pytest.mark.parametrize(
    ("websockets", "pages", "origin", "status"),
    [
        (URL, PAGES, "http://chat.example:{port}", 101),
        (URL, PAGES, "http://CHAT.example:{port}", 101),
        (URL, PAGES, "http://evil.example:{port}", 403),
        (URL, PAGES, "https://chat.example:{port}", 403),
        (URL, PAGES, "http://chat.example:1", 403),
        (URL, PAGES, "http://chat.example", 403),
        (URL, PAGES, "http://chat.example:x", 403),
        (URL, PAGES, "http://[", 403),
        (f"{URL}?origin=https://a.example", PAGES, "http://chat.example:{port}", 101),
        (f"{URL}?origin=https://a.example", PAGES, "http://chat.example:1", 403),
        (URL, "http://0.0.0.0:0", "http://chat.example:{port}", 101),
        # Somebody else may have that port at the address of the WebSockets.
        (URL, "http://127.0.0.2:0", "http://chat.example:{port}", 403),
    ],
)
async def test_a_page_of_the_server_is_one_at_its_host_and_port(
    websockets: str, pages: str, origin: str, status: int
) -> None:
    async with serving(websockets, pages, site=SITE) as server:
        port = parse_address(server.urls[1]).port
        answered, _ = await upgrade(
            server.url,
            OFFER,
            "Host: chat.example:7401",
            f"Origin: {origin.format(port=port)}",
        )

    assert answered == status


@pytest.mark.rule("W3")
@pytest.mark.parametrize(("site", "status"), [(SITE, 101), (None, 403)])
async def test_a_listener_without_a_page_has_none(
    site: Site | None, status: int
) -> None:
    async with serving(URL, PAGES, site=site) as server:
        port = parse_address(server.urls[1]).port
        answered, _ = await upgrade(
            server.url, OFFER, "Host: a:1", f"Origin: http://a:{port}"
        )

    assert answered == status


@pytest.mark.rule("W3")
async def test_the_page_may_ask_its_own_listener_whoever_else_may() -> None:
    async with (
        serving(f"{PAGES}?origin=https://a.example", site=SITE) as server,
        socket_to(server.url) as socket,
    ):
        port = parse_address(server.url).port
        offer = "Chat-Protocol: chat.v1.json"
        # It is asked as chat.example, without a port.
        other = await socket.ask(
            "POST", "/chat/links", offer, f"Origin: http://evil.example:{port}"
        )
        own = await socket.ask(
            "POST", "/chat/links", offer, f"Origin: http://chat.example:{port}"
        )

    assert (other.status, own.status) == (403, 201)
