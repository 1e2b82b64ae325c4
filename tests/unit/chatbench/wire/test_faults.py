"""What goes wrong on a session is told once, in a sentence."""

import asyncio

import pytest

from chatbench.cells import Contestant
from chatbench.wire.sessions import CannotOpen, open_session
from chatcore.commands import Pong, Request
from chatcore.events import LoggedIn, Ping
from chatcore.ids import BEFORE_FIRST, AccountId, ResumeToken, Username
from tests.interop.servers import serving
from tests.unit.chatbench.wire.event_recorder import (
    URLS,
    WITHIN_S,
    EventRecorder,
    contestant,
    opening,
)
from tests.unit.chatbench.wire.scripted import listening
from transports.awaited_link import AwaitedLink
from transports.codec import Codec

EVERY = [
    contestant("tcp"),
    contestant("tcp", "json"),
    contestant("tcp", driver="library"),
    contestant("websocket"),
    contestant("websocket", "msgpack"),
    contestant("grpc"),
    contestant("grpc", driver="library"),
    contestant("grpc", driver="unary"),
]


LEAN = [it for it in EVERY if it.driver == "lean"]
LOGGED_IN = LoggedIn(
    id=0,
    account=AccountId(1),
    username=Username("ada"),
    token=ResumeToken(b"token"),
    queued=0,
    acknowledged=BEFORE_FIRST,
    grace_ms=1000,
)


def named(chosen: Contestant) -> str:
    return chosen.name


@pytest.mark.parametrize("chosen", EVERY, ids=named)
async def test_a_refusal_is_told(chosen: Contestant) -> None:
    async with (
        serving(URLS[chosen.transport]) as server,
        opening(server.url, chosen, "ada") as (ada, at_ada),
    ):
        ada.send("nobody", ["one"])
        ada.send("nobody", ["two"])
        await at_ada.until(lambda it: bool(it.faults))

    (sentence,) = at_ada.faults
    assert "There is no account nobody." in sentence


@pytest.mark.parametrize("chosen", EVERY, ids=named)
async def test_a_server_that_closes_is_told(chosen: Contestant) -> None:
    async with serving(URLS[chosen.transport]) as server:
        opened = opening(server.url, chosen, "ada")
        _, at_ada = await opened.__aenter__()

    await at_ada.until(lambda it: bool(it.faults))
    await opened.__aexit__(None, None, None)

    assert len(at_ada.faults) == 1


@pytest.mark.parametrize("chosen", EVERY, ids=named)
async def test_a_session_that_closes_itself_is_no_fault(chosen: Contestant) -> None:
    async with serving(URLS[chosen.transport]) as server:
        async with opening(server.url, chosen, "ada") as (ada, at_ada):
            ada.send("ada", ["one"])
        async with opening(server.url, chosen, "bob") as (bob, at_bob):
            bob.send("bob", ["two"])
            await at_bob.until(lambda it: it.receipts == 1)

    assert at_ada.faults == []
    assert at_bob.faults == []


@pytest.mark.parametrize("chosen", LEAN, ids=named)
async def test_a_ping_is_answered(chosen: Contestant) -> None:
    answered: asyncio.Queue[Request] = asyncio.Queue()

    async def log_in_and_ping(link: AwaitedLink, codec: Codec) -> None:
        await link.receive()
        await link.send([codec.encode_events([LOGGED_IN, Ping()])])
        while True:
            for frame in await link.receive():
                for request in codec.decode_commands(frame):
                    answered.put_nowait(request)

    async with (
        listening(URLS[chosen.transport], log_in_and_ping) as url,
        opening(url, chosen, "ada") as (_, at_ada),
        asyncio.timeout(WITHIN_S),
    ):
        answer = await answered.get()

    assert answer == Request(0, Pong())
    assert at_ada.faults == []


@pytest.mark.parametrize("chosen", LEAN, ids=named)
async def test_a_frame_that_cannot_be_read_is_told(chosen: Contestant) -> None:
    async def log_in_and_babble(link: AwaitedLink, codec: Codec) -> None:
        await link.receive()
        await link.send([codec.encode_events([LOGGED_IN])])
        await link.send([b"\xff\xff\xff"])
        await link.receive()

    async with (
        listening(URLS[chosen.transport], log_in_and_babble) as url,
        opening(url, chosen, "ada") as (_, at_ada),
    ):
        await at_ada.until(lambda it: bool(it.faults))

    assert "cannot be read" in at_ada.faults[0]


@pytest.mark.parametrize("chosen", LEAN, ids=named)
async def test_a_server_that_goes_before_the_login_opens_nothing(
    chosen: Contestant,
) -> None:
    async def leave(link: AwaitedLink, _codec: Codec) -> None:
        await link.receive()

    recorder = EventRecorder()
    async with listening(URLS[chosen.transport], leave) as url:
        with pytest.raises(CannotOpen):
            await open_session(url, chosen, "ada", recorder.hear, recorder.hear_fault)

    assert recorder.faults == []
