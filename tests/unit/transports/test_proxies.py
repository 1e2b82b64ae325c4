"""Whom a proxy's connection comes from, and whose word is taken for it (B3 to B5)."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Final, TypeAlias

import grpc.aio
import pytest
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from chatcore import Chat, CloseCode, Limits
from chatstores.memory import MemoryStore
from chatsystem import INSECURE_FAST_HASH, system_environment
from chatsystem.process import MakeLoop
from tests.certificates import client_tls, server_tls
from tests.conformance.loops import LOOPS
from transports import serve
from transports.base import Address, Link, LinkSettings, parse_address
from transports.certificates import (
    ServerCertificate,
    client_context,
    read_client_files,
)
from transports.codec import Codec
from transports.grpc.options import CONVERSE
from transports.http.client_connection import ClientConnection
from transports.proxies import Proxies
from transports.proxy_header import (
    SIGNATURE,
    BadProxyHeader,
    header_length,
    read_source,
)
from transports.registry import transport_for

Stream: TypeAlias = "grpc.aio.StreamStreamCall[bytes, bytes]"
HERE: Final = ["127.0.0.0/8"]
CLIENT: Final = "192.0.2.1"
each_scheme: Final = pytest.mark.parametrize(
    "scheme", ["tcp", "tcps", "ws", "wss", "grpc", "grpcs", "http", "https"]
)
each_tcp: Final = pytest.mark.parametrize("scheme", ["tcp", "tcps"])


def header(source: str, *, command: int = 0x21, fields: bytes = b"") -> bytes:
    """What a proxy writes first, with a port of 5."""
    packed = ip_address(source).packed
    family = 0x11 if len(packed) == 4 else 0x21
    addresses = packed + packed + b"\x00\x05\x1c\xe8"
    length = len(addresses + fields).to_bytes(2, "big")
    return SIGNATURE + bytes([command, family]) + length + addresses + fields


# ---- X-Forwarded-For


@pytest.mark.rule("B3")
@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (["192.0.2.1"], "192.0.2.1"),
        (["192.0.2.1", "192.0.2.2"], "192.0.2.2"),
        (["192.0.2.1, 192.0.2.2, 10.0.0.7"], "192.0.2.2"),
        (["192.0.2.1:4711"], "192.0.2.1"),
        (["2001:db8::1"], "2001:db8::1"),
        (["[2001:db8::1]:4711"], "2001:db8::1"),
        (["::ffff:192.0.2.1"], "192.0.2.1"),
        (["192.0.2.1, ::ffff:10.0.0.7"], "192.0.2.1"),
        (["10.0.0.8, 10.0.0.9"], "10.0.0.8"),
        (["192.0.2.1, unknown"], "10.0.0.1"),
        (["192.0.2.1, unknown, 10.0.0.7"], "10.0.0.7"),
        ([""], "10.0.0.1"),
        ([], "10.0.0.1"),
    ],
)
def test_the_last_that_is_no_proxy_is_the_client(
    forwarded: list[str], client: str
) -> None:
    proxies = Proxies.of(["10.0.0.0/8"])

    assert proxies.client_of("10.0.0.1", forwarded) == client


def test_nobody_is_a_proxy_by_default() -> None:
    assert not Proxies().trusts("127.0.0.1")
    assert Proxies.of(HERE).trusts("::ffff:127.0.0.1")
    assert not Proxies.of(HERE).trusts("::1")
    assert not Proxies.of(HERE).trusts("somebody")


# ---- PROXY protocol 2


@pytest.mark.rule("B3")
@pytest.mark.parametrize("source", [CLIENT, "2001:db8::1"])
@pytest.mark.parametrize("fields", [b"", b"\x04\x00\x03abc"])
def test_a_header_names_an_address_and_a_port(source: str, fields: bytes) -> None:
    written = header(source, fields=fields)

    assert header_length(written[:16]) == len(written) - 16
    assert read_source(written) == (source, 5)


@pytest.mark.parametrize(
    "written",
    [header(CLIENT, command=0x20), SIGNATURE + b"\x21\x00\x00\x00"],
    ids=["local", "unspecified"],
)
def test_a_proxy_may_speak_for_itself(written: bytes) -> None:
    assert header_length(written[:16]) == len(written) - 16
    assert read_source(written) is None


@pytest.mark.parametrize(
    "written",
    [
        b"CHAT/1 json\n    ",
        b"PROXY TCP4 192.0.2.1 192.0.2.1 5 7400\r\n",
        SIGNATURE + b"\x11\x11\x00\x0c",
        SIGNATURE + b"\x22\x11\x00\x0c",
        SIGNATURE + b"\x21\x11\xff\xff",
        SIGNATURE + b"\x21\x11\x00\x04" + bytes(4),
        SIGNATURE + b"\x21\x21\x00\x0c" + bytes(12),
    ],
    ids=["greeting", "version 1", "version", "command", "long", "short", "family"],
)
def test_anything_else_is_no_header(written: bytes) -> None:
    with pytest.raises(BadProxyHeader):
        read_source(written[: 16 + header_length(written[:16])])


# ---- on each transport


class Seen:
    """Where the links of a listener come from."""

    def __init__(self) -> None:
        self.links: asyncio.Queue[Link] = asyncio.Queue()

    async def serve_link(self, link: Link, _: Codec) -> None:
        self.links.put_nowait(link)
        await link.close(CloseCode.SHUTTING_DOWN, "seen")

    async def address(self) -> str:
        async with asyncio.timeout(10):
            return (await self.links.get()).address


@asynccontextmanager
async def listening(scheme: str, *proxies: str) -> AsyncIterator[tuple[str, Seen]]:
    """A listener that tells where its links come from."""
    seen = Seen()
    settings = LinkSettings(
        frame_bytes=32 * 1024,
        handshake_s=5,
        certificate=ServerCertificate(server_tls()),
        proxies=Proxies.of(proxies),
    )
    async with asyncio.TaskGroup() as tasks:

        def spawn(work: Coroutine[object, None, None]) -> None:
            tasks.create_task(work)

        address = parse_address(f"{scheme}://127.0.0.1:0")
        listener = await transport_for(scheme).listen(
            address, seen.serve_link, settings, spawn
        )
        yield listener.url, seen
        await listener.stop_accepting()
        await listener.wait_finished()


async def open_tcp(address: Address, first: bytes, *, piece_bytes: int = 1024) -> bytes:
    """Write a header, in pieces, and then greet; the answer's line."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        for start in range(0, len(first), piece_bytes):
            writer.write(first[start : start + piece_bytes])
            await asyncio.sleep(0)
        if address.is_secure:
            await writer.start_tls(
                client_context(client_tls()), server_hostname=address.host
            )
        writer.write(b"CHAT/1 json\n")
        async with asyncio.timeout(10):
            return await reader.readline()
    except (ConnectionError, ssl.SSLError):
        return b""
    finally:
        writer.transport.abort()


