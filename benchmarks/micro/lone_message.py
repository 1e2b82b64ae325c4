"""A message's way through a server but for its sockets: link, driver, chat, store.

Each of some pairs sends so many in one frame; they are delivered and acknowledged. The
links are TCP's, on transports that only keep what is written; ``lone_websocket`` and
``lone_grpc`` have the others'.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import Final, Protocol

from benchmarks.micro.base import BODY, SIZES, Benchmark, Call
from chatcore import Chat
from chatcore.commands import Acknowledge, Command, Login, Request, Send
from chatcore.events import Delivered, Event, LoggedIn
from chatstores import open_store
from chatsystem import INSECURE_FAST_HASH, system_environment
from transports.base import Link
from transports.codec import Codec
from transports.codec import codec as codec_of
from transports.deferred_calls import DeferredCalls
from transports.driver import Driver
from transports.fair_scheduler import FairScheduler
from transports.framing import LengthFraming
from transports.memory_budget import MemoryBudget
from transports.rate_limited_log import RateLimitedLog
from transports.tcp.link import READ_BYTES, TcpLink

PAIRS: Final = 10
_CODEC: Final = codec_of("msgpack")
_log = logging.getLogger(__name__)
_FRAME_BYTES: Final = 1024 * 1024
_TURNS: Final = 6
_NOTICES_WAIT_S: Final = 3600.0
"""Each notice goes with the next frame to its sender, as where people answer others,
however slowly instructions are counted.
"""
"""Of the event loop, after which a message has been told to all whom it concerns."""


class KeptWrites(asyncio.Transport):
    """A transport that takes all at once."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self._is_closing = False

    def get_extra_info(self, name: str, default: object = None) -> object:
        return ("127.0.0.1", 1) if name == "peername" else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def is_closing(self) -> bool:
        return self._is_closing

    def can_write_eof(self) -> bool:
        return False

    def abort(self) -> None:
        self._is_closing = True

    def close(self) -> None:
        self._is_closing = True


class Client(Protocol):
    """What is at the other end of one link."""

    @property
    def link(self) -> Link: ...

    def tell(self, *commands: Command) -> None: ...

    def events(self) -> list[Event]:
        """What was written to it since it was last asked."""
        ...

    def forget(self) -> None:
        """Keep nothing of what was written."""
        ...

    def lose(self) -> None:
        """Have the server lose the link."""
        ...


class TcpClient:
    """See ``Client``."""

    def __init__(self, buffer: bytearray) -> None:
        self._buffer = buffer
        self._framing = LengthFraming(_FRAME_BYTES)
        self._numbers = count(1)
        self._transport = KeptWrites()
        self.link = TcpLink(close_s=1.0, buffer=buffer)
        self.link.connection_made(self._transport)
        self.link.frame_with(LengthFraming(_FRAME_BYTES))

    def tell(self, *commands: Command) -> None:
        """See ``Client``."""
        requests = [Request(next(self._numbers), it) for it in commands]
        stream = self._framing.join([_CODEC.encode_commands(requests)])
        self._buffer[: len(stream)] = stream
        self.link.buffer_updated(len(stream))

    def events(self) -> list[Event]:
        """See ``Client``."""
        written, self._transport.written = self._transport.written, []
        frames = self._framing.feed(b"".join(written))
        return [it for frame in frames for it in _CODEC.decode_events(frame)]

    def forget(self) -> None:
        """See ``Client``."""
        self._transport.written.clear()

    def lose(self) -> None:
        """See ``Client``."""
        self.link.connection_lost(None)


_KEYS: Final = count(1)


def _key() -> bytes:
    moment_ms = time.time_ns() // 1_000_000
    return b"%b\x70\x00\x80%b" % (moment_ms.to_bytes(6), next(_KEYS).to_bytes(7))


class Pairs:
    """Clients of one server; each of some writes to one other."""

    def __init__(
        self, runner: asyncio.Runner, connect: Callable[[], Client], codec: Codec
    ) -> None:
        self._connect = connect
        self._codec = codec
        self._loop = runner.get_loop()
        self._driving: list[asyncio.Task[None]] = []
        self._pairs: list[tuple[Client, Client, str]] = []
        self._position = 0

    async def open(self) -> None:
        """Log all of them in."""
        store = await open_store("memory:").__aenter__()
        chat = Chat(store)
        await chat.start(system_environment(INSECURE_FAST_HASH))
        budget = MemoryBudget(chat.limits.held_bytes)
        shared = (
            self._codec,
            budget,
            FairScheduler(at_once=1),
            RateLimitedLog(_log),
            DeferredCalls(_NOTICES_WAIT_S),
        )

        async def log_in(name: str) -> Client:
            client = self._connect()
            driving = Driver(chat, client.link, *shared).run()
            self._driving.append(self._loop.create_task(driving))
            await _pass_turns(2)
            client.tell(Login(username=name, password="-" * 8, create=True))
            seen: list[Event] = []
            while not any(isinstance(it, LoggedIn) for it in seen):
                await asyncio.sleep(0)
                seen += client.events()
            return client

        for n in range(PAIRS):
            pair = await log_in(f"a{n}"), await log_in(f"b{n}")
            self._pairs.append((*pair, f"b{n}"))

    async def exchange(self, size: int) -> None:
        """Have so many sent by each, delivered and acknowledged."""
        for sender, _, name in self._pairs:
            sender.tell(*[Send(name, BODY, _key()) for _ in range(size)])
        await _pass_turns(_TURNS)
        self._position += size
        for _, recipient, _ in self._pairs:
            recipient.tell(Acknowledge(self._position))
        await _pass_turns(_TURNS)

    def check(self, size: int) -> None:
        """Have been delivered what was sent."""
        for _, recipient, _ in self._pairs:
            told = recipient.events()
            bodies = [it.body for it in told if isinstance(it, Delivered)]
            assert bodies == [BODY] * size

    def forget(self) -> None:
        """Keep nothing of what was written."""
        for sender, recipient, _ in self._pairs:
            sender.forget()
            recipient.forget()

    async def close(self) -> None:
        """Lose all links."""
        for sender, recipient, _ in self._pairs:
            sender.lose()
            recipient.lose()
        await asyncio.wait(self._driving)


async def _pass_turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def messaging(
    size: int, connect: Callable[[], Client], codec: Codec
) -> Callable[[], AbstractContextManager[Call]]:
    """So many messages at a time between each of ten pairs."""

    @contextmanager
    def opened() -> Iterator[Call]:
        with asyncio.Runner() as runner:
            pairs = Pairs(runner, connect, codec)

            def call() -> None:
                runner.run(pairs.exchange(size))
                pairs.forget()

            runner.run(pairs.open())
            runner.run(pairs.exchange(size))
            pairs.check(size)
            yield call
            runner.run(pairs.close())

    return opened


def _connect_tcp() -> Client:
    return TcpClient(_BUFFER)


_BUFFER: Final = bytearray(READ_BYTES)
BENCHMARKS: Final = [
    Benchmark(f"server-{PAIRS}x{size}", messaging(size, _connect_tcp, _CODEC))
    for size in SIZES
]
