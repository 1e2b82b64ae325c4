"""A hostile peer on one link: it writes what it likes, and reads or does not."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from chatbench.wire.connection import CannotOpen
from chatcore.commands import Login, Request
from chatcore.errors import ChatError
from chatcore.events import Closing, Event, Listed, LoggedIn, Refused, Welcome
from tests.faults.abuse.targets import MIB, Target
from tests.faults.abuse.wires import ATTACKERS, HostileWire, ShutGrpcWire, dial, is_open
from transports.codec import codec as codec_of

PASSWORD: Final = "correct horse"
_AHEAD_BYTES: Final = MIB
"""What may wait in our own process, so that it is the server that holds the rest."""
_PAUSE_S: Final = 0.002
_ANSWER_S: Final = 15.0
_RETRY_S: Final = 0.1


class Intruder:
    """One link of an attacker.

    Attributes:
        counts: events that it read, by the name of their class.
        ended: why the link is over, or empty while it is not.
        closing: the code that the server closed it with; 0 if it told none.
        written: bytes of frames that were given to the socket.
        frame_bytes: the largest frame that the server says it reads now; 0 before its
            welcome.
    """

    wire: HostileWire

    def __init__(self, codec: str) -> None:
        self.codec = codec_of(codec)
        self.counts: Counter[str] = Counter()
        self.ended = ""
        self.closing = 0
        self.written = 0
        self.frame_bytes = 0
        self._later_frame_bytes = 0
        self.token = b""
        self.names: list[tuple[str, bool]] = []
        self._last = b""
        self._is_deaf = False
        self._heard: list[Event] = []
        self._to_hear = asyncio.Event()

    # ---- the wire's callbacks

    def take(self, frames: Sequence[bytes]) -> None:
        """Read what came, unless it is deaf."""
        self._last = frames[-1]
        if self._is_deaf:
            return
        for frame in frames:
            self._look_into(frame)
        self._to_hear.set()

    def _look_into(self, frame: bytes) -> None:
        for event in self.codec.decode_events(frame):
            self.counts[type(event).__name__] += 1
            if isinstance(event, Closing):
                self.closing = int(event.code)
            elif isinstance(event, Welcome):
                self.frame_bytes = event.login_frame_bytes
                self._later_frame_bytes = event.frame_bytes
            elif isinstance(event, Listed):
                self.names += zip(event.names, event.online, strict=True)
            elif isinstance(event, LoggedIn | Refused):
                self._heard.append(event)

    def end(self, sentence: str) -> None:
        """The link is over."""
        self.ended = self.ended or sentence
        if self._is_deaf and self._last:
            try:
                self._look_into(self._last)
            except ChatError as error:
                self.ended += f" {error}"
        self._to_hear.set()

    # ---- being asked

    async def answer(self, kind: type[Event]) -> Event | None:
        """The next login or refusal of this class, dropping others; None at the end."""
        async with asyncio.timeout(_ANSWER_S):
            while True:
                while self._heard:
                    event = self._heard.pop(0)
                    if isinstance(event, (kind, Refused)):
                        return event
                if self.ended:
                    return None
                self._to_hear.clear()
                await self._to_hear.wait()

    async def log_in(self, name: str, *, create: bool = True) -> None:
        """Log in, also while the server is busy hashing.

        Raises:
            CannotOpen: the server refused, or has ended the link.
        """
        login = Login(username=name, password=PASSWORD, create=create)
        frame = self.codec.encode_commands([Request(1, login)])
        until_s = time.monotonic() + _ANSWER_S
        while True:
            self.write(frame)
            event = await self.answer(LoggedIn)
            match event:
                case LoggedIn():
                    self.token = event.token
                    self.frame_bytes = self._later_frame_bytes
                    return
                case Refused(_, refusal):
                    may_wait = "retry_after_ms" in refusal.fields
                    if may_wait and time.monotonic() < until_s:
                        await asyncio.sleep(_RETRY_S)
                        continue
                    raise CannotOpen(f"The server refused the login: {refusal}")
                case _:
                    raise CannotOpen(self.ended or "The server did not answer.")

    # ---- writing

    def write(self, frame: bytes, *, times: int = 1) -> None:
        """Write a frame, or the same one so many times at once; what the socket does
        not take waits here.
        """
        if not self.ended:
            self.written += len(frame) * times
            self.wire.write([frame] * times)

    def write_raw(self, data: bytes) -> None:
        """Write bytes as they stand; not on gRPC, where they would break HTTP/2."""
        if not self.ended:
            self.written += len(data)
            self.wire.transport.write(data)

    @property
    def ahead_bytes(self) -> int:
        """What waits here, since the server does not take it."""
        waiting = self.wire.transport.get_write_buffer_size()
        if isinstance(self.wire, ShutGrpcWire):
            waiting += self.wire.waiting_bytes
        return waiting

    async def flood(
        self,
        frame: Callable[[int], bytes],
        until_s: float,
        *,
        most_bytes: int,
        times: int = 1,
    ) -> int:
        """Write the frames of 0, 1, 2, … as fast as the server takes them, each so many
        times.

        Returns how many were written: it ends at ``until_s``, with the link, or after
        ``most_bytes``.
        """
        write = partial(self.write, times=times)
        return await self._pour(frame, write, until_s, most_bytes)

    async def flood_raw(
        self, data: Callable[[int], bytes], until_s: float, *, most_bytes: int
    ) -> int:
        """As ``flood``, with bytes as they stand."""
        return await self._pour(data, self.write_raw, until_s, most_bytes)

    async def _pour(
        self,
        content: Callable[[int], bytes],
        write: Callable[[bytes], None],
        until_s: float,
        most_bytes: int,
    ) -> int:
        number = 0
        while not self.ended and time.monotonic() < until_s:
            if self.ahead_bytes >= _AHEAD_BYTES:
                await asyncio.sleep(_PAUSE_S)
                continue
            if self.written >= most_bytes:
                break
            write(content(number))
            number += 1
            if not number % 16:
                await asyncio.sleep(0)
        return number

    # ---- not reading

    def be_deaf(self) -> None:
        """Take what comes from the socket, and look at nothing but the end."""
        self._is_deaf = True

    def stop_reading(self) -> None:
        """Take nothing from now on."""
        self._is_deaf = True
        if isinstance(self.wire, ShutGrpcWire):
            self.wire.shut()
        elif not self.ended:
            self.wire.transport.pause_reading()

    @property
    def is_open(self) -> bool:
        """Whether the server has left the link alone, as far as can be told without
        reading.
        """
        if self.ended or self.wire.transport.is_closing():
            return False
        connection: socket.socket = self.wire.transport.get_extra_info("socket")
        return is_open(connection)

    def abort(self) -> None:
        """Drop the link."""
        self.wire.abort()


@asynccontextmanager
async def intruder(
    target: Target,
    *,
    codec: str = "protobuf",
    source: str = ATTACKERS,
    receive_bytes: int = 0,
    name: str = "",
) -> AsyncIterator[Intruder]:
    """An attacker's link while the block runs; with a name, logged in."""
    one = Intruder(codec)
    one.wire = await dial(
        target,
        one.take,
        one.end,
        codec=codec,
        source=source,
        receive_bytes=receive_bytes,
    )
    try:
        if name:
            await one.log_in(name)
        yield one
    finally:
        one.abort()


async def intruders(
    stack: AsyncExitStack,
    target: Target,
    number: int,
    *,
    codec: str = "protobuf",
    receive_bytes: int = 0,
    names: Callable[[int], str] = lambda _: "",
    at_once: int = 32,
) -> list[Intruder]:
    """Several, opened some at a time; those that the server refuses are left out.

    Their source addresses are ``127.0.0.2`` to ``127.0.0.9`` in turn.
    """
    opened: list[Intruder] = []
    gate = asyncio.Semaphore(at_once)

    async def open_one(index: int) -> None:
        async with gate:
            entering = intruder(
                target,
                codec=codec,
                source=f"127.0.0.{2 + index % 8}",
                receive_bytes=receive_bytes,
                name=names(index),
            )
            try:
                opened.append(await stack.enter_async_context(entering))
            except (CannotOpen, TimeoutError):
                return

    async with asyncio.TaskGroup() as tasks:
        for index in range(number):
            tasks.create_task(open_one(index))
    return opened


def descriptors(pid: int) -> int:
    """How many sockets and files a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


async def holds_within(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it comes to hold in that time; looked at again and again."""
    until_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= until_s:
            return False
        await asyncio.sleep(0.02)
    return True
