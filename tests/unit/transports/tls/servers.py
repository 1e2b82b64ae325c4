"""Servers with TLS on each transport, and what a stranger sees of them."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import Final

import pytest

from chatcore import Chat, Limits
from chatstores.memory import MemoryStore
from chatsystem import INSECURE_FAST_HASH, system_environment
from transports import serve
from transports.base import parse_address
from transports.certificates import ServerCertificate
from transports.tls import ServerTls

SCHEMES: Final = ("tcps", "wss", "grpcs", "https")
PASSWORD: Final = "correct horse"
each_stream: Final = pytest.mark.parametrize("scheme", ["tcps", "wss", "https"])
"""Whose handshakes are our own."""
each_scheme: Final = pytest.mark.parametrize("scheme", SCHEMES)


@asynccontextmanager
async def serving(
    scheme: str,
    tls: ServerTls | ServerCertificate | None,
    *,
    limits: Limits | None = None,
) -> AsyncIterator[str]:
    """A server's URL, while the block runs."""
    chat = Chat(MemoryStore(), limits=limits or Limits())
    environment = system_environment(INSECURE_FAST_HASH)
    url = f"{scheme}://127.0.0.1:0"
    async with serve(chat, url, environment=environment, tls=tls) as urls:
        yield urls[0]


@asynccontextmanager
async def bare_socket(
    url: str, context: ssl.SSLContext | None = None, *, source: str = "127.0.0.1"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A socket to a server, with or without TLS."""
    address = parse_address(url)
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(
            address.host, address.port, ssl=context, local_addr=(source, 0)
        )
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


async def certificate_of(url: str) -> bytes:
    """What a server shows to the next who connects."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1", "h2"])
    async with bare_socket(url, context) as (_, writer):
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert isinstance(shown, bytes)
        return shown


async def end_of(reader: asyncio.StreamReader) -> bytes:
    """All that comes until a connection's end, whichever way it ends."""
    received = b""
    try:
        while more := await reader.read(4096):
            received += more
    except ConnectionError:
        pass
    return received


@cache
def client_hello() -> bytes:
    """How a handshake begins."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    begun = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        begun.do_handshake()
    return outgoing.read()


async def first_to_end(count: int, readers: list[asyncio.StreamReader]) -> list[bytes]:
    """What came on so many connections, the first that were ended."""
    said: list[bytes] = []
    async with asyncio.TaskGroup() as tasks:
        reading = [tasks.create_task(end_of(it)) for it in readers]
        for ended in asyncio.as_completed(reading, timeout=10):
            said.append(await ended)
            if len(said) == count:
                break
        for it in reading:
            it.cancel()
    return said
