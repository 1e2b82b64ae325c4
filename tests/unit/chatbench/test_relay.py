"""The relay counts every byte, delays without stopping, and loses whole frames."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hypothesis import given
from hypothesis import strategies as st

from chatbench.relay import FrameLoss, relaying
from chatcore.events import Accepted, Delivered
from chatcore.ids import AccountId, Position, Username
from transports.base import parse_address
from transports.codec import codec
from transports.framing import LengthFraming

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Twice(asyncio.Protocol):
    """Sends back everything twice."""

    def __init__(self, open_ends: list[asyncio.WriteTransport]) -> None:
        self.open_ends = open_ends

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.open_ends.append(transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(data * 2)


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    open_ends: list[asyncio.WriteTransport] = []
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Twice(open_ends), "127.0.0.1", 0)
    try:
        yield f"tcp://127.0.0.1:{listening.sockets[0].getsockname()[1]}/path"
    finally:
        listening.close()
        for end in open_ends:
            end.abort()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Streams]:
    address = parse_address(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


async def test_every_byte_each_way_is_counted_once() -> None:
    sent = bytes(range(256)) * 5_000

    async with (
        server() as url,
        relaying(url) as relay,
        connected(relay.url) as (reader, writer),
    ):
        writer.write(sent)
        await reader.readexactly(2 * len(sent))

    assert relay.bytes_up == len(sent)
    assert relay.bytes_down == 2 * len(sent)


async def test_the_relay_has_the_path_of_what_it_stands_for() -> None:
    async with server() as url, relaying(url) as relay:
        assert parse_address(relay.url).path == "/path"
        assert parse_address(relay.url).port != parse_address(url).port


async def test_a_delay_holds_each_way_and_stops_nothing() -> None:
    delay_s, sent = 0.05, bytes(4_000_000)

    async with (
        server() as url,
        relaying(url, delay_s=delay_s) as relay,
        connected(relay.url) as (reader, writer),
    ):
        began_s = time.monotonic()
        writer.write(sent)
        await reader.readexactly(2 * len(sent))
        took_s = time.monotonic() - began_s

    # One chunk after the other, 256 KiB each, would take 47 delays.
    assert 2 * delay_s <= took_s < 20 * delay_s


async def test_what_is_dialled_in_vain_ends() -> None:
    async with server() as url:
        pass  # it is gone

    async with relaying(url) as relay, connected(relay.url) as (reader, _):
        assert await reader.read() == b""


def delivery(number: int) -> Delivered:
    return Delivered(
        Position(number),
        Position(number - 1),
        Username("ada"),
        AccountId(1),
        False,  # noqa: FBT003  # a named tuple's field
        "text",
        0,
    )


@given(st.integers(1, 20))
def test_every_nth_frame_with_a_delivery_is_lost_however_it_is_cut(size: int) -> None:
    framing, chat = LengthFraming(1 << 20), codec("protobuf")
    receipt = Accepted(1, AccountId(1), Position(1), 0, False)  # noqa: FBT003  # as above
    frames = [chat.encode_events([delivery(it)]) for it in range(1, 10)]
    frames.insert(2, chat.encode_events([receipt]))
    stream = b"CHAT/1 ok\n" + framing.join(frames)
    loss = FrameLoss(3)

    kept = b"".join(loss(stream[at : at + size]) for at in range(0, len(stream), size))

    left = [it for it in frames if it not in (frames[3], frames[6], frames[9])]
    assert kept == b"CHAT/1 ok\n" + framing.join(left)
