"""What a WebSocket wire makes of servers that are not ours."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from chatbench.wire.connection import CannotOpen, shake_hands
from chatbench.wire.websocket import WebSocketWire
from tests.unit.chatbench.wire.event_recorder import WITHIN_S
from transports.base import parse_address

UPGRADE = "HTTP/1.1 101 Switching Protocols\r\n"
PROTOCOL = "Sec-WebSocket-Protocol: chat.v1.protobuf\r\n"


@asynccontextmanager
async def answering(head: str, then: bytes = b"") -> AsyncIterator[str]:
    """A server that answers each upgrade with this head, KEY filled in, and more."""
    left = asyncio.Event()

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        nonce = request.partition("Sec-WebSocket-Key: ")[2].partition("\r\n")[0]
        guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        digest = hashlib.sha1((nonce + guid).encode()).digest()  # noqa: S324  # RFC 6455, 1.3, names it
        key = base64.b64encode(digest).decode()
        whole = f"{head}\r\n".replace("KEY", key).encode() + then
        writer.write(whole[:20])  # in two pieces
        await writer.drain()
        writer.write(whole[20:])
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
        left.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}"
        await left.wait()


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("HTTP/1.1 404 Not Found\r\n", "did not upgrade: HTTP/1.1 404 Not Found"),
        (UPGRADE + "Sec-WebSocket-Accept: other\r\n" + PROTOCOL, "none to this"),
        (UPGRADE + "Sec-WebSocket-Accept: KEY\r\n", "does not speak chat.v1.protobuf"),
        (
            UPGRADE
            + "Sec-WebSocket-Accept: KEY\r\n"
            + PROTOCOL
            + "Sec-WebSocket-Extensions: permessage-deflate\r\n",
            "extension that was not offered",
        ),
    ],
)
async def test_an_upgrade_that_is_not_as_asked_opens_nothing(
    head: str, reason: str
) -> None:
    async with answering(head) as url:
        address = parse_address(url)
        wire = WebSocketWire(address, "protobuf", lambda _: None, lambda _: None)

        with pytest.raises(CannotOpen, match=reason):
            await shake_hands(address, wire)


@pytest.mark.parametrize(
    ("strange", "reason"),
    [
        pytest.param(b"\x82\x81abcd?", "not expected", id="masked"),
        pytest.param(b"\x02\x01a", "not expected", id="a fragment"),
        pytest.param(b"\xc2\x01a", "not expected", id="compressed"),
        pytest.param(b"\x88\x06\x11\x94Oops", "4500 Oops", id="closing"),
    ],
)
async def test_after_whole_messages_of_all_lengths_what_is_strange_is_told(
    strange: bytes, reason: str
) -> None:
    read: list[bytes] = []
    said: asyncio.Queue[str] = asyncio.Queue()
    head = UPGRADE + "Sec-WebSocket-Accept: KEY\r\n" + PROTOCOL
    messages = b"\x82\x00\x82\x01a\x82\x7e\x01\x00" + b"b" * 256
    messages += b"\x82\x7f" + (70_000).to_bytes(8) + b"c" * 70_000
    async with answering(head, messages + strange) as url:
        address = parse_address(url)
        wire = WebSocketWire(address, "protobuf", read.extend, said.put_nowait)
        await shake_hands(address, wire)
        async with asyncio.timeout(WITHIN_S):
            sentence = await said.get()

    assert read == [b"", b"a", b"b" * 256, b"c" * 70_000]
    assert reason in sentence
    assert said.empty()
