"""The same way as in ``lone_message``, over WebSocket."""

from itertools import count
from typing import Final

from websockets.frames import Opcode
from websockets.protocol import Protocol, Side

from benchmarks.micro.base import SIZES, Benchmark
from benchmarks.micro.lone_message import PAIRS, Client, KeptWrites, messaging
from chatcore.commands import Command, Request
from chatcore.events import Event
from transports.codec import codec as codec_of
from transports.websocket.bounded import BoundedConnection
from transports.websocket.link import WebSocketLink

_CODEC: Final = codec_of("msgpack")
_MASKED: Final = 0x80
_SHORT: Final = 126
_KEY: Final = bytes(4)
"""Masks nothing: what a client does is not what is measured."""


class LimitedWrites(KeptWrites):
    """A transport that takes all at once, and is told how much it may keep."""

    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None:
        pass


class WebSocketClient:
    """See ``lone_message.Client``."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._transport = LimitedWrites()
        self._protocol = Protocol(Side.CLIENT)
        self._connection = BoundedConnection(
            Protocol(Side.SERVER), ping_interval=None, max_queue=1
        )
        self._connection.connection_made(self._transport)
        self.link = WebSocketLink(self._connection, _CODEC)

    def tell(self, *commands: Command) -> None:
        """See ``Client``."""
        requests = [Request(next(self._numbers), it) for it in commands]
        self._connection.data_received(_masked(_CODEC.encode_commands(requests)))

    def events(self) -> list[Event]:
        """See ``Client``."""
        written, self._transport.written = self._transport.written, []
        events: list[Event] = []
        for data in written:
            self._protocol.receive_data(data)
            for frame in self._protocol.events_received():
                events += _CODEC.decode_events(bytes(frame.data))  # type: ignore[union-attr]  # no request
        return events

    def forget(self) -> None:
        """See ``Client``."""
        self._transport.written.clear()

    def lose(self) -> None:
        """See ``Client``."""
        self._connection.connection_lost(None)


def _masked(message: bytes) -> bytes:
    """A client's frame of a message (RFC 6455, 5.2)."""
    length = len(message)
    first = 0x80 | Opcode.BINARY
    if length < _SHORT:
        return b"%c%c%b%b" % (first, _MASKED | length, _KEY, message)
    head = bytes((first, _MASKED | _SHORT)) + length.to_bytes(2)
    return head + _KEY + message


def _connect() -> Client:
    return WebSocketClient()


BENCHMARKS: Final = [
    Benchmark(f"websocket-{PAIRS}x{size}", messaging(size, _connect, _CODEC))
    for size in SIZES
]
