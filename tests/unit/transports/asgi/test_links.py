"""Peers that do harm below an ASGI server, which cuts nobody off (B1, B3)."""

import asyncio
from contextlib import suppress

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from chatcore import Limits
from chatcore.limits import KIB, MIB
from tests.unit.transports.asgi.applications import serving
from tests.unit.transports.websocket.sockets import login, opening, tell, upgrade

OFFER = ("Sec-WebSocket-Protocol: chat.v1.json", "Host: chat.example")


async def write_on(socket: ClientConnection) -> None:
    """Write mail to oneself that nobody reads, until that goes no further."""
    with suppress(ConnectionClosed):
        for _ in range(400):
            await tell(socket, send={"recipient": "ada", "body": "x" * (60 * KIB)})


@pytest.mark.rule("B1", "B3")
async def test_who_takes_nothing_keeps_its_place_until_it_has_gone() -> None:
    limits = Limits(
        ping_after_s=0.2,
        pong_within_s=0.2,
        window_bytes=64 * MIB,
        loopback_counts=True,
        address_connections=1,
    )
    async with serving(limits=limits, asgi={"ws_ping_interval": None}) as application:
        async with opening(application.url, read_ahead=1) as deaf:
            await login(deaf)
            writing = asyncio.get_running_loop().create_task(write_on(deaf))
            while any(application.chat.attached_sessions.values()):  # noqa: ASYNC110
                await asyncio.sleep(0)
            meanwhile, _ = await upgrade(application.url, *OFFER)
            writing.cancel()
            deaf.transport.abort()
        afterwards = 0
        while afterwards != 101:
            afterwards, _ = await upgrade(application.url, *OFFER)

    assert meanwhile == 503
