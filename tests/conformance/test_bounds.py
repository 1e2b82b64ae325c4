"""What one peer can do to the others, on each transport (B1 to B5, S5).

Held bytes and turns of the loop are counted, not seconds.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from chatcore import Limits
from chatcore.commands import (
    Acknowledge,
    ChangePassword,
    Create,
    List,
    Login,
    Logout,
    Pong,
    Request,
    Send,
)
from chatcore.errors import (
    AcknowledgedTooMuch,
    CloseCode,
    LoginRequired,
    RateExceeded,
    WrongCredentials,
)
from chatcore.events import (
    Created,
    Delivered,
    Listed,
    LoggedOut,
    PasswordChanged,
    Refused,
)
from chatcore.limits import KIB, MIB
from tests.conformance.cells import Cell, each_transport, each_wire
from tests.conformance.peers import PASSWORD, Peer
from tests.conformance.servers import Server, serving
from transports.errors import CannotConnect, LinkClosed

KEEPS_ITSELF = {"grpc", "grpcs", "asgi"}
"""Transports that have what was read and not asked for where nobody counts it."""


async def write_on(peer: Peer, request: Request, frames: int) -> None:
    """Write the same command again and again, and read nothing."""
    frame = peer.codec.encode_commands([request] * 100)
    try:
        for _ in range(frames):
            await peer.link.send([frame])
    except LinkClosed:
        return


@asynccontextmanager
async def writing(peer: Peer, request: Request, frames: int) -> AsyncIterator[None]:
    """Write in the background while the block runs."""
    task = asyncio.get_running_loop().create_task(write_on(peer, request, frames))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def most_held(server: Server, *, while_true: Callable[[], bool]) -> int:
    """The most that all connections held, looked at in each turn of the loop."""
    most = 0
    while while_true():
        most = max(most, server.held_bytes)
        await asyncio.sleep(0)
    return most


# ---- what is held (B1)


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("B1")
async def test_refusals_that_are_not_read_do_not_pile_up(cell: Cell) -> None:
    refused = Request(1, Acknowledge(7))
    async with serving(cell) as server, server.peer() as peer:
        async with writing(peer, refused, frames=3000):
            looks = iter(range(5000))
            most = await most_held(
                server, while_true=lambda: next(looks, None) is not None
            )

        # One frame, commands that wait (W8), what is not written yet, with what a batch
        # adds that was begun when there was room; and what a library reads at once that
        # cannot be told to read less, or a pipe takes before it is clogged.
        read_at_once = {
            "loopback": 64 * KIB,
            "websocket": 256 * KIB,
            "tcps": 32 * KIB,
            "wss": 32 * KIB,
        }.get(cell.transport, 0)
        batch = Limits().stranger_turn_commands * KIB
        unwritten = 64 * KIB + 64 * KIB + batch
        assert most < 32 * KIB + 1200 * 256 + unwritten + read_at_once


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("B1", "W7")
async def test_each_refused_acknowledgement_is_answered_in_its_turn(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        early = await peer.tell(Acknowledge(1), Logout(), Acknowledge(2))
        refused = [await peer.expect(Refused) for _ in early]
        assert [it.id for it in refused] == early
        assert {type(it.refusal) for it in refused} == {LoginRequired}

        await peer.login("ada")
        ids = await peer.tell(*[Acknowledge(7)] * 500, List())
        answers = [await peer.expect(Refused) for _ in ids[:-1]]

        assert [it.id for it in answers] == ids[:-1]
        assert {type(it.refusal) for it in answers} == {AcknowledgedTooMuch}


@each_wire
@pytest.mark.rule("B1", "B3")
async def test_a_large_frame_is_read_only_after_a_login(cell: Cell) -> None:
    large = Login(username="a" * (40 * KIB), password=PASSWORD)
    async with serving(cell) as server:
        async with server.peer() as stranger:
            with suppress(LinkClosed):
                await stranger.tell(large)
            code = await stranger.end_code()
        async with server.peer() as known:
            await known.login("ada")
            await known.send("ada", "x" * (60 * KIB))
            (mail,) = await known.mail(1)
            await known.ask(Logout(), LoggedOut)
            with suppress(LinkClosed):
                await known.tell(large)
            again = await known.end_code()

    assert code is again is CloseCode.FRAME_TOO_LARGE
    assert len(mail.body) == 60 * KIB


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("B1", "S5")
async def test_who_takes_nothing_is_detached_whatever_it_sends(cell: Cell) -> None:
    # What the system keeps of it has to be full before anything waits to be taken.
    limits = Limits(ping_after_s=0.2, pong_within_s=0.2, window_bytes=64 * MIB)
    async with serving(cell, limits=limits) as server, server.peer() as peer:
        await peer.login("ada")
        mail = Request(1, Send("ada", "x" * (60 * KIB)))
        frame = peer.codec.encode_commands([mail] * 4)
        alive = peer.codec.encode_commands([Request(0, Pong())])

        async def go_on() -> None:
            try:
                for _ in range(100):
                    await peer.link.send([frame])
                while True:
                    await peer.link.send([alive])
                    await asyncio.sleep(0.01)
            except LinkClosed:
                return

        talking = asyncio.get_running_loop().create_task(go_on())
        await server.until_offline("ada")
        talking.cancel()
        await asyncio.wait([talking])


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("B1", "M8")
async def test_notices_that_are_not_taken_are_dropped(cell: Cell) -> None:
    async with (
        serving(cell) as server,
        server.peer() as deaf,
        server.peer() as bob,
    ):
        await deaf.login("ada")
        await bob.login("bob")
        async with writing(deaf, Request(1, Send("bob", "x" * 1000)), frames=200):
            taken = 0
            while taken < 2000:
                event = await bob.next()
                if isinstance(event, Delivered):
                    taken += 1
                    await bob.acknowledge(event.position)

        assert server.held_bytes < 2 * MIB


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("B1")
async def test_frames_that_wait_for_room_count(cell: Cell) -> None:
    async with (
        serving(cell, limits=Limits(pending_commands=1)) as server,
        server.peer() as peer,
    ):
        await peer.login("ada")
        server.passwords.hold()
        try:
            slow = Request(1000, ChangePassword(PASSWORD, "a new password"))
            first = peer.codec.encode_commands([slow])
            frame = peer.codec.encode_commands([Request(1, Send("ada", "x" * 7000))])
            # What is not asked for, gRPC and an ASGI server keep themselves.
            frames_ahead = 0 if cell.transport in KEEPS_ITSELF else 2

            # Together: what comes later need not be read at all.
            await peer.link.send([first, frame, frame])

            async with asyncio.timeout(10):
                while server.held_bytes < 7000 * frames_ahead:  # noqa: ASYNC110  # it tells nobody
                    await asyncio.sleep(0)
        finally:
            server.passwords.release()
        await peer.expect(PasswordChanged)
        taken = 0
        while taken < 2:
            taken += isinstance(await peer.next(), Delivered)
        await peer.ask(Logout(), LoggedOut)
        assert server.held_bytes < 7000


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("B1")
async def test_over_the_sum_those_who_hold_most_are_ended(cell: Cell) -> None:
    limits = Limits(held_bytes=MIB)
    async with (
        serving(cell, limits=limits) as server,
        AsyncExitStack() as links,
        server.peer() as modest,
    ):
        await modest.login("modest")
        hogs = [await links.enter_async_context(server.peer()) for _ in range(8)]
        for number, hog in enumerate(hogs):
            await hog.login(f"hog{number}")
        server.passwords.hold()

        for hog in hogs:
            await hog.tell(ChangePassword(PASSWORD, "a new password"))
            for _ in range(5):
                await hog.tell(Send("modest", "x" * (60 * KIB)))
        loop = asyncio.get_running_loop()
        ends = [loop.create_task(hog.end_code()) for hog in hogs]
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            await modest.send("modest", "still here")
            async with asyncio.timeout(10):
                while server.held_bytes > MIB:  # noqa: ASYNC110  # it tells nobody
                    await asyncio.sleep(0)
        finally:
            server.passwords.release()
            for end in ends:
                end.cancel()
            await asyncio.wait(ends)

        assert {it.result() for it in done} <= {
            CloseCode.OVERLOADED,
            CloseCode.LINK_LOST,  # one that was in the middle of a frame is cut
        }


# ---- taking turns (B2)


@each_wire
@pytest.mark.own_server
@pytest.mark.rule("B2")
async def test_others_have_their_turn_between_the_commands_of_one(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as busy:
        turns = 0
        done = asyncio.Event()

        async def count() -> None:
            nonlocal turns
            while not done.is_set():
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.get_running_loop().create_task(count())
        ids = await busy.tell(*[Logout()] * 1000)
        before = turns
        for _ in ids:
            await busy.expect(Refused)
        done.set()
        await counting

        assert turns - before >= 1000 // 256


@each_wire
@pytest.mark.rule("B2")
async def test_empty_frames_are_answered_by_nothing_and_do_no_harm(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        empty = peer.codec.encode_commands([])
        for _ in range(20):
            await peer.link.send([empty] * 100)

        await peer.login("ada")
        await peer.send("ada", "after them")


# ---- how many (B3)


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("B3")
async def test_there_are_so_many_connections_and_no_more(cell: Cell) -> None:
    limits = Limits(connections=2)
    async with serving(cell, limits=limits) as server, server.peer() as first:
        async with server.peer():
            with pytest.raises((LinkClosed, CannotConnect)):
                async with server.peer():
                    pass
        await _until_admitted(server)
        await first.login("ada")


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("B3")
async def test_who_does_not_log_in_has_to_go(cell: Cell) -> None:
    limits = Limits(login_within_s=0.2)
    async with serving(cell, limits=limits) as server, server.peer() as idle:
        assert await idle.end_code() is CloseCode.LOGIN_TIMEOUT


# ---- how fast (B4, B5)


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("B5")
async def test_over_a_rate_is_a_refusal_that_says_when_and_loses_nothing(
    cell: Cell,
) -> None:
    limits = Limits(session_messages_per_s=1, rate_burst_s=3)
    async with serving(cell, limits=limits) as server, server.peer() as ada:
        await ada.login("ada")
        ids = await ada.tell(*[Send("ada", str(n)) for n in range(5)])
        refused: list[Refused] = []
        while len(refused) < 2:
            event = await ada.next()
            if isinstance(event, Refused):
                refused.append(event)

        assert [it.id for it in refused] == ids[3:]
        assert {type(it.refusal) for it in refused} == {RateExceeded}
        server.clock.advance(2)
        await ada.send("ada", "later")


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("B4")
async def test_wrong_passwords_slow_down_whoever_guesses(cell: Cell) -> None:
    limits = Limits(wrong_passwords=2, account_wrong_passwords=2, throttle_first_s=60)
    async with serving(cell, limits=limits) as server, server.peer() as peer:
        await peer.ask(Create("ada", PASSWORD), Created)
        names = []
        for username in ("ada", "nobody"):
            wrong = Login(username=username, password="a wrong password")
            names.append([(await peer.refusal(wrong)).name for _ in range(4)])

        assert names[0] == names[1]
        assert names[0] == ["WRONG_CREDENTIALS"] * 2 + ["TOO_MANY_ATTEMPTS"] * 2
        server.clock.advance(70)
        assert isinstance(
            await peer.refusal(Login(username="ada", password="still wrong")),
            WrongCredentials,
        )


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("L1", "W6")
async def test_a_list_has_pages_that_fit_into_small_frames(cell: Cell) -> None:
    limits = Limits(body_bytes=KIB, frame_bytes=10 * KIB)
    async with serving(cell, limits=limits) as server, server.peer() as peer:
        await peer.login("ada")
        for n in range(400):
            await peer.ask(Create(f"user{n:03}" + "x" * 50, PASSWORD), Created)

        (asked,) = await peer.tell(List())
        names: list[str] = []
        complete = False
        while not complete:
            page = await peer.answer(asked, Listed)
            names += page.names
            complete = page.complete

        assert len(names) == 401
        assert max(peer.frames) <= 10 * KIB


async def _until_admitted(server: Server) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                async with server.peer():
                    return
            except (LinkClosed, CannotConnect):
                await asyncio.sleep(0)
