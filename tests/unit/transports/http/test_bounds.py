"""What peers that mean harm get of a server of HTTP (B1 to B3, S5)."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from chatcore import Limits
from tests.interop.servers import serving
from tests.unit.transports.http.asking import (
    LOGIN,
    OFFER,
    URL,
    Socket,
    link_to,
    request,
    socket_to,
)
from transports.http.sockets import UNATTACHED_OF_AN_ADDRESS

HEAD = request("POST", "/chat/links", OFFER)
SOON = Limits(login_within_s=0.2)


async def is_served(url: str, *, source: str = "127.0.0.1") -> bool:
    """Whether somebody else can open a link."""
    async with socket_to(url, source=source) as socket:
        return (await socket.ask("POST", "/chat/links", OFFER)).status == 201


# ---- requests that are none, or two


@pytest.mark.rule("B1")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (("Content-Length: 5", "Transfer-Encoding: chunked"), 400),
        (("Content-Length: 5", "Content-Length: 6"), 400),
        (("Content-Length: -1",), 400),
        (("Content-Length: 5, 6",), 400),
        (("Transfer-Encoding: gzip, chunked",), 501),
        (("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 501),
        (("Bad Header: x",), 400),
        (("X: a\x00b",), 400),
        (tuple("X: y" for _ in range(6000)), 431),
        (("X: " + "y" * 40_000,), 431),
    ],
)
async def test_a_request_that_could_be_read_in_two_ways_is_read_in_none(
    headers: tuple[str, ...], status: int
) -> None:
    async with serving(URL) as server, link_to(server.url) as (link, _, asking):
        hidden = request("DELETE", "/chat/links", link.header)
        await asking.write(request("POST", "/chat/frames", link.header, *headers))
        answer = await asking.answer()
        asking.push(b"0\r\n\r\n" + hidden)
        rest = await asking.ended()
        async with socket_to(server.url) as other:
            after = await other.ask("POST", "/chat/frames", link.header)

    assert answer.status == status
    assert answer.headers["connection"] == "close"
    assert b"HTTP/1.1" not in rest
    assert after.status == 204


@pytest.mark.rule("B1")
@pytest.mark.parametrize("said", [b"zz\r\n", b"1" * 30 + b"\r\n", b"5\r\nabcdefgh"])
async def test_a_body_that_is_none_loses_its_link(said: bytes) -> None:
    async with serving(URL) as server, link_to(server.url) as (link, events, asking):
        head = request(
            "POST", "/chat/frames", link.header, "Transfer-Encoding: chunked"
        )
        await asking.write(head + said)

        answer = await asking.answer()
        rest = await events.ended()

    assert answer.status == 400
    assert not rest.endswith(b"0\r\n\r\n")


# ---- those who do not come to an end


@pytest.mark.rule("B3")
@pytest.mark.parametrize(
    "slowly",
    [
        b"",
        b"POST /chat/li",
        HEAD[:-2],
        HEAD + HEAD[:-2],
        request("POST", "/chat/links/end", "Content-Length: 20") + b"x",
    ],
    ids=["silent", "half", "without its end", "a second", "without its body"],
)
async def test_who_does_not_finish_a_request_in_time_goes(slowly: bytes) -> None:
    async with serving(URL, limits=SOON) as server:
        async with socket_to(server.url) as socket:
            await socket.write(slowly)
            said = await socket.ended()

        assert said.count(b"HTTP/1.1 201") == slowly.startswith(HEAD)
        assert await is_served(server.url)


@pytest.mark.rule("B1", "S5")
async def test_a_body_that_never_comes_is_no_life() -> None:
    limits = Limits(ping_after_s=0.2, pong_within_s=0.2)
    async with (
        serving(URL, limits=limits) as server,
        link_to(server.url) as (link, events, asking),
    ):
        head = request("POST", "/chat/frames", link.header, "Content-Length: 20000")
        await asking.write(head + b"{" * 5000)

        said = await events.ended()

    assert b"ping" in said
    assert b'"code":4001' in said
    assert b"event: close" in said


@pytest.mark.rule("B1", "S5")
async def test_a_peer_that_is_silent_is_pinged_and_ended() -> None:
    limits = Limits(ping_after_s=0.1, pong_within_s=0.1)
    async with (
        serving(URL, limits=limits) as server,
        link_to(server.url) as (link, events, asking),
    ):
        for _ in range(3):
            await events.until(b"ping")
            await asking.ask(
                "POST", "/chat/frames", link.header, body=b'{"commands":[{"pong":{}}]}'
            )
        said = await events.ended()

    assert b'"code":4001' in said


@pytest.mark.rule("B3")
async def test_a_socket_of_a_link_that_asks_for_something_else_is_its_no_more() -> None:
    async with (
        serving(URL, limits=SOON) as server,
        link_to(server.url) as (link, events, asking),
    ):
        await asking.ask("POST", "/chat/frames", link.header, body=LOGIN)
        await events.until(b'"loggedIn"')
        slow = request("POST", "/chat/links/end", "Content-Length: 20")
        await asking.write(slow + b"x")

        said = await asking.ended()
        async with socket_to(server.url) as other:
            still = await other.ask("POST", "/chat/frames", link.header)

    assert said == b""
    assert still.status == 204


# ---- how many


@pytest.mark.rule("B3")
async def test_links_of_an_address_are_limited_however_few_its_sockets_are() -> None:
    limits = Limits(loopback_counts=True, address_strangers=4)
    async with (
        serving(URL, limits=limits) as server,
        socket_to(server.url, source="127.0.0.2") as socket,
    ):
        answers = [await socket.ask("POST", "/chat/links", OFFER) for _ in range(6)]
        others = await is_served(server.url)

    assert [it.status for it in answers] == [201] * 4 + [503] * 2
    assert answers[-1].said["code"] == 4006
    assert others


@pytest.mark.rule("B3")
async def test_those_who_hold_sockets_shut_nobody_else_out() -> None:
    limits = Limits(loopback_counts=True, address_strangers=4)
    most = 4 + UNATTACHED_OF_AN_ADDRESS
    async with serving(URL, limits=limits) as server, AsyncExitStack() as stack:
        holders: list[Socket] = []
        for number in range(most + 20):
            holder = await stack.enter_async_context(
                socket_to(server.url, source="127.0.0.2")
            )
            holders.append(holder)
            if number % 2:
                holder.push(HEAD[:20])

        told = [await it.ended() for it in holders[most:]]
        held = [it for it in holders if not it.has_ended]

        assert await is_served(server.url)
        assert [b"4006" in it for it in told] == [True] * 16 + [False] * 4
        assert len(held) == most


@pytest.mark.rule("B3")
async def test_a_link_has_a_few_sockets() -> None:
    async with serving(URL) as server, link_to(server.url) as (link, events, _):
        async with AsyncExitStack() as stack:
            sockets: list[Socket] = []
            for _ in range(10):
                socket = await stack.enter_async_context(socket_to(server.url))
                await socket.ask("POST", "/chat/frames", link.header)
                sockets.append(socket)

            ended = [await it.ended() for it in sockets[:7]]

        assert ended == [b""] * 7
        assert not events.has_ended


# ---- turns


@pytest.mark.rule("B2")
async def test_others_have_their_turn_between_the_chunks_of_one() -> None:
    done = asyncio.Event()
    turns = 0

    async def count() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            await asyncio.sleep(0)

    async with serving(URL) as server, link_to(server.url) as (link, _, asking):
        head = request(
            "POST", "/chat/frames", link.header, "Transfer-Encoding: chunked"
        )
        asking.push(head + b"1\r\n \r\n" * 20_000 + b"0\r\n\r\n")
        counting = asyncio.get_running_loop().create_task(count())
        answer = await asking.answer()
        done.set()
        await counting

    assert answer.status == 204
    assert turns > 50