async def open_websocket(address: Address, forwarded: str) -> int:
    """Upgrade with a header; the status of the answer."""
    tls = client_context(client_tls()) if address.is_secure else None
    try:
        async with connect_websocket(
            address.text,
            additional_headers={"X-Forwarded-For": forwarded},
            subprotocols=[Subprotocol("chat.v1.json")],
            proxy=None,
            ssl=tls,
        ):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def open_link(address: Address, forwarded: str) -> int:
    """Open a link with a header; the status of the answer."""
    tls = client_context(client_tls()) if address.is_secure else None
    connection = await ClientConnection.open(address, tls)
    try:
        offer = ("Chat-Protocol", "chat.v1.json")
        answer = await connection.ask(
            "POST", "/chat/links", offer, ("X-Forwarded-For", forwarded)
        )
        return answer.status_code
    finally:
        connection.abort()


def channel_to(address: Address) -> grpc.aio.Channel:
    """A channel to a listener, with TLS where it has that."""
    place = f"{address.host}:{address.port}"
    if not address.is_secure:
        return grpc.aio.insecure_channel(place)
    authorities, _, _ = read_client_files(client_tls())
    credentials = grpc.ssl_channel_credentials(authorities)
    return grpc.aio.secure_channel(place, credentials)


def stream_naming(channel: grpc.aio.Channel, client: str) -> Stream:
    """A stream as a proxy of this client opens it."""
    metadata = (("x-forwarded-for", client),)
    stream: Stream = channel.stream_stream(CONVERSE)(None, metadata=metadata)
    return stream


