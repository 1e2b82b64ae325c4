"""Messages of the protocol below ours: fragments, sizes, compression (W3, W6)."""

import struct
import zlib
from contextlib import suppress

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

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

TOO_BIG = 1009  # RFC 6455, 7.4.1


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
