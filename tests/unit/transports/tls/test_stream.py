"""TLS on a stream: its ends, and that it reads nothing while it is paused (B1, W6)."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest

from chatsystem.process import MakeLoop
from tests.certificates import client_tls, server_tls
from tests.conformance.loops import LOOPS
from tests.unit.transports.tls.servers import serving
from transports.base import parse_address
from transports.certificates import ServerCertificate, client_context
from transports.tls_stream import TlsStream

each_loop = pytest.mark.parametrize("make_loop", LOOPS.values(), ids=LOOPS)
T = TypeVar("T")
MIB = 1024 * 1024
LARGE = 4 * MIB


class Recorder(asyncio.Protocol):
    """Keeps what a stream brings."""

    def __init__(self, *, stays_open: bool = True) -> None:
        self.stays_open = stays_open
        self.received = b""
        self.transport: asyncio.Transport | None = None
        self.made = asyncio.Event()
        self.finished = asyncio.Event()
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.made.set()

    def data_received(self, data: bytes) -> None:
        self.received += data

    def eof_received(self) -> bool:
        self.finished.set()
        return self.stays_open

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # no matter
        self.lost.set()


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Recorder, Recorder]]:
    """Both ends of a connection that has shaken hands, the server's first."""
    loop = asyncio.get_running_loop()
    ours, theirs = Recorder(), Recorder()
    context = ServerCertificate(server_tls()).context()
    listening = await loop.create_server(
        lambda: TlsStream(context, ours, handshake_s=10), "127.0.0.1", 0
    )
    async with listening, asyncio.timeout(20):
        port = listening.sockets[0].getsockname()[1]
        stream = TlsStream(
            client_context(client_tls()),
            theirs,
            server_hostname="127.0.0.1",
            handshake_s=10,
        )
        await loop.create_connection(lambda: stream, "127.0.0.1", port)
        await stream.opened
        await ours.made.wait()
        try:
            yield ours, theirs
        finally:
            for it in (ours, theirs):
                assert it.transport is not None
                it.transport.abort()
                await it.lost.wait()


def run_on(make_loop: MakeLoop, work: Coroutine[Any, Any, T]) -> T:
    """What came of it, on a loop of this kind."""
    with asyncio.Runner(loop_factory=make_loop) as runner:
        return runner.run(work)


@each_loop
@pytest.mark.rule("W6")
def test_whoever_has_finished_still_reads_what_it_is_owed(make_loop: MakeLoop) -> None:
    async def see() -> tuple[bytes, bytes]:
        async with connected() as (ours, theirs):
            assert ours.transport is not None
            assert theirs.transport is not None
            theirs.transport.write(b"the last question")
            theirs.transport.write_eof()
            await ours.finished.wait()

            ours.transport.write(b"x" * MIB)
            ours.transport.close()
            await theirs.finished.wait()
            return ours.received, theirs.received

    asked, answered = run_on(make_loop, see())

    assert asked == b"the last question"
    assert answered == b"x" * MIB


@each_loop
@pytest.mark.rule("B1")
def test_a_stream_that_is_paused_keeps_no_more_than_it_has_in_hand(
    make_loop: MakeLoop,
) -> None:
    async def see() -> tuple[int, int, int, bytes]:
        async with connected() as (ours, theirs):
            assert isinstance(ours.transport, TlsStream)
            assert theirs.transport is not None
            ours.transport.pause_reading()
            theirs.transport.write(b"x" * LARGE)
            for _ in range(1000):  # turns in which much more could be read
                await asyncio.sleep(0)
            kept, unread = len(ours.received), ours.transport.unread_bytes
            waits = theirs.transport.get_write_buffer_size()

            ours.transport.resume_reading()
            theirs.transport.write_eof()
            await ours.finished.wait()
            return kept, unread, waits, ours.received

    kept, unread, waits, received = run_on(make_loop, see())

    assert kept <= 16 * 1024
    assert unread <= 32 * 1024
    assert waits > 0
    assert received == b"x" * LARGE


@each_loop
def test_an_end_without_tls_s_own_is_a_lost_connection(make_loop: MakeLoop) -> None:
    async def see() -> bool:
        async with connected() as (ours, theirs):
            assert isinstance(theirs.transport, TlsStream)
            below = theirs.transport.get_extra_info("socket")
            with socket.socket(fileno=os.dup(below.fileno())) as same:
                same.shutdown(socket.SHUT_WR)  # as somebody on the way can say it
            await ours.lost.wait()
            return ours.finished.is_set()

    has_finished = run_on(make_loop, see())

    assert not has_finished


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_both_versions_are_spoken_and_none_before(
    version: ssl.TLSVersion,
) -> None:
    context = client_context(client_tls())
    context.minimum_version = context.maximum_version = version
    async with serving("tcps", server_tls()) as url:
        address = parse_address(url)
        reader, writer = await asyncio.open_connection(
            address.host, address.port, ssl=context
        )
        writer.write(b"CHAT/1 json\n")
        greeting = await reader.readline()
        spoken = writer.get_extra_info("ssl_object").version()
        writer.transport.abort()

    assert greeting == b"CHAT/1 ok\n"
    assert spoken == version.name.replace("_", ".")
    least = {
        client_context(client_tls()).minimum_version,
        ServerCertificate(server_tls()).context().minimum_version,
    }
    assert least == {ssl.TLSVersion.TLSv1_2}
