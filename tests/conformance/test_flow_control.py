"""Peers that do not read, do not acknowledge, or say too much (W6, W8, S5)."""

import asyncio
from collections.abc import Sequence
from typing import Final

import pytest

from chatcore import Limits
from chatcore.commands import ChangePassword, List, Login, Request, Send
from chatcore.errors import NoSuchRecipient, Refusal
from chatcore.events import (
    Accepted,
    Delivered,
    Listed,
    PasswordChanged,
    Refused,
)
from chatcore.ids import Username
from tests.conformance.cells import Cell, each_cell, each_transport, each_wire, over
from tests.conformance.peers import PASSWORD, Peer
from tests.conformance.reading import take_bodies
from tests.conformance.servers import serving
from tests.conformance.sockets import framed, socket_to
from transports.codec import codec

KIB: Final = 1024


@each_cell
@pytest.mark.rule("W8", "M4")
async def test_delivery_stops_at_256_messages_that_nobody_acknowledges(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.user("ada") as ada, server.peer() as bob:
        await bob.login("bob")
        await ada.send_all([("bob", str(n)) for n in range(400)])

        first = await bob.mail(256)
        assert not await mail_until_answered(bob)
        await bob.acknowledge(100)
        more = await bob.mail(100)
        assert not await mail_until_answered(bob)
        await bob.acknowledge(356)
        rest = await bob.mail(44)

        bodies = [it.body for it in (*first, *more, *rest)]
        assert bodies == [str(n) for n in range(400)]


@each_wire
@pytest.mark.rule("W8", "M4")
async def test_delivery_stops_at_512_kib_that_nobody_acknowledges(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada, server.peer() as bob:
        await bob.login("bob")
        await ada.send_all([("bob", "x" * (64 * KIB))] * 12)

        first = await bob.mail(8)
        assert not await mail_until_answered(bob)
        await bob.acknowledge(2)
        more = await bob.mail(2)

        assert not await mail_until_answered(bob)
        assert [it.position for it in (*first, *more)] == list(range(1, 11))


@each_wire
@pytest.mark.own_server
@pytest.mark.rule("W8", "M4")
async def test_a_window_that_is_not_acknowledged_stays_over_a_resume(
    cell: Cell,
) -> None:
    limits = Limits(window_messages=4)
    async with serving(cell, limits=limits) as server, server.user("ada") as ada:
        async with server.peer() as lost:
            token = (await lost.login("bob")).token
            await ada.send_all([("bob", str(n)) for n in range(10)])
            await lost.mail(4)

        async with server.peer() as found:
            await found.resume(token, 4)

            assert not await mail_until_answered(found)
            await found.acknowledge(4)
            assert [it.body for it in await found.mail(4)] == list("4567")


@each_wire
@pytest.mark.rule("W8")
async def test_a_peer_that_does_not_read_holds_up_nobody_else(cell: Cell) -> None:
    count = 60
    async with (
        serving(cell) as server,
        server.user("ada") as ada,
        server.user("carol") as carol,
        server.peer() as clogged,
    ):
        await clogged.login("bob")

        for _ in range(4):
            await ada.send_all([("bob", "x" * (60 * KIB))] * (count // 4))
            await carol.send("ada", "not held up")

        assert await take_bodies(ada, 4) == ["not held up"] * 4
        mail: list[Delivered] = []
        while len(mail) < count:
            mail += await clogged.mail(1)
            await clogged.acknowledge(mail[-1].position)
        assert [it.position for it in mail] == list(range(1, count + 1))


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("W8")
async def test_a_session_is_not_read_while_too_much_of_it_waits(cell: Cell) -> None:
    gate = Gate()
    body = "x" * (64 * KIB)
    async with serving(cell, policy=gate) as server, server.peer() as peer:
        await peer.login("ada")

        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(write_sends(peer, body, 512))
            reading = tasks.create_task(read_refusals(peer, 512))
            await asyncio.wait([writing], timeout=0.5)
            was_held_up = not writing.done()
            gate.opened.set()

        assert was_held_up
        assert reading.result() == list(range(1000, 1512))
        assert sum(gate.asked) == 512
        assert max(gate.asked) * len(body) < 2 * 1024 * KIB


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("W8", "S5")
async def test_a_peer_that_is_not_read_is_not_taken_for_silent(cell: Cell) -> None:
    limits = Limits(pending_commands=2, ping_after_s=0.03, pong_within_s=0.03)
    async with (
        serving(cell, limits=limits, also=("loopback:",)) as server,
        server.peer() as peer,
        server.peer(server.urls[1]) as silent,
    ):
        await peer.login("ada")
        server.passwords.hold()
        slow, _, listed = await peer.tell(
            ChangePassword(PASSWORD, "a new password"), List(), List()
        )
        await asyncio.wait_for(server.passwords.asked.wait(), 10)

        await silent.ended()  # after the same time
        server.passwords.release()

        assert (await peer.answer(slow, PasswordChanged)).id == slow
        assert (await peer.answer(listed, Listed)).complete


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("S3", "E2")
async def test_a_link_that_is_cut_in_the_middle_of_a_login_harms_nobody(
    cell: Cell,
) -> None:
    async with serving(cell) as server:
        server.passwords.hold()
        async with server.peer() as lost:
            await lost.tell(Login(username="ada", password=PASSWORD, create=True))
            await asyncio.wait_for(server.passwords.asked.wait(), 10)
        server.passwords.release()
        await server.until_offline("ada")

        async with server.client() as ada:
            assert (await ada.login("ada", PASSWORD, create=True)).queued == 0


@over("tcp")
@pytest.mark.rule("W6", "E2")
async def test_a_frame_that_is_cut_in_the_middle_is_no_frame(cell: Cell) -> None:
    encode = codec(cell.codec).encode_commands
    async with serving(cell) as server, server.user("ada") as ada:
        for cut_from_end in (1, 2, 20):
            frame = encode([Request(1, Send("ada", "half a frame"))])
            async with socket_to(server) as (_, writer):
                writer.write(b"CHAT/1 %s\n" % cell.codec.encode())
                writer.write(framed(cell, frame)[:-cut_from_end])
                await writer.drain()

        await ada.send("ada", "whole")

        assert await take_bodies(ada, 1) == ["whole"]


@each_wire
@pytest.mark.rule("W8")
async def test_many_small_commands_in_one_frame_are_all_answered(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada")

        ids = await peer.tell(*[Send("eve", "to nobody")] * 3000)

        refused = [await peer.expect(Refused) for _ in ids]
        assert [it.id for it in refused] == ids
        assert isinstance(refused[0].refusal, NoSuchRecipient)


@each_wire
@pytest.mark.own_server
@pytest.mark.rule("W8")
async def test_what_fills_the_queue_and_is_done_at_once_holds_nothing_up(
    cell: Cell,
) -> None:
    limits = Limits(pending_commands=2)
    async with serving(cell, limits=limits) as server, server.peer() as peer:
        await peer.login("ada")

        ids = await peer.tell(*[Send("ada", "x" * 300)] * 3)
        ids += await peer.tell(Send("ada", "after them"))

        accepted = [await peer.until(Accepted) for _ in ids]
        assert [it.id for it in accepted] == ids


class Gate:
    """A policy that refuses all, once it is opened; ``asked`` has the runs' lengths."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.asked: list[int] = []

    async def judge(
        self, _sender: Username, sends: Sequence[Send]
    ) -> Sequence[Refusal | None]:
        """See ``chatcore.ports.SendPolicy``."""
        self.asked.append(len(sends))
        await self.opened.wait()
        return [NoSuchRecipient(recipient=it.recipient) for it in sends]


async def write_sends(peer: Peer, body: str, count: int) -> None:
    """Write as many sends, a frame each, as fast as the link takes them."""
    encode = peer.codec.encode_commands
    for n in range(count):
        await peer.link.send([encode([Request(1000 + n, Send("ada", body))])])


async def read_refusals(peer: Peer, count: int) -> list[int]:
    """The ids of the next refusals."""
    return [(await peer.expect(Refused)).id for _ in range(count)]


async def mail_until_answered(peer: Peer) -> list[Delivered]:
    """The mail that comes before the answers to a command that is asked now."""
    (asked,) = await peer.tell(List())
    mail: list[Delivered] = []
    while True:
        event = await peer.next()
        if isinstance(event, Delivered):
            mail.append(event)
        if isinstance(event, Listed) and event.id == asked:
            return mail
