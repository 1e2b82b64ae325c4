"""Pings of the protocol's own: a silent peer shows life by them (S5)."""

import asyncio
from typing import Final

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import Frame, Opcode
from websockets.protocol import Event
from websockets.typing import Subprotocol

from chatcore import Limits
from tests.interop.servers import serving
from tests.unit.transports.websocket.sockets import URL, WITHIN_S

OFTEN: Final = Limits(ping_after_s=0.1)


class CountsPings(ClientConnection):
    """A client's connection that opens ``pinged`` at the third ping."""

    pings = 0
    pinged: asyncio.Event

    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            self.pings += 1
            if self.pings == 3:
                self.pinged.set()
        super().process_event(event)


@pytest.mark.rule("S5")
async def test_a_silent_peer_is_pinged_again_and_again() -> None:
    CountsPings.pinged = asyncio.Event()
    async with (
        asyncio.timeout(WITHIN_S),
        serving(URL, limits=OFTEN) as server,
        connect(
            server.url,
            subprotocols=[Subprotocol("chat.v1.json")],
            create_connection=CountsPings,
            proxy=None,
            ping_interval=None,
            close_timeout=0.1,
        ),
    ):
        await CountsPings.pinged.wait()
