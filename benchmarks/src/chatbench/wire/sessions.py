"""Opening a session for a contestant, by what its attributes say.

Each load is a process that opens sessions of one kind: it imports no other, since the
libraries behind them take as long to import as a short round takes.
"""

from typing import TYPE_CHECKING, Protocol

from chatbench.cells import Contestant
from chatbench.wire.base import OnArrival, OnFault, WireSession
from chatbench.wire.connection import (
    CannotOpen,
    OnEnd,
    OnFrames,
    Wire,
    shake_hands,
)
from chatbench.wire.echo import ECHO_CODEC, EchoSession
from chatbench.wire.lean import LeanSession
from chatbench.wire.tcp import TcpWire
from transports.base import Address, parse_address

if TYPE_CHECKING:
    from chatbench.wire.grpc_stream import GrpcWire
    from chatbench.wire.websocket import WebSocketWire

__all__ = ["CannotOpen", "LoadSession", "open_session"]


class LoadSession(WireSession, Protocol):
    """See ``base.WireSession``.

    Attributes:
        waiting: messages that were queued when it logged in.
    """

    waiting: int


async def open_session(
    url: str,
    contestant: Contestant,
    username: str,
    on_arrival: OnArrival,
    on_fault: OnFault,
) -> LoadSession:
    """Connect, and log in with ``create=True``; an echo has no login.

    Nothing arrives before the caller has the session and waits for something else, not
    even mail that was queued. It answers pings by itself.

    Raises:
        CannotOpen: the server is not there, or refused.
        ValueError: a contestant that none of our wires is for, such as a peer.
    """
    address = parse_address(url)
    match contestant.server, contestant.driver:
        case "echo", _:
            echo = EchoSession(contestant.framing, on_arrival, on_fault)
            echo.begin(
                await _dial(address, contestant, ECHO_CODEC, echo.take, echo.fail)
            )
            return echo
        case "chat", "lean" | "unary" as driver:
            name, framing = contestant.codec, contestant.framing
            if driver == "unary":
                from chatbench.wire.grpc_unary import UnarySession  # noqa: PLC0415  # see the module

                session: LeanSession
                session = UnarySession(address, name, on_arrival, on_fault)
            else:
                session = LeanSession(name, framing, on_arrival, on_fault)
            wire = await _dial(address, contestant, name, session.take, session.fail)
            await session.log_in(wire, username)
            return session
        case "chat", "library":
            from chatbench.wire.library import LibrarySession  # noqa: PLC0415  # see the module

            library = LibrarySession(on_arrival, on_fault)
            await library.open(url, contestant.codec, username)
            return library
        case _:
            raise ValueError(f"No wire of ours is for {contestant.name}.")


async def _dial(
    address: Address,
    contestant: Contestant,
    codec_name: str,
    on_frames: OnFrames,
    on_end: OnEnd,
) -> Wire:
    """A wire of the contestant's transport, its handshake done."""
    wire: TcpWire | WebSocketWire | GrpcWire
    match contestant.transport:
        case "tcp":
            wire = TcpWire(codec_name, on_frames, on_end)
        case "websocket":
            from chatbench.wire import websocket  # noqa: PLC0415  # see the module

            wire = websocket.WebSocketWire(address, codec_name, on_frames, on_end)
        case "grpc" if codec_name == "protobuf":  # it carries no other
            from chatbench.wire import grpc_stream  # noqa: PLC0415  # see the module

            wire = grpc_stream.GrpcWire(address, on_frames, on_end)
        case _:
            raise ValueError(f"No wire of ours is for {contestant.name}.")
    await shake_hands(address, wire)
    return wire
