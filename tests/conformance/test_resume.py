"""One session over many links: other codecs, other transports, restarts (S3, M5)."""

import asyncio
from dataclasses import replace

import pytest

from chatcore.errors import CloseCode, Closed
from chatcore.events import Accepted, Delivered
from tests.conformance.cells import (
    TRANSPORTS,
    Cell,
    each_durable_store,
    each_transport,
    each_wire,
    over,
)
from tests.conformance.peers import PASSWORD
from tests.conformance.reading import take, take_bodies
from tests.conformance.servers import serving
from tests.faults.relay import relaying
from transports import Client, LinkDown, LinkEvent, LinkUp

ALL_WIRES = [
    (carried.listens, codec)
    for carried in TRANSPORTS.values()
    for codec in carried.codecs
]


@each_wire
@pytest.mark.own_server
@pytest.mark.rule("S3", "M5")
async def test_a_session_moves_over_every_transport_and_codec(cell: Cell) -> None:
    also = tuple(url for url, _ in ALL_WIRES)
    async with (
        serving(cell, also=also) as server,
        server.user("ada") as ada,
        server.peer() as first,
    ):
        token = (await first.login("bob")).token
        await ada.send("bob", "0")
        mail: list[Delivered] = await first.mail(1)

        for url, (_, codec) in zip(server.urls[1:], ALL_WIRES, strict=True):
            async with server.peer(url, codec=codec) as peer:
                await peer.resume(token, mail[-1].position)
                await ada.send("bob", str(len(mail)))
                mail += await peer.mail(1)

        assert [it.body for it in mail] == [str(n) for n in range(len(mail))]
        assert [it.follows for it in mail] == list(range(len(mail)))


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("S3", "M5")
async def test_a_client_comes_back_over_another_transport(cell: Cell) -> None:
    links: list[str] = []
    async with (
        serving(cell, also=("loopback:", "tcp://127.0.0.1:0")) as server,
        server.user("ada") as ada,
        server.client(
            *server.urls,
            on_link=lambda it: links.append(it.url) if isinstance(it, LinkUp) else None,
        ) as bob,
    ):
        await bob.login("bob", PASSWORD, create=True)
        bodies = []
        for n in range(6):
            await ada.send("bob", str(n))
            bodies += await take_bodies(bob, 1)
            bob._driver.drop_link()

        assert bodies == [str(n) for n in range(6)]
        assert await ada.send("bob", "the last")
        assert await take_bodies(bob, 1) == ["the last"]
        assert len(set(links)) > 1


@each_wire
@pytest.mark.rule("M2", "M5")
async def test_sends_under_way_survive_a_cut_link_once_each(cell: Cell) -> None:
    async with (
        serving(cell) as server,
        server.user("ada") as ada,
        server.user("bob") as bob,
    ):
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(
                ada.send_all([("bob", str(n)) for n in range(900)])
            )
            reading = tasks.create_task(take(bob, 900))
            for _ in range(5):
                await cut_when_it_is_open(ada)
                await cut_when_it_is_open(bob)

        assert [type(it) for it in sending.result()] == [Accepted] * 900
        assert [it.body for it in reading.result()] == [str(n) for n in range(900)]


@each_transport
@pytest.mark.rule("S3")
async def test_a_client_that_may_not_reconnect_says_that_its_link_is_lost(
    cell: Cell,
) -> None:
    async with (
        serving(cell) as server,
        server.client(reconnect=None) as ada,
    ):
        await ada.login("ada", PASSWORD, create=True)
        await cut_when_it_is_open(ada)

        with pytest.raises(Closed) as closed:
            async for _ in ada.messages():
                pass

        assert closed.value.code is CloseCode.LINK_LOST


@each_transport
@pytest.mark.rule("S1", "E2")
async def test_a_client_does_not_come_back_when_it_is_forbidden(cell: Cell) -> None:
    async with serving(cell) as server, server.client() as ada, server.peer() as peer:
        logged_in = await ada.login("ada", PASSWORD, create=True)

        await peer.resume(logged_in.token)

        with pytest.raises(Closed) as closed:
            async for _ in ada.messages():
                pass
        assert closed.value.code is CloseCode.RESUMED_ELSEWHERE
        with pytest.raises(Closed):
            await ada.send("ada", "not any more")


@over("tcp", "protobuf")
@pytest.mark.own_server
@pytest.mark.rule("M5", "S3")
async def test_a_client_logs_in_again_when_its_session_is_gone(cell: Cell) -> None:
    async with (
        serving(cell) as server,
        relaying(server.url) as relay,
        server.user("ada") as ada,
        server.client(relay.url) as bob,
    ):
        await bob.login("bob", PASSWORD, create=True)
        await ada.send_all([("bob", "one"), ("bob", "two")])
        assert await take_bodies(bob, 2) == ["one", "two"]

        relay.stall()
        relay.cut()
        await server.until_offline("bob")
        server.clock.advance(31)
        await server.chat.tick()
        await ada.send("bob", "three")
        relay.go_on()

        assert await take_bodies(bob, 1) == ["three"]


@each_durable_store
@pytest.mark.rule("M5", "S6", "M2")
async def test_a_client_goes_on_over_a_restart_of_its_server(cell: Cell) -> None:
    links: asyncio.Queue[LinkEvent] = asyncio.Queue()
    name = "loopback:restarted"
    restarted = replace(cell, listens=name)
    async with serving(restarted) as server:
        client_open = server.client(name, on_link=links.put_nowait)
        ada = await client_open.__aenter__()
        await ada.login("ada", PASSWORD, create=True)
        await ada.send_all([("ada", "one"), ("ada", "two")])
        assert await take_bodies(ada, 2) == ["one", "two"]

    async with serving(restarted):
        assert (await ada.send("ada", "three")).position == 3
        assert await take_bodies(ada, 1) == ["three"]
        await client_open.__aexit__(None, None, None)

    assert [links.get_nowait() for _ in range(links.qsize())] == [
        LinkUp(name),
        LinkDown(name),
        LinkUp(name),
    ]


async def cut_when_it_is_open(client: Client) -> None:
    """Cut a client's link once commands flow on it, as an answer shows."""
    async with asyncio.timeout(10):
        assert [it async for it in client.list("nobody")] == []
    client._driver.drop_link()
