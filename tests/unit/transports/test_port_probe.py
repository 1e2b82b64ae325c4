"""Finding out what a port speaks."""

import asyncio

import pytest

from transports import connect
from transports.base import LinkSettings, parse_address
from transports.errors import CannotConnect, WrongTransport
from transports.port_probe import find_fault, recognise

SETTINGS = bytes.fromhex("000006 04 00 00000000 000300000064")


@pytest.mark.parametrize(
    ("first", "scheme"),
    [
        (b"CHAT/1 error 4500 Begin", "tcp"),
        (b"CHAT/2 ok\n", "tcp"),
        (b"HTTP/1.1 426 Upgrade Required\r\n", "ws"),
        (b"HTTP/1.1 404 Not Found\r\n", "web"),
        (b"HTTP/1.1 200 OK\r\nChat-Protocol: chat.v1.json\r\n\r\n", "http"),
        (SETTINGS, "grpc"),
        (SETTINGS[:8], ""),
        (b"220 mail.example ESMTP\r\n", ""),
        (b"\x00\x00\x00\x1d\n\x1b\x12\x19\x08", ""),
        (b"", ""),
    ],
)
def test_the_first_bytes_tell_what_is_spoken(first: bytes, scheme: str) -> None:
    assert recognise(first) == scheme


@pytest.mark.parametrize("scheme", ["tcp", "grpc", "http"])
async def test_a_web_server_is_told_as_one(scheme: str) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as other:
        port = other.sockets[0].getsockname()[1]
        with pytest.raises(WrongTransport) as refused:
            async with connect(f"{scheme}://127.0.0.1:{port}"):
                pass

    assert refused.value.speaks == "web"
    assert f":{port}: this port speaks HTTP, and is no chat server" in str(
        refused.value
    )


async def test_what_says_nothing_is_no_wrong_transport() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as other:
        port = other.sockets[0].getsockname()[1]
        address = parse_address(f"ws://127.0.0.1:{port}")

        assert await find_fault(address, LinkSettings(frame_bytes=1024)) is None
        with pytest.raises(CannotConnect, match="valid HTTP response"):
            async with connect(address.text):
                pass
