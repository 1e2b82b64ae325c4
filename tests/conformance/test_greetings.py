"""How a link begins: versions, codecs, lines typed by hand (W1, W2, W5)."""

import asyncio
from base64 import b64decode
from typing import Any, Final

import msgspec
import pytest

from chatcore.commands import (
    Command,
    Create,
    Deliver,
    List,
    Login,
    Request,
)
from chatcore.errors import CloseCode, Closed
from chatcore.events import (
    Created,
    Welcome,
)
from tests.conformance.cells import (
    Cell,
    each_transport,
    over,
)
from tests.conformance.peers import PASSWORD
from tests.conformance.servers import serving
from tests.conformance.sockets import socket_to
from transports import connect
from transports.codec import codec
from transports.errors import CannotConnect

KIB: Final = 1024


# ---- versions and greetings on TCP (W1, W2)


@over("tcp", "json")
@pytest.mark.rule("W1", "W2")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"CHAT/2 json\n", CloseCode.WRONG_VERSION),
        (b"CHAT/1.1 json\n", CloseCode.WRONG_VERSION),
        (b"CHAT/1 xml\n", CloseCode.BROKEN_FRAME),
        (b"CHAT/1\n", CloseCode.BROKEN_FRAME),
        (b"\n", CloseCode.BROKEN_FRAME),
        (b"GET / HTTP/1.1\r\nHost: chat\r\n\r\n", CloseCode.BROKEN_FRAME),
        (b"\x16\x03\x01\x02\x00" + bytes(300), CloseCode.BROKEN_FRAME),
        (b"CHAT/2 json\n{}\n" * 1000, CloseCode.WRONG_VERSION),
    ],
)
async def test_another_greeting_is_refused_by_a_line(
    cell: Cell, line: bytes, code: CloseCode
) -> None:
    async with serving(cell) as server, socket_to(server) as (reader, writer):
        writer.write(line)

        answer = await reader.read()

        assert answer.startswith(b"CHAT/1 error %d " % code)
        assert answer.count(b"\n") == 1
        if code is CloseCode.WRONG_VERSION:
            assert b"version 1" in answer


@over("tcp", "json")
@pytest.mark.rule("W2", "W5")
async def test_json_on_tcp_can_be_typed_by_hand(cell: Cell) -> None:
    async with serving(cell) as server, socket_to(server) as (reader, writer):
        writer.write(b"CHAT/1 json\r\n")
        assert await reader.readline() == b"CHAT/1 ok\n"
        assert "welcome" in event(await reader.readline())

        login = b'{"username": "ada", "password": "correct horse", "create": true}'
        writer.write(b'{"commands": [{"id": 1, "login": %s}]}\r\n' % login)

        logged_in = event(await reader.readline())
        assert logged_in["id"] == 1


@over("tcp", "json")
@pytest.mark.rule("W2", "W7")
async def test_a_peer_may_say_all_it_has_and_close_its_half(cell: Cell) -> None:
    async with serving(cell) as server, socket_to(server) as (reader, writer):
        login = b'{"username": "ada", "password": "correct horse", "create": true}'
        writer.write(
            b"CHAT/1 json\n"
            b'{"commands": [{"id": 1, "login": %s}]}\n'
            b'{"commands": [{"id": 2, "send": {"recipient": "ada", "body": "hi"}}]}\n'
            b'\n{"commands": [{"id": 3, "list": {}}]}\n' % login
        )
        writer.write_eof()

        greeting, *lines = (await reader.read()).splitlines()

        assert greeting == b"CHAT/1 ok"
        events = [it for line in lines for it in msgspec.json.decode(line)["events"]]
        answered = [it["id"] for it in events if "id" in it]
        assert answered == [1, 2, 3, 3]
        assert any("delivered" in it for it in events)


@over("tcp", "json")
@pytest.mark.rule("W2")
async def test_a_peer_that_has_closed_its_half_gets_all_it_is_owed(cell: Cell) -> None:
    body = "x" * (60 * KIB)
    async with serving(cell) as server, socket_to(server) as (reader, writer):
        async with server.user("ada") as ada:
            await ada.send_all([("ada", body)] * 8)
        commands: list[Command] = [
            Login(username="ada", password=PASSWORD),
            Deliver(),
            List(),
        ]
        requests = [Request(n, it) for n, it in enumerate(commands, 1)]
        writer.write(b"CHAT/1 json\n" + codec("json").encode_commands(requests) + b"\n")
        writer.write_eof()

        everything = await reader.read()

        assert everything.count(body.encode()) == 8


@over("tcp", "protobuf", "msgpack")
@pytest.mark.rule("W2")
async def test_binary_frames_stand_behind_their_length(cell: Cell) -> None:
    chosen = codec(cell.codec)
    async with serving(cell) as server, socket_to(server) as (reader, writer):
        frame = chosen.encode_commands([Request(5, Create("ada", PASSWORD))])
        writer.write(b"CHAT/1 %s\n" % cell.codec.encode())
        writer.write(len(frame).to_bytes(4, "big") + frame)

        assert await reader.readline() == b"CHAT/1 ok\n"
        frames = []
        for _ in range(2):
            size = int.from_bytes(await reader.readexactly(4), "big")
            frames += chosen.decode_events(await reader.readexactly(size))

        welcome, created = frames
        assert isinstance(welcome, Welcome)
        assert isinstance(created, Created)
        assert created.id == 5


@over("tcp", "json")
@pytest.mark.own_server
@pytest.mark.rule("W1")
async def test_a_client_says_what_is_wrong_with_a_server_of_another_kind(
    cell: Cell,
) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as other:
        port = other.sockets[0].getsockname()[1]
        with pytest.raises(Closed) as refused:
            async with connect(f"tcp://127.0.0.1:{port}", codec=cell.codec):
                pass

    assert refused.value.code is CloseCode.WRONG_VERSION


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("W1")
async def test_a_server_that_is_not_there_is_named(cell: Cell) -> None:
    async with serving(cell) as server:
        url = server.url

    with pytest.raises(CannotConnect) as refused:
        async with connect(url, codec=cell.codec):
            pass

    assert url in str(refused.value)


# ---- JSON (W5)


@over("tcp", "json")
@pytest.mark.rule("W5")
async def test_json_frames_are_what_protobuf_says_they_are(cell: Cell) -> None:
    async with serving(cell) as server, socket_to(server) as (reader, writer):
        writer.write(b"CHAT/1 json\n")
        await reader.readline()
        welcome = event(await reader.readline())["welcome"]
        login = b'{"username": "ada", "password": "correct horse", "create": true}'
        writer.write(b'{"commands": [{"id": 1, "login": %s}]}\n' % login)

        logged_in = event(await reader.readline())["loggedIn"]

        assert isinstance(welcome["serverTimeMs"], str)
        assert welcome["frameBytes"] == 1024 * KIB
        assert logged_in["account"].isdigit()
        assert logged_in["graceMs"] == 30_000
        assert "queued" not in logged_in
        assert len(b64decode(logged_in["token"])) == 32


def event(line: bytes) -> dict[str, Any]:
    """The only event of a JSON frame."""
    (only,) = msgspec.json.decode(line)["events"]
    return dict(only)