async def open_stream(address: Address, forwarded: str) -> grpc.StatusCode:
    """Open a stream with a header; how it ended."""
    async with channel_to(address) as channel:
        call = stream_naming(channel, forwarded)
        return await call.code()


async def open_naming(url: str, client: str) -> object:
    """Connect as a proxy of this client does; what came of it."""
    address = parse_address(url)
    if address.scheme in {"tcp", "tcps"}:
        return await open_tcp(address, header(client))
    if address.scheme in {"ws", "wss"}:
        return await open_websocket(address, f"198.51.100.9, {client}")
    if address.scheme in {"http", "https"}:
        return await open_link(address, f"198.51.100.9, {client}")
    return await open_stream(address, f"198.51.100.9, {client}")


@each_scheme
@pytest.mark.rule("B3")
async def test_a_proxys_connection_comes_from_whom_it_names(scheme: str) -> None:
    async with listening(scheme, *HERE) as (url, seen):
        await open_naming(url, CLIENT)
        await open_naming(url, "2001:db8::1")

        addresses = [await seen.address(), await seen.address()]

    assert addresses == [CLIENT, "2001:db8::1"]


@each_tcp
@pytest.mark.rule("B3")
@pytest.mark.parametrize("make_loop", LOOPS.values(), ids=LOOPS)
def test_a_header_is_read_on_each_loop_and_whatever_it_comes_with(
    scheme: str, make_loop: MakeLoop
) -> None:
    async def see() -> list[str]:
        # Fields to be passed over, and a header that comes byte by byte.
        with_fields = header(CLIENT, fields=b"\x04\x00\x03abc")
        async with listening(scheme, *HERE) as (url, seen):
            await open_tcp(parse_address(url), with_fields)
            await open_tcp(parse_address(url), header("2001:db8::1"), piece_bytes=1)
            return [await seen.address(), await seen.address()]

    with asyncio.Runner(loop_factory=make_loop) as runner:
        addresses = runner.run(see())

    assert addresses == [CLIENT, "2001:db8::1"]


@pytest.mark.rule("B3")
@pytest.mark.parametrize("scheme", ["ws", "wss", "grpc", "grpcs", "http", "https"])
async def test_nobody_else_is_believed(scheme: str) -> None:
    async with listening(scheme, "10.0.0.0/8") as (url, seen):
        await open_naming(url, CLIENT)

        address = await seen.address()

    assert address == "127.0.0.1"


@each_tcp
@pytest.mark.rule("B3")
@pytest.mark.parametrize("proxies", [[], ["10.0.0.0/8"]], ids=["none", "others"])
async def test_a_header_of_anybody_else_is_a_wrong_greeting(
    scheme: str, proxies: list[str]
) -> None:
    async with listening(scheme, *proxies) as (url, seen):
        answer = await open_tcp(parse_address(url), header(CLIENT))
        plain = await open_tcp(parse_address(url), b"")
        address = await seen.address()

    assert not answer.startswith(b"CHAT/1 ok")
    assert plain == b"CHAT/1 ok\n"
    assert address == "127.0.0.1"


