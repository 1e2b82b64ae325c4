"""A session of Socket.IO 5 over Engine.IO 4, on WebSocket from the first byte.

``send`` is an event that asks for an acknowledgement, which is the receipt; ``message``
brings one, and is acknowledged. A packet is a text frame of WebSocket; those of a batch
are written together. https://socket.io/docs/v4/socket-io-protocol/

The frames are made and read by ``websockets`` without its I/O.
"""

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from chatbench.peers.link import PeerLink
from chatbench.wire.base import OnArrival, OnFault

_PATH: Final = "/socket.io/?EIO=4&transport=websocket"
_ENGINE_OPEN: Final = "0"
_ENGINE_PING: Final = "2"
_ENGINE_PONG: Final = "3"
_CONNECT: Final = "40"
_EVENT: Final = "42"
_ACKNOWLEDGEMENT: Final = "43"
_NUMBERED: Final = re.compile(r"4[23](\d*)(.*)", re.DOTALL)
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(list[Any]).decode


def connect(username: str) -> str:
    """Join the default namespace by this name."""
    return _CONNECT + _encode({"username": username}).decode()


def event(number: int, *arguments: str) -> str:
    """An event, its name first, that asks for an acknowledgement of this number."""
    return f"{_EVENT}{number}{_encode(arguments).decode()}"


def acknowledgement(number: int) -> str:
    """The acknowledgement of an event of this number."""
    return f"{_ACKNOWLEDGEMENT}{number}[]"


def numbered(packet: str) -> tuple[int, list[Any]]:
    """The number and the arguments of an event or an acknowledgement.

    Raises:
        ValueError: it is neither.
    """
    found = _NUMBERED.fullmatch(packet)
    if found is None or not found[1]:
        raise ValueError(f"no packet with a number: {packet[:100]}")
    try:
        return int(found[1]), _decode(found[2])
    except msgspec.DecodeError as error:
        raise ValueError(f"no JSON: {packet[:100]}") from error


class SocketIoSession(PeerLink):
    """See ``chatbench.wire.base.Session``."""

    def __init__(
        self, url: str, username: str, on_arrival: OnArrival, on_fault: OnFault
    ) -> None:
        super().__init__(username, on_arrival, on_fault)
        self._socket = ClientProtocol(parse_uri(f"ws://{urlsplit(url).netloc}{_PATH}"))
        self._event = 0
        self._unacknowledged: deque[int] = deque()
        self._acknowledged = 0

    def send(self, recipient: str, bodies: Sequence[str]) -> None:
        """See ``chatbench.wire.base.Session``."""
        first = self._event
        self._event += len(bodies)
        self._say(
            *[
                event(number, "send", recipient, body)
                for number, body in enumerate(bodies, first)
            ]
        )

    def acknowledge(self, position: int) -> None:
        """See ``chatbench.wire.base.Session``."""
        more = position - self._acknowledged
        self._acknowledged = position
        waiting = self._unacknowledged
        self._say(*[acknowledgement(waiting.popleft()) for _ in range(more)])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for WebSocket."""
        super().connection_made(transport)
        self._socket.send_request(self._socket.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Cut it into packets, and tell what they bring."""
        self._socket.receive_data(data)
        bodies: list[str] = []
        receipts = 0
        try:
            for frame in self._socket.events_received():
                if isinstance(frame, Frame) and frame.opcode is Opcode.TEXT:
                    self.frames_in += 1
                    receipts += self._take(bytes(frame.data).decode(), bodies)
                elif isinstance(frame, Response) and self._socket.handshake_exc:
                    raise ValueError(f"status {frame.status_code}")  # noqa: TRY301  # told below with the others
        except ValueError as error:
            self.fail(f"The relay refused: {error}.")
            return
        self._flush()
        self.tell(receipts, bodies)

    def _take(self, packet: str, bodies: list[str]) -> int:
        """Take one packet; how many receipts it brings.

        Raises:
            ValueError: it is a refusal, or nothing that we know.
        """
        if packet.startswith(_EVENT):
            number, arguments = numbered(packet)
            self._unacknowledged.append(number)
            bodies.append(arguments[1])
        elif packet.startswith(_ACKNOWLEDGEMENT):
            _, answer = numbered(packet)
            if answer != [True]:
                raise ValueError(f"a message to nobody: {packet[:100]}")
            return 1
        elif packet.startswith(_ENGINE_OPEN):
            self._say(connect(self._username))
        elif packet.startswith(_CONNECT):
            self.is_open()
        elif packet == _ENGINE_PING:
            self._say(_ENGINE_PONG)
        else:
            raise ValueError(packet[:100])
        return 0

    def _say(self, *packets: str) -> None:
        if self._is_closed:
            return
        for packet in packets:
            self._socket.send_text(packet.encode())
        self._flush(frames=len(packets))

    def _flush(self, *, frames: int = 0) -> None:
        self.write(b"".join(self._socket.data_to_send()), frames=frames)
