"""Messages of the protocol below ours: fragments, sizes, compression (W3, W6)."""

import struct
import zlib
from collections.abc import Sequence
from contextlib import suppress

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.typing import Subprotocol

from chatcore.errors import CloseCode
from chatcore.limits import KIB, MIB
from tests.interop.servers import PASSWORD, serving
from tests.unit.transports.websocket.sockets import (
    URL,
    end_of,
    login,
    opening,
    read_events,
    tell,
)
from transports.awaited_link import AwaitedLink
from transports.base import LinkSettings, parse_address
from transports.codec import CODECS
from transports.codec import codec as codec_of
from transports.errors import LinkClosed
from transports.websocket import dial
from transports.websocket.server import ServerSide

NOT_UTF_8 = 1007  # RFC 6455, 7.4.1
TOO_BIG = 1009


@pytest.mark.rule("W6")
@pytest.mark.parametrize("chunk", [1, 7])
async def test_a_message_may_come_in_fragments(chunk: int) -> None:
    fields = {"username": "ada", "password": PASSWORD}
    frame = msgspec.json.encode({"commands": [{"id": 1, "create": fields}]}).decode()
    async with serving(URL) as server, opening(server.url) as socket:
        await socket.recv()

        await socket.send(frame[n : n + chunk] for n in range(0, len(frame), chunk))

        (created,) = await read_events(socket)
        assert created == {"id": 1, "created": {"account": "1", "username": "ada"}}


@pytest.mark.rule("W3", "E2")
@pytest.mark.parametrize("codec", CODECS)
async def test_text_that_is_not_utf_8_ends_its_link_unread(codec: str) -> None:
    async with serving(URL) as server, opening(server.url, f"chat.v1.{codec}") as peer:
        await peer.recv()

        await peer.send(b'{"commands": [{"list": {"pattern": "\xff"}}]}', text=True)

        code, _ = await end_of(peer)
        assert code == NOT_UTF_8


@pytest.mark.rule("E2")
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [(NOT_UTF_8, CloseCode.BROKEN_FRAME), (TOO_BIG, CloseCode.FRAME_TOO_LARGE)],
)
async def test_what_the_library_refuses_has_our_code_for_our_client(
    theirs: int, ours: CloseCode
) -> None:
    async def refuse(connection: ServerConnection) -> None:
        await connection.close(theirs)

    def agree(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol:
        return offered[0]

    async with serve(refuse, "127.0.0.1", 0, select_subprotocol=agree) as refusing:
        _, port = next(iter(refusing.sockets)).getsockname()
        link = AwaitedLink(
            await dial(
                parse_address(f"ws://127.0.0.1:{port}"),
                codec_of("json"),
                LinkSettings(frame_bytes=MIB),
            )
        )

        with pytest.raises(LinkClosed) as closed:
            await link.receive()

    assert closed.value.code is ours
    assert not ours.may_reconnect


@pytest.mark.rule("W6")
async def test_a_message_that_announces_too_much_ends_its_link_unread() -> None:
    async with serving(URL) as server, opening(server.url) as socket:
        await login(socket)

        header = struct.pack("!BBQ4x", 0x82, 0xFF, MIB + 1)  # and nothing behind it
        socket.transport.write(header)

        code, reason = await end_of(socket)
        assert code == TOO_BIG
        assert "1048577" in reason


@pytest.mark.rule("W6")
async def test_fragments_that_are_too_much_together_end_their_link() -> None:
    async with serving(URL) as server, opening(server.url) as socket:
        await login(socket)

        fragment = "x" * (64 * KIB)
        with suppress(ConnectionClosed):
            await socket.send(fragment for _ in range(17))
        code, _ = await end_of(socket)

        assert code == TOO_BIG


@pytest.mark.rule("W3")
@pytest.mark.parametrize(
    ("option", "extensions"),
    [("", []), ("?compression=deflate", ["permessage-deflate"])],
)
async def test_nothing_is_compressed_unless_the_server_is_told_to(
    option: str, extensions: list[str]
) -> None:
    async with (
        serving(URL + option) as server,
        opening(server.url, compression="deflate") as socket,
    ):
        await login(socket)
        await tell(socket, list={})

        assert await read_events(socket)
        assert [it.name for it in socket.protocol.extensions] == extensions


@pytest.mark.rule("W6")
async def test_what_would_be_too_much_when_expanded_ends_its_link() -> None:
    async with (
        serving(f"{URL}?compression=deflate") as server,
        opening(server.url, compression="deflate") as socket,
    ):
        await login(socket)
        deflate = zlib.compressobj(wbits=-15)
        bomb = deflate.compress(bytes(8 * MIB)) + deflate.flush(zlib.Z_SYNC_FLUSH)
        assert len(bomb) < 10 * KIB

        header = struct.pack("!BBH4x", 0xC2, 0xFE, len(bomb) - 4)
        socket.transport.write(header + bomb[:-4])

        code, _ = await end_of(socket)
        assert code == TOO_BIG


@pytest.mark.rule("W3")
@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536])
@pytest.mark.parametrize("is_text", [False, True])
async def test_a_message_of_any_length_is_what_another_library_reads(
    length: int, compression: str | None, *, is_text: bool
) -> None:
    async def write(connection: ServerConnection) -> None:
        assert isinstance(connection, ServerSide)
        connection.write([b"x" * length, b"next"], is_text=is_text)
        await connection.wait_closed()

    deflate = ServerPerMessageDeflateFactory()
    async with serve(
        write,
        "127.0.0.1",
        0,
        create_connection=ServerSide,
        subprotocols=[Subprotocol("chat.v1.json")],
        extensions=[] if compression is None else [deflate],
        compression=None,
    ) as server:
        _, port = next(iter(server.sockets)).getsockname()
        url = f"ws://127.0.0.1:{port}"
        async with opening(url, compression=compression) as socket:
            read = [await socket.recv(), await socket.recv()]
            extensions = len(socket.protocol.extensions)

    expected: list[str | bytes] = [b"x" * length, b"next"]
    if is_text:
        expected = ["x" * length, "next"]
    assert read == expected
    assert extensions == (compression is not None)
