"""Messages go through each wire, whole, once and in order."""

import pytest

from chatbench.cells import Contestant
from chatbench.wire.sessions import CannotOpen, open_session
from tests.interop.servers import serving
from tests.unit.chatbench.wire.event_recorder import (
    URLS,
    EventRecorder,
    contestant,
    opening,
)

EVERY = [
    contestant("tcp"),
    contestant("tcp", "json"),
    contestant("tcp", "msgpack"),
    contestant("tcp", framing="single"),
    contestant("tcp", driver="library"),
    contestant("websocket"),
    contestant("websocket", "json"),
    contestant("websocket", "msgpack"),
    contestant("websocket", framing="single"),
    contestant("websocket", driver="library"),
    contestant("grpc"),
    contestant("grpc", framing="single"),
    contestant("grpc", driver="library"),
    contestant("grpc", driver="unary"),
]
LEAN = [it for it in EVERY if it.driver == "lean"]


def numbered(number: int, *, size: int = 64) -> list[str]:
    """Bodies as a load writes them."""
    return [f"{at:012d}".ljust(size, "x") for at in range(number)]


def named(chosen: Contestant) -> str:
    return chosen.name


@pytest.mark.parametrize("chosen", EVERY, ids=named)
async def test_messages_arrive_in_order_and_have_their_receipts(
    chosen: Contestant,
) -> None:
    bodies = numbered(300)
    async with (
        serving(URLS[chosen.transport]) as server,
        opening(server.url, chosen, "ada") as (ada, at_ada),
        opening(server.url, chosen, "bob") as (bob, at_bob),
    ):
        for start in range(0, len(bodies), 50):
            ada.send("bob", bodies[start : start + 50])
            # At most a window of them comes without an acknowledgement (W8).
            await at_bob.until_bodies(start + 50)
            bob.acknowledge(at_bob.position)
        await at_ada.until(lambda it: it.receipts == len(bodies))

    assert at_bob.bodies == bodies
    assert at_bob.position == len(bodies)
    assert at_ada.bodies == []
    assert at_ada.faults + at_bob.faults == []


@pytest.mark.parametrize("chosen", LEAN, ids=named)
async def test_frames_are_counted(chosen: Contestant) -> None:
    async with (
        serving(URLS[chosen.transport]) as server,
        opening(server.url, chosen, "ada") as (ada, at_ada),
        opening(server.url, chosen, "bob") as (bob, at_bob),
    ):
        ada.send("bob", numbered(8))
        await at_ada.until(lambda it: it.receipts == 8)
        await at_bob.until_bodies(8)
        bob.acknowledge(at_bob.position)

    assert ada.frames_out == (8 if chosen.framing == "single" else 1)
    assert bob.frames_out == 1
    assert 1 <= ada.frames_in <= 9
    assert 1 <= bob.frames_in <= 9


@pytest.mark.parametrize("chosen", LEAN, ids=named)
async def test_large_messages_pass_the_flow_control_of_both_sides(
    chosen: Contestant,
) -> None:
    bodies = numbered(40, size=60_000)
    async with (
        serving(URLS[chosen.transport]) as server,
        opening(server.url, chosen, "ada") as (ada, at_ada),
        opening(server.url, chosen, "bob") as (bob, at_bob),
    ):
        ada.send("bob", bodies[:5])  # 300 kB
        ada.send("bob", bodies[5:])
        while len(at_bob.bodies) < len(bodies):
            await at_bob.until_bodies(len(at_bob.bodies) + 1)
            bob.acknowledge(at_bob.position)
        await at_ada.until(lambda it: it.receipts == len(bodies))

    assert at_bob.bodies == bodies
    assert at_ada.faults + at_bob.faults == []


@pytest.mark.parametrize(
    "chosen", [it for it in EVERY if it.driver != "unary"], ids=named
)
async def test_mail_that_was_queued_comes_once_the_caller_has_its_session(
    chosen: Contestant,
) -> None:
    async with serving(URLS[chosen.transport]) as server:
        async with opening(server.url, chosen, "bob"):
            pass
        async with opening(server.url, chosen, "ada") as (ada, at_ada):
            ada.send("bob", numbered(20))
            await at_ada.until(lambda it: it.receipts == 20)
        at_bob = EventRecorder()
        bob = await open_session(
            server.url, chosen, "bob", at_bob.hear, at_bob.hear_fault
        )
        heard_before = list(at_bob.bodies)
        await at_bob.until_bodies(20)
        bob.close()

    assert heard_before == []
    assert bob.waiting == 20
    assert at_bob.bodies == numbered(20)


@pytest.mark.parametrize("chosen", EVERY, ids=named)
async def test_nobody_there_is_told_in_a_sentence(chosen: Contestant) -> None:
    async with serving(URLS[chosen.transport]) as server:
        url = server.url
    recorder = EventRecorder()

    with pytest.raises(CannotOpen, match=r"refused|connect|reach"):
        await open_session(url, chosen, "ada", recorder.hear, recorder.hear_fault)

    assert recorder.faults == []


@pytest.mark.parametrize("chosen", EVERY, ids=named)
async def test_a_login_that_is_refused_opens_nothing(chosen: Contestant) -> None:
    recorder = EventRecorder()
    async with serving(URLS[chosen.transport]) as server:
        with pytest.raises(CannotOpen, match="cannot be a username"):
            await open_session(
                server.url, chosen, "a*", recorder.hear, recorder.hear_fault
            )

    assert recorder.faults == []


@pytest.mark.parametrize(
    "chosen",
    [contestant("tcp", server="peer"), contestant("grpc", "json"), contestant("udp")],
    ids=named,
)
async def test_a_contestant_without_a_wire_is_refused(chosen: Contestant) -> None:
    recorder = EventRecorder()

    with pytest.raises(ValueError, match=f"No wire of ours is for {chosen.name}"):
        await open_session(
            "tcp://127.0.0.1:1", chosen, "a", recorder.hear, recorder.hear_fault
        )
