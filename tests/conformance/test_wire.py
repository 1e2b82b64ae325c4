"""The wire: frames, the order of answers, and the end (W6, W7, W9)."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

import pytest

from chatcore import Limits
from chatcore.commands import (
    Acknowledge,
    ChangePassword,
    Command,
    Create,
    Deliver,
    List,
    Login,
    Pong,
    Request,
    Send,
)
from chatcore.errors import CloseCode, LoginRequired
from chatcore.events import (
    Accepted,
    Closing,
    Created,
    DeliveryFinished,
    Event,
    Listed,
    LoggedIn,
    PasswordChanged,
    Received,
    Refused,
    Started,
    Welcome,
)
from tests.conformance.cells import (
    Cell,
    each_cell,
    each_durable_store,
    each_transport,
    each_wire,
    over,
)
from tests.conformance.peers import PASSWORD, Peer
from tests.conformance.servers import serving
from tests.conformance.sockets import framed, read_events, socket_to
from transports.base import parse_address
from transports.codec import Codec, codec

KIB: Final = 1024


# ---- frames (W6)


@over("tcp")
@pytest.mark.rule("W6")
async def test_a_peer_may_send_a_byte_at_a_time(cell: Cell) -> None:
    chosen = codec(cell.codec)
    frame = chosen.encode_commands([Request(1, Create("ada", PASSWORD))])
    async with serving(cell) as server, socket_to(server) as (reader, writer):
        for byte in b"CHAT/1 %s\n" % cell.codec.encode() + framed(cell, frame):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)

        events = await read_events(cell, reader, last=Created)

        created = [(it.id, it.username) for it in events if isinstance(it, Created)]
        assert created == [(1, "ada")]


@over("tcp")
@pytest.mark.rule("W6")
async def test_frames_may_arrive_joined(cell: Cell) -> None:
    encode = codec(cell.codec).encode_commands
    creates = [Create(f"user{n:03}", PASSWORD) for n in range(100)]
    commands: list[Command] = [*creates, List()]
    stream = b"CHAT/1 %s\n" % cell.codec.encode() + b"".join(
        framed(cell, encode([Request(n, command)]))
        for n, command in enumerate(commands)
    )
    async with serving(cell) as server, socket_to(server) as (reader, writer):
        writer.write(stream)

        welcome, *created, refused = await read_events(cell, reader, last=Refused)

        assert isinstance(welcome, Welcome)
        assert [type(it) for it in created] == [Created] * 100
        assert [(it.id, it.username) for it in created if isinstance(it, Created)] == [
            (n, f"user{n:03}") for n in range(100)
        ]
        # Nobody is logged in: the last command is refused, which ends the reading.
        assert isinstance(refused, Refused)
        assert (refused.id, type(refused.refusal)) == (100, LoginRequired)


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("W6", "E2")
async def test_a_frame_over_the_limit_ends_its_link(cell: Cell) -> None:
    limits = Limits(frame_bytes=64 * KIB, body_bytes=KIB)
    async with serving(cell, limits=limits) as server, server.peer() as peer:
        token = (await peer.login("ada")).token

        too_large = [Request(9, Send("ada", "x" * 65536))]
        await peer.offend(peer.codec.encode_commands(too_large))

        closing = await peer.end_code()
        assert closing is CloseCode.FRAME_TOO_LARGE
        assert not closing.may_reconnect
        async with server.peer() as found:
            assert (await found.resume(token)).username == "ada"


@each_wire
@pytest.mark.own_server
@pytest.mark.rule("W6")
async def test_a_frame_as_large_as_the_welcome_tells_is_read(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada")
        largest = peer.welcome.frame_bytes
        frame, sends = frame_of(peer.codec, largest)

        await peer.write(frame)
        accepted = [await peer.until(Accepted) for _ in range(sends)]
        await peer.offend(frame_of(peer.codec, largest + 1)[0])

        assert len(frame) == largest
        assert [it.id for it in accepted] == list(range(1, sends + 1))
        assert await peer.end_code() is CloseCode.FRAME_TOO_LARGE


def frame_of(codec: Codec, size: int) -> tuple[bytes, int]:
    """A frame of exactly this size, and how many sends are in it."""
    bodies = ["x" * 30_000] * (size // 30_500)
    while True:
        requests = [Request(n, Send("ada", it)) for n, it in enumerate(bodies, 1)]
        missing = size - len(codec.encode_commands(requests))
        if not missing:
            return codec.encode_commands(requests), len(bodies)
        bodies = [*bodies[:-1], bodies[-1] + "x" * missing]


@over("tcp", "protobuf", "msgpack")
@pytest.mark.rule("W6")
async def test_a_frame_that_only_announces_too_much_ends_its_link(cell: Cell) -> None:
    async with serving(cell) as server, socket_to(server) as (reader, writer):
        writer.write(b"CHAT/1 %s\n" % cell.codec.encode())
        writer.write((1024 * KIB + 1).to_bytes(4, "big"))

        *before, closing = await read_events(cell, reader, last=Closing)

        assert isinstance(closing, Closing)
        assert closing.code is CloseCode.FRAME_TOO_LARGE
        assert [type(it) for it in before] == [Welcome]
        assert await reader.read() == b""


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("W6")
async def test_a_server_splits_its_frames_to_stay_under_the_limit(cell: Cell) -> None:
    limits = Limits(frame_bytes=16 * KIB, body_bytes=2 * KIB)
    async with serving(cell, limits=limits) as server, server.user("ada") as ada:
        await ada.create("bob", PASSWORD)
        for _ in range(40):
            await ada.send("bob", "x" * (2 * KIB))

        async with server.peer() as peer:
            await peer.login("bob")
            mail = await peer.mail(40)

            assert len(mail) == 40
            assert max(peer.frames) <= 16 * KIB


@each_wire
@pytest.mark.rule("W6")
async def test_a_client_splits_its_frames_to_stay_under_the_limit(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        receipts = await ada.send_all([("ada", "x" * (64 * KIB))] * 40)

        assert [type(it) for it in receipts] == [Accepted] * 40


# ---- the order of answers (W7)


@each_cell
@pytest.mark.rule("W7")
async def test_answers_come_in_the_order_of_the_commands(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        ids = await peer.tell(
            Login(username="ada", password=PASSWORD, create=True),
            Send("eve", "refused"),
            Create("bob", PASSWORD),
            Send("bob", "one"),
            Send("bob", "two"),
            List(),
            Send("bob", "three"),
            Deliver(),
            ChangePassword(PASSWORD, "a new password"),
        )

        first = [await peer.next()]
        while not isinstance(first[-1], PasswordChanged):
            first.append(await peer.next())

        finishing = (Listed, DeliveryFinished)
        answers = [it for it in first if not isinstance(it, finishing)]
        assert [getattr(it, "id", None) for it in answers] == ids
        assert [type(it) for it in answers] == [
            LoggedIn,
            Refused,
            Created,
            Accepted,
            Accepted,
            Started,
            Accepted,
            Started,
            PasswordChanged,
        ]


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("W7", "M8")
async def test_an_acknowledgement_does_not_wait_behind_a_slow_command(
    cell: Cell,
) -> None:
    notices: asyncio.Queue[Received] = asyncio.Queue()
    async with (
        serving(cell) as server,
        server.user("ada", on_received=notices.put_nowait) as ada,
        server.peer() as bob,
    ):
        await bob.login("bob")
        await ada.send("bob", "hello")
        await bob.mail(1)
        server.passwords.hold()

        slow, _ = await bob.tell(
            ChangePassword(PASSWORD, "a new password"), Acknowledge(1)
        )

        assert (await asyncio.wait_for(notices.get(), 10)).positions == (1,)
        server.passwords.release()
        assert (await bob.answer(slow, PasswordChanged)).id == slow


@each_cell
@pytest.mark.rule("W7")
async def test_acknowledgements_and_pongs_have_no_answer(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada")
        await peer.send("ada", "hello")
        await peer.mail(1)

        *_, listed = await peer.tell(Acknowledge(1), Pong(), Acknowledge(1), List())

        events: list[Event] = []
        while not isinstance(event := await peer.next(), Listed):
            events.append(event)
        others = [it for it in events if not isinstance(it, Received)]
        assert others == [Started(listed)]


# ---- the end (W9)


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("W9", "E2")
async def test_a_server_that_stops_tells_its_peers_to_come_back(cell: Cell) -> None:
    async def leave_when_told(peer: Peer) -> Closing:
        closing = await peer.closed()
        peer.cut()
        return closing

    async with (
        asyncio.TaskGroup() as tasks,
        AsyncExitStack() as links,
        serving(cell) as server,
    ):
        peer = await links.enter_async_context(server.peer())
        await peer.login("ada")
        leaving = tasks.create_task(leave_when_told(peer))

    closing = leaving.result()
    assert closing.code is CloseCode.SHUTTING_DOWN
    assert closing.code.may_reconnect


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("W9")
async def test_a_server_that_stops_takes_no_new_session(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.ask(Create("ada", PASSWORD), Created)
        server.passwords.hold()
        await peer.tell(Login(username="ada", password=PASSWORD))
        await asyncio.wait_for(server.passwords.asked.wait(), 10)

        await server.chat.stop()
        server.passwords.release()

        events = await peer.ended()
        assert not any(isinstance(it, LoggedIn) for it in events)


@over("tcp", "json")
@pytest.mark.own_server
@pytest.mark.rule("W9")
async def test_a_peer_that_never_greets_does_not_hold_up_the_end(cell: Cell) -> None:
    loop = asyncio.get_running_loop()
    async with serving(cell) as server:
        address = parse_address(server.url)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        async with server.user("ada"):
            pass  # the server has accepted both by now
        began_s = loop.time()

    lasted_s = loop.time() - began_s
    assert await reader.read() == b""
    writer.close()
    assert lasted_s < 5


@each_durable_store
@pytest.mark.rule("W9", "M4")
async def test_a_server_that_stops_keeps_all_that_was_said(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada")
        await peer.send("ada", "one", "two", "three")
        await peer.mail(3)
        await peer.tell(Acknowledge(2), List())
        await peer.until(Listed)

    async with serving(cell) as server, server.peer() as peer:
        logged_in = await peer.login("ada")
        assert (logged_in.queued, logged_in.acknowledged) == (1, 2)
