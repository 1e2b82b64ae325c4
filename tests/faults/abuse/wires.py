"""The comparison's bare wires, dialled as a hostile peer does.

Its source address is chosen, its receive buffer may be tiny, and it can stop taking
what the server writes: on TCP and WebSocket by not reading the socket, on gRPC by
leaving the stream's window shut, since there the socket has to be read for the windows
of what is sent.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import Final, TypeAlias

from chatbench.wire.connection import CannotOpen, OnEnd, OnFrames, WireConnection
from chatbench.wire.grpc_stream import GrpcWire
from chatbench.wire.http2 import Frame, Setting, settings
from chatbench.wire.tcp import TcpWire
from chatbench.wire.websocket import WebSocketWire
from tests.faults.abuse.targets import Target
from transports.base import Address, parse_address
from transports.certificates import client_context
from transports.errors import reason_of
from transports.tls import ClientTls

ATTACKERS: Final = "127.0.0.2"
"""Where attackers come from, unless an attack says otherwise; others use .1."""

_OPEN_S: Final = 15.0
_PREFIX_BYTES: Final = 5
_BIND_WITHOUT_PORT: Final = 24
"""``IP_BIND_ADDRESS_NO_PORT`` of ip(7): the port is chosen at the connect, so that a
source address has its ports once for each destination."""
_TCP_ESTABLISHED: Final = 1
"""The first byte of ``TCP_INFO``, see tcp(7)."""


class ShutGrpcWire(GrpcWire):
    """gRPC's wire, whose stream can be left without a window."""

    takes = True

    def _take_data(self, frame: Frame) -> Sequence[bytes]:
        return super()._take_data(frame) if self.takes else ()

    def shut(self) -> None:
        """Grant nothing from now on; what was granted is taken back (RFC 9113, 6.9.2).

        What the server has sent by then is dropped.
        """
        self.takes = False
        self.transport.write(settings({Setting.INITIAL_WINDOW_SIZE: 0}))

    def write_short(self, frame: bytes) -> None:
        """Write a frame without its last byte."""
        data = len(frame).to_bytes(_PREFIX_BYTES) + frame[:-1]
        self.transport.write(self._outgoing.put(data))

    @property
    def waiting_bytes(self) -> int:
        """What the server's windows have not let out."""
        return self._outgoing.waiting_bytes


HostileWire: TypeAlias = TcpWire | WebSocketWire | ShutGrpcWire


async def dial(
    target: Target,
    on_frames: OnFrames,
    on_end: OnEnd,
    *,
    codec: str = "protobuf",
    source: str = ATTACKERS,
    receive_bytes: int = 0,
) -> HostileWire:
    """A wire to the server, its handshake done.

    Raises:
        CannotOpen: nobody answers there, or the handshake was refused.
    """
    address = parse_address(target.url)
    wire: HostileWire
    match target.transport:
        case "tcp":
            wire = TcpWire(codec, on_frames, on_end)
        case "websocket":
            wire = WebSocketWire(address, codec, on_frames, on_end)
        case _:
            wire = ShutGrpcWire(address, on_frames, on_end)
    await _open(address, wire, source, receive_bytes, tls_context(target))
    return wire


def tls_context(target: Target) -> ssl.SSLContext | None:
    """What a server with TLS is connected to with; None for one without."""
    if not target.ca:
        return None
    return client_context(ClientTls(ca=target.ca), ("http/1.1", "h2"))


async def _open(
    address: Address,
    wire: WireConnection,
    source: str,
    receive_bytes: int,
    context: ssl.SSLContext | None,
) -> None:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_OPEN_S):
            connected = await connect(address, source, receive_bytes)
            await loop.create_connection(
                lambda: wire,
                sock=connected,
                ssl=context,
                server_hostname=address.host if context else None,
            )
            await wire.opened
    except OSError as error:  # TimeoutError is one
        raise CannotOpen(f"The server does not answer: {reason_of(error)}.") from error


async def connect(
    address: Address, source: str = ATTACKERS, receive_bytes: int = 0
) -> socket.socket:
    """A connected socket that does not block.

    Raises:
        OSError: it cannot be had.
    """
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.settimeout(0)
        opened.setsockopt(socket.IPPROTO_IP, _BIND_WITHOUT_PORT, 1)
        if receive_bytes:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        opened.bind((source, 0))
        loop = asyncio.get_running_loop()
        await loop.sock_connect(opened, (address.host, address.port))
    except BaseException:
        opened.close()
        raise
    return opened


def is_open(connection: socket.socket) -> bool:
    """Whether the server has neither closed nor reset it, read or not."""
    if connection.fileno() < 0:
        return False
    state = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state == _TCP_ESTABLISHED
