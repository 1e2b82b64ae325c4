"""A session whose other end is the test: what it writes, and what it is told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from chatbench.peers.link import PeerLink
from chatbench.wire.base import Arrival, OnArrival, OnFault

SessionT = TypeVar("SessionT", bound=PeerLink)


class Paper(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def abort(self) -> None:
        self.is_aborted = True


@dataclass(slots=True)
class Transcript(Generic[SessionT]):
    """A session and its paper."""

    session: SessionT
    paper: Paper
    arrivals: list[Arrival] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def hears(self, data: bytes) -> bytes:
        """What it says to this."""
        self.session.data_received(data)
        return self.says()

    def says(self) -> bytes:
        """What it has said since it was last asked."""
        said, self.paper.written = self.paper.written, b""
        return said


def begun(make: Callable[[OnArrival, OnFault], SessionT]) -> Transcript[SessionT]:
    """A session that is connected, and has said its first word."""
    arrivals: list[Arrival] = []
    faults: list[str] = []
    session = make(arrivals.append, faults.append)
    paper = Paper()
    session.connection_made(paper)
    return Transcript(session, paper, arrivals, faults)
