"""Silent peers below an ASGI server, which hides the pongs of WebSocket (S5)."""

from typing import Any, Final

import pytest
from websockets.asyncio.client import ClientConnection

from chatcore import Limits
from chatcore.errors import CloseCode
from tests.unit.transports.asgi.applications import serving
from tests.unit.transports.websocket.sockets import (
    end_of,
    login,
    opening,
    read_events,
    tell,
)

OFTEN: Final = Limits(ping_after_s=0.05, pong_within_s=0.05)
NO_PINGS: Final = {"ws_ping_interval": None}
"""uvicorn pings nobody; what it would hear it would not tell anyway."""


async def next_event(socket: ClientConnection, name: str) -> None:
    """Read on to an event of this name."""
    events: list[dict[str, Any]] = []
    while not any(name in it for it in events):
        events = await read_events(socket)


@pytest.mark.rule("S5")
async def test_a_page_that_says_nothing_stays_and_is_pinged_all_the_same() -> None:
    async with (
        serving(limits=OFTEN, asgi=NO_PINGS) as application,
        opening(application.url) as page,
    ):
        await login(page)

        for _ in range(3):
            await next_event(page, "ping")

        await tell(page, send={"recipient": "ada", "body": "still here"})
        await next_event(page, "accepted")


@pytest.mark.rule("S5")
async def test_who_has_answered_a_ping_is_expected_to_go_on() -> None:
    # So long it is also told why it goes, which a busy machine takes its time for.
    limits = Limits(ping_after_s=0.05, pong_within_s=0.5)
    async with (
        serving(limits=limits, asgi=NO_PINGS) as application,
        opening(application.url) as socket,
    ):
        await login(socket)
        await next_event(socket, "ping")
        await tell(socket, pong={})

        code, _ = await end_of(socket)

    assert code == CloseCode.UNRESPONSIVE


@pytest.mark.rule("S5")
async def test_a_peer_that_is_busy_is_asked_once_whether_it_answers() -> None:
    limits = Limits(ping_after_s=0.05, pong_within_s=20)
    async with (
        serving(limits=limits, asgi=NO_PINGS) as application,
        opening(application.url) as socket,
    ):
        await login(socket)
        pinged = False
        while not pinged:
            await tell(socket, list={})
            pinged = any("ping" in it for it in await read_events(socket))
