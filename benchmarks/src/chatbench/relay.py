"""A TCP relay inside the load generator: it counts bytes, and plants known faults.

It stands in front of the server and knows nothing of what goes through it; only
``FrameLoss`` does, which cuts the length-prefixed frames of ``tcp://`` apart to lose
whole ones. What it adds to the way of a message is not measured anywhere but where it
was planted: rounds that count the wire tell no times.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, cast
from urllib.parse import urlsplit, urlunsplit

from chatbench.timers import PreciseTimer
from chatcore.events import Delivered
from transports.codec import codec
from transports.framing import LengthFraming

_NS: Final = 1_000_000_000
_FRAME_BYTES: Final = 1 << 24
_BACKLOG: Final = 4096

Filter = Callable[[bytes], bytes]
"""What goes on of what came, in one direction of one connection."""


class Relay:
    """See the module; ``relaying`` makes one.

    Attributes:
        url: where to connect instead of the server's own URL.
        bytes_up: TCP payload that went to the server so far.
        bytes_down: TCP payload that came from it.
        delay_s: how long each chunk is held, in either direction.
        loses_every: every how many frames with a delivery one is lost; 0 for none.
    """

    def __init__(self, url: str, *, delay_s: float = 0.0, loses_every: int = 0) -> None:
        self.target = urlsplit(url)
        self.url = url
        self.delay_s = delay_s
        self.loses_every = loses_every
        self.bytes_up = 0
        self.bytes_down = 0
        self.open: set[_End] = set()
        self.dialling: set[asyncio.Task[None]] = set()

    def count_up(self, chunk: bytes) -> bytes:
        """Count what goes to the server."""
        self.bytes_up += len(chunk)
        return chunk

    def count_down(self, chunk: bytes) -> bytes:
        """Count what comes from it."""
        self.bytes_down += len(chunk)
        return chunk


class FrameLoss:
    """Loses every n-th frame that carries a delivery, in protobuf over TCP."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._seen = 0
        self._is_greeted = False
        self._early = b""
        self._framing = LengthFraming(_FRAME_BYTES)
        self._codec = codec("protobuf")

    def __call__(self, chunk: bytes) -> bytes:
        """What is left of this chunk."""
        kept = b""
        if not self._is_greeted:
            line, end, rest = (self._early + chunk).partition(b"\n")
            if not end:
                self._early = line
                return b""
            self._is_greeted, kept, chunk = True, line + end, rest
        frames = [it for it in self._framing.feed(chunk) if not self._is_lost(it)]
        return kept + self._framing.join(frames)

    def _is_lost(self, frame: bytes) -> bool:
        if not any(
            isinstance(it, Delivered) for it in self._codec.decode_events(frame)
        ):
            return False
        self._seen += 1
        return self._seen % self._every == 0


class _End(asyncio.Protocol):
    """One side of a connection: what it reads, the other side writes."""

    transport: asyncio.Transport

    def __init__(self, relay: Relay, filters: list[Filter]) -> None:
        self._relay = relay
        self._filters = filters
        self._held: deque[tuple[int, bytes]] = deque()
        self._early: list[bytes] = []
        self._timer: PreciseTimer | None = None
        self.other: _End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._relay.open.add(self)
        if self._relay.delay_s:
            self._timer = PreciseTimer(self._let_go)

    def join(self, other: "_End") -> None:
        """What has come goes to ``other``, and so does what comes from now on."""
        self.other = other
        other.transport.writelines(self._early)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        chunk = data
        for each in self._filters:
            chunk = each(chunk)
        if self._timer is None:
            self._pass(chunk)
            return
        due_ns = time.monotonic_ns() + round(self._relay.delay_s * _NS)
        self._held.append((due_ns, chunk))
        if len(self._held) == 1:
            self._timer.at(due_ns)

    def _let_go(self) -> None:
        now_ns = time.monotonic_ns()
        while self._held and self._held[0][0] <= now_ns:
            self._pass(self._held.popleft()[1])
        if self._held and self._timer is not None:
            self._timer.at(self._held[0][0])

    def _pass(self, chunk: bytes) -> None:
        if self.other is None:
            self._early.append(chunk)
        elif chunk:
            self.other.transport.write(chunk)

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            with suppress(RuntimeError):  # it is closing
                self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # why does not matter: the other side ends too
        self._relay.open.discard(self)
        while self._held:
            self._pass(self._held.popleft()[1])
        if self._timer is not None:
            self._timer.close()
        if self.other is not None:
            self.other.transport.close()


class _Accepted(_End):
    """The side of a client, which has the server dialled."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        loop = asyncio.get_running_loop()
        # The relay keeps it, and waits for it at its end.
        task = loop.create_task(self._dial(loop))
        self._relay.dialling.add(task)
        task.add_done_callback(self._relay.dialling.discard)

    async def _dial(self, loop: asyncio.AbstractEventLoop) -> None:
        relay = self._relay
        down: list[Filter] = [relay.count_down]
        if relay.loses_every:
            down.append(FrameLoss(relay.loses_every))
        try:
            _, far = await loop.create_connection(
                lambda: _End(relay, down),
                relay.target.hostname or "",
                relay.target.port or 0,
            )
        except OSError:
            self.transport.abort()
            return
        self.join(far)
        far.join(self)
        if self.transport.is_closing():
            far.transport.abort()


@asynccontextmanager
async def relaying(
    url: str, *, delay_s: float = 0.0, loses_every: int = 0
) -> AsyncIterator[Relay]:
    """A relay in front of the server at ``url`` while the block runs."""
    relay = Relay(url, delay_s=delay_s, loses_every=loses_every)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: _Accepted(relay, [relay.count_up]), "127.0.0.1", 0, backlog=_BACKLOG
    )
    port = listening.sockets[0].getsockname()[1]
    relay.url = urlunsplit(relay.target._replace(netloc=f"127.0.0.1:{port}"))
    try:
        yield relay
    finally:
        listening.close()
        for task in relay.dialling:
            task.cancel()
        for end in list(relay.open):
            end.transport.abort()