@each_tcp
async def test_a_proxy_that_asks_whether_the_server_is_up_comes_from_where_it_is(
    scheme: str,
) -> None:
    async with listening(scheme, *HERE) as (url, seen):
        await open_tcp(parse_address(url), header(CLIENT, command=0x20))

        address = await seen.address()

    assert address == "127.0.0.1"


@each_tcp
@pytest.mark.rule("B3")
async def test_a_proxy_that_writes_something_else_is_refused_and_told_of(
    scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with listening(scheme, *HERE) as (url, _):
        answer = await open_tcp(parse_address(url), b"CHAT/1 msgpack\n ")

    assert answer == b""
    assert "Refused the proxy 127.0.0.1" in caplog.text


@pytest.mark.rule("B1", "B3")
@pytest.mark.parametrize("written", [b"", SIGNATURE, header(CLIENT)[:-1]])
async def test_a_header_that_does_not_end_ends_the_connection(written: bytes) -> None:
    limits = Limits(login_within_s=0.2)
    async with serving("tcp", limits) as url:
        address = parse_address(url)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(written)

        async with asyncio.timeout(10):
            said = await reader.read()
        writer.close()

    assert said == b""


@asynccontextmanager
async def serving(scheme: str, limits: Limits) -> AsyncIterator[str]:
    """A server that believes whoever is on this machine."""
    chat = Chat(MemoryStore(), limits=limits)
    environment = system_environment(INSECURE_FAST_HASH)
    url = f"{scheme}://127.0.0.1:0"
    tls = server_tls()
    async with serve(chat, url, environment=environment, tls=tls, proxies=HERE) as urls:
        yield urls[0]


@pytest.mark.rule("B3")
@pytest.mark.parametrize("scheme", ["tcp", "tcps", "ws", "wss"])
async def test_what_an_address_may_have_counts_for_the_one_that_is_named(
    scheme: str,
) -> None:
    limits = Limits(address_connections=2, address_strangers=1)
    async with serving(scheme, limits) as url:
        address = parse_address(url)
        # One whose connection stays, since it says no more.
        first, writer = await opened_naming(address, CLIENT)
        greeting = await first.readline()

        second = await open_naming(url, CLIENT)
        other = await open_naming(url, "192.0.2.2")
        writer.transport.abort()

    assert greeting in {b"CHAT/1 ok\n", b"HTTP/1.1 101 Switching Protocols\r\n"}
    told = second[:17] if isinstance(second, bytes) else second
    assert told in {b"CHAT/1 error 4006", 503}
    assert other in {b"CHAT/1 ok\n", 101}


async def opened_naming(
    address: Address, client: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that has asked for a chat, as a proxy of this client does."""
    is_tcp = address.scheme in {"tcp", "tcps"}
    reader, writer = await asyncio.open_connection(address.host, address.port)
    if is_tcp:
        writer.write(header(client))
    if address.is_secure:
        context = client_context(client_tls())
        await writer.start_tls(context, server_hostname=address.host)
    if is_tcp:
        writer.write(b"CHAT/1 json\n")
    else:
        writer.write(
            b"GET /chat HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Protocol: chat.v1.json\r\n"
            + f"X-Forwarded-For: {client}\r\n\r\n".encode()
        )
    return reader, writer


@pytest.mark.rule("B3")
@pytest.mark.parametrize("scheme", ["grpc", "grpcs"])
async def test_streams_count_for_the_address_that_is_named(scheme: str) -> None:
    limits = Limits(address_connections=2, address_strangers=1)
    async with serving(scheme, limits) as url:
        address = parse_address(url)
        async with channel_to(address) as channel:
            stay = stream_naming(channel, CLIENT)
            await stay.read()

            second = await open_stream(address, CLIENT)
            other = stream_naming(channel, "192.0.2.2")
            welcome = await other.read()

    assert second is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert isinstance(welcome, bytes)
