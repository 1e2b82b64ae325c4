"""What a test hears of a session under load."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Literal

from chatbench.cells import Contestant
from chatbench.peers.sessions import open_peer_session
from chatbench.wire.base import Arrival
from chatbench.wire.sessions import LoadSession, open_session

WITHIN_S: Final = 10.0
URLS: Final = {
    "tcp": "tcp://127.0.0.1:0",
    "websocket": "ws://127.0.0.1:0",
    "grpc": "grpc://127.0.0.1:0",
}


def contestant(
    transport: str,
    codec: str = "protobuf",
    *,
    server: Literal["chat", "echo", "peer"] = "chat",
    framing: Literal["batch", "single"] = "batch",
    driver: Literal["lean", "library", "unary"] = "lean",
) -> Contestant:
    """A contestant whose server is in memory."""
    return Contestant(
        name=f"{transport}-{codec}-{framing}-{driver}",
        transport=transport,
        codec=codec,
        store="memory",
        server=server,
        framing=framing,
        driver=driver,
    )


@dataclass(slots=True)
class EventRecorder:
    """Keeps what a session tells."""

    bodies: list[str] = field(default_factory=list)
    receipts: int = 0
    position: int = 0
    faults: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, arrival: Arrival) -> None:
        self.receipts += arrival.receipts
        self.bodies += arrival.bodies
        self.position = arrival.position or self.position
        self.changed.set()

    def hear_fault(self, sentence: str) -> None:
        self.faults.append(sentence)
        self.changed.set()

    async def until(self, is_enough: Callable[["EventRecorder"], bool]) -> None:
        """Return once enough was heard."""
        async with asyncio.timeout(WITHIN_S):
            while not is_enough(self):
                self.changed.clear()
                await self.changed.wait()

    async def until_bodies(self, number: int) -> None:
        """Return once so many messages were delivered."""
        await self.until(lambda it: len(it.bodies) >= number)


@asynccontextmanager
async def opening(
    url: str, chosen: Contestant, username: str
) -> AsyncIterator[tuple[LoadSession, EventRecorder]]:
    """A session and what it tells, while the block runs."""
    recorder = EventRecorder()
    how = open_peer_session if chosen.server == "peer" else open_session
    session = await how(url, chosen, username, recorder.hear, recorder.hear_fault)
    try:
        yield session, recorder
    finally:
        session.close()
