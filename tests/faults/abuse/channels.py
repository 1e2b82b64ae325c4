"""An HTTP/2 connection with as many calls as a hostile peer likes (RFC 9113).

The comparison's gRPC wire has one call; here each has a stream, and nobody reads what
the server answers but for how a stream ended.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, cast

from chatbench.wire.http2 import (
    ACK,
    DEFAULT_WINDOW,
    END_HEADERS,
    END_STREAM,
    PREFACE,
    FrameReader,
    FrameType,
    Setting,
    header_block,
    settings,
    window_update,
    written,
)
from tests.faults.abuse.targets import Target
from tests.faults.abuse.wires import ATTACKERS, connect, is_open
from transports.base import parse_address

_PREFIX_BYTES: Final = 5
_WINDOW: Final = 1 << 24


class Channel(asyncio.Protocol):
    """One connection.

    Attributes:
        streams: how many calls were begun.
        over: streams that the server has ended or reset.
        is_lost: whether the connection is over.
        goaway: whether the server said that it takes no more calls.
    """

    transport: asyncio.Transport

    def __init__(self, authority: str) -> None:
        self._authority = authority
        self._reader = FrameReader()
        self._uncredited = 0
        self.streams = 0
        self.over: set[int] = set()
        self.is_lost = False
        self.goaway = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(
            PREFACE
            + settings({Setting.ENABLE_PUSH: 0, Setting.INITIAL_WINDOW_SIZE: _WINDOW})
            + window_update(0, _WINDOW - DEFAULT_WINDOW)
        )

    def data_received(self, received: bytes) -> None:
        """See ``asyncio.Protocol``."""
        for kind, flags, stream, payload in self._reader.feed(received):
            if kind == FrameType.SETTINGS and not flags & ACK:
                self.transport.write(written(FrameType.SETTINGS, ACK, 0, b""))
            elif kind == FrameType.PING and not flags & ACK:
                self.transport.write(written(FrameType.PING, ACK, 0, payload))
            elif kind == FrameType.GOAWAY:
                self.goaway = True
            elif kind == FrameType.RST_STREAM or (
                flags & END_STREAM and kind in {FrameType.HEADERS, FrameType.DATA}
            ):
                self.over.add(stream)
            if kind == FrameType.DATA:
                self._credit(len(payload))

    def _credit(self, number: int) -> None:
        self._uncredited += number
        if self._uncredited > _WINDOW // 2:
            self.transport.write(window_update(0, self._uncredited))
            self._uncredited = 0

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002  # however it went, it is over
        """See ``asyncio.Protocol``."""
        self.is_lost = True

    @property
    def is_open(self) -> bool:
        """Whether the server has left the connection alone."""
        if self.is_lost or self.transport.is_closing():
            return False
        return is_open(self.transport.get_extra_info("socket"))

    def call(self, path: str, message: bytes | None = None, *, ends: bool) -> int:
        """Begin a call, with one message or none; its stream."""
        stream = self.streams * 2 + 1
        self.streams += 1
        headers = (
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", self._authority),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
        )
        data = written(FrameType.HEADERS, END_HEADERS, stream, header_block(headers))
        if message is not None:
            framed = len(message).to_bytes(_PREFIX_BYTES) + message
            data += written(FrameType.DATA, END_STREAM if ends else 0, stream, framed)
        self.transport.write(data)
        return stream

    def reset(self, stream: int) -> None:
        """Cancel a call (error 8)."""
        self.transport.write(written(FrameType.RST_STREAM, 0, stream, (8).to_bytes(4)))

    @property
    def running(self) -> int:
        """Calls that the server has not ended; none once the connection is over."""
        return 0 if self.is_lost else self.streams - len(self.over)


@asynccontextmanager
async def channel(target: Target, source: str = ATTACKERS) -> AsyncIterator[Channel]:
    """A connection while the block runs.

    Raises:
        OSError: it cannot be had.
    """
    address = parse_address(target.url)
    one = Channel(f"{address.host}:{address.port}")
    async with asyncio.timeout(15):
        opened = await connect(address, source)
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: one, sock=opened)
    try:
        yield one
    finally:
        one.transport.abort()
