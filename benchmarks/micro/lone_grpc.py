"""The same way as in ``lone_message``, over gRPC: all but what gRPC itself does."""

import asyncio
from collections import deque
from itertools import count
from typing import Any, Final, cast

from grpc.aio import EOF

from benchmarks.micro.base import SIZES, Benchmark
from benchmarks.micro.lone_message import PAIRS, Client, messaging
from chatcore.commands import Command, Request
from chatcore.events import Event
from transports.base import LinkSettings
from transports.codec import codec as codec_of
from transports.grpc.link import ServerLink

_CODEC: Final = codec_of("protobuf")
_SETTINGS: Final = LinkSettings(frame_bytes=1024 * 1024)


class KeptCall:
    """What a call's context does, with futures in place of gRPC's core: a read waits
    for what is given, and a write until the event loop's next turn.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._frames: deque[object] = deque()
        self._reader: asyncio.Future[None] | None = None
        self.written: list[bytes] = []

    def peer(self) -> str:
        return "ipv4:127.0.0.1:1"

    def invocation_metadata(self) -> None:
        return None

    def give(self, frame: object) -> None:
        """Have it read next."""
        self._frames.append(frame)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def read(self) -> object:
        if not self._frames:
            self._reader = self._loop.create_future()
            await self._reader
        return self._frames.popleft()

    async def write(self, frame: bytes) -> None:
        self.written.append(frame)
        done: asyncio.Future[None] = self._loop.create_future()
        self._loop.call_soon(done.set_result, None)
        await done


class GrpcClient:
    """See ``lone_message.Client``."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._call = KeptCall()
        self.link = ServerLink(cast("Any", self._call), _SETTINGS)
        self._reading = asyncio.get_running_loop().create_task(self.link.read_on())

    def tell(self, *commands: Command) -> None:
        """See ``Client``."""
        requests = [Request(next(self._numbers), it) for it in commands]
        self._call.give(_CODEC.encode_commands(requests))

    def events(self) -> list[Event]:
        """See ``Client``."""
        written, self._call.written = self._call.written, []
        return [it for frame in written for it in _CODEC.decode_events(frame)]

    def forget(self) -> None:
        """See ``Client``."""
        self._call.written.clear()

    def lose(self) -> None:
        """See ``Client``."""
        self._call.give(EOF)
        self.link.abort()


def _connect() -> Client:
    return GrpcClient()


BENCHMARKS: Final = [
    Benchmark(f"grpc-{PAIRS}x{size}", messaging(size, _connect, _CODEC))
    for size in SIZES
]
