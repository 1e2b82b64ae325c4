"""Sessions: one for an account; opened, lost and found (S1, S2, S4, S5)."""

import pytest

from chatcore import Limits, SecondLogin
from chatcore.commands import (
    Acknowledge,
    ChangePassword,
    Create,
    Deliver,
    DeliveryMode,
    List,
    Login,
    Logout,
    Pong,
    Resume,
    Send,
)
from chatcore.errors import (
    AccountInUse,
    AlreadyLoggedIn,
    CloseCode,
    Closed,
    LoginRequired,
    SessionGone,
    WrongCredentials,
)
from chatcore.events import (
    Created,
    DeliveryFinished,
    LoggedIn,
    LoggedOut,
    Ping,
    Refused,
    Started,
)
from tests.conformance.cells import (
    Cell,
    each_cell,
    each_transport,
    each_wire,
    over,
)
from tests.conformance.peers import PASSWORD
from tests.conformance.reading import take_bodies
from tests.conformance.servers import serving
from transports import LinkEvent, LinkUp

RIGHT = Login(username="ada", password=PASSWORD)
WRONG = Login(username="ada", password="not this one")
QUICK = Limits(probe_s=0.1)


# ---- one session for an account (S1)


@each_cell
@pytest.mark.rule("S1")
async def test_a_second_login_is_refused_and_the_first_goes_on(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as first:
        async with server.client() as second:
            with pytest.raises(AccountInUse) as refused:
                await second.login("ada", PASSWORD)

        assert refused.value.fields == {"username": "ada"}
        assert await first.send("ada", "still here")


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("S1", "E2")
async def test_a_second_login_may_end_the_first_for_good(cell: Cell) -> None:
    replacing = SecondLogin.REPLACE
    async with (
        serving(cell, second_login=replacing) as server,
        server.user("ada") as first,
        server.client() as second,
    ):
        await second.login("ada", PASSWORD)

        with pytest.raises(Closed) as closed:
            await first.send("ada", "still here?")

        assert closed.value.code is CloseCode.REPLACED
        assert not closed.value.code.may_reconnect
        assert await second.send("ada", "now I am")


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("S1")
async def test_a_wrong_password_does_not_end_a_session(cell: Cell) -> None:
    replacing = SecondLogin.REPLACE
    async with (
        serving(cell, second_login=replacing) as server,
        server.peer() as first,
        server.peer() as second,
    ):
        token = (await first.login("ada")).token

        assert isinstance(await second.refusal(WRONG), WrongCredentials)
        await first.send("ada", "still here")
        first.cut()
        assert isinstance(await second.refusal(WRONG), WrongCredentials)

        assert (await second.resume(token)).queued == 1


@each_cell
@pytest.mark.rule("S1", "S3")
async def test_the_right_password_ends_a_detached_session_at_once(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as second:
        async with server.peer() as first:
            lost = await first.login("ada")
        await server.until_offline("ada")

        found = await second.login("ada")

        assert found.account == lost.account
        async with server.peer() as third:
            assert isinstance(await third.refusal(Resume(lost.token)), SessionGone)


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("S1")
async def test_a_silent_session_that_does_not_answer_makes_way(cell: Cell) -> None:
    async with (
        serving(cell, limits=QUICK) as server,
        server.peer() as silent,
        server.peer() as second,
    ):
        await silent.login("ada")
        server.clock.advance(1)

        await second.ask(RIGHT, LoggedIn)

        assert isinstance(await silent.next(), Ping)
        closing = await silent.closed()
        assert closing.code is CloseCode.UNRESPONSIVE


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("S1")
async def test_a_silent_session_that_answers_is_kept(cell: Cell) -> None:
    limits = Limits(probe_s=5.0)
    async with (
        serving(cell, limits=limits) as server,
        server.peer() as silent,
        server.peer() as second,
    ):
        await silent.login("ada")
        server.clock.advance(10)

        await second.tell(RIGHT)
        await silent.expect(Ping)
        await silent.tell(Pong())

        refused = await second.expect(Refused)
        assert isinstance(refused.refusal, AccountInUse)
        await silent.send("ada", "still here")


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("S1")
async def test_a_wrong_password_does_not_even_ping_a_silent_session(
    cell: Cell,
) -> None:
    async with (
        serving(cell, limits=QUICK) as server,
        server.peer() as silent,
        server.peer() as second,
    ):
        await silent.login("ada")
        server.clock.advance(1)

        assert isinstance(await second.refusal(WRONG), WrongCredentials)

        await silent.tell(Logout())
        assert isinstance(await silent.next(), LoggedOut)


# ---- what a login answers (S2)


@each_cell
@pytest.mark.rule("S2", "S6")
async def test_a_login_tells_the_account_a_token_and_what_is_queued(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        async with server.client() as client:
            bob = await client.create("bob", PASSWORD)
        await ada.send_all([("bob", "one"), ("bob", "two")])

        async with server.peer() as peer:
            logged_in = await peer.login("bob")

            assert (logged_in.account, logged_in.queued) == (bob, 2)
            assert len(logged_in.token) == 32
            assert logged_in.grace_ms == 30_000
            assert [it.body for it in await peer.mail(2)] == ["one", "two"]


@each_cell
@pytest.mark.rule("S2", "M7")
async def test_a_manual_session_gets_mail_only_when_it_asks(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada", delivery=DeliveryMode.MANUAL)
        await peer.send("ada", "one", "two")
        (listed,) = await peer.tell(List())
        assert (await peer.expect(Started)).id == listed
        await peer.next()  # and no mail until here

        (asked,) = await peer.tell(Deliver())

        assert (await peer.expect(Started)).id == asked
        assert [it.body for it in await peer.mail(2)] == ["one", "two"]
        await peer.acknowledge(2)
        finished = await peer.expect(DeliveryFinished)
        assert (finished.id, finished.messages) == (asked, 2)


# ---- before the login and after the logout (S4)


@each_cell
@pytest.mark.rule("S4")
async def test_a_logout_frees_the_name_at_once(cell: Cell) -> None:
    async with serving(cell) as server, server.client() as first:
        await first.login("ada", PASSWORD, create=True)

        await first.logout()

        async with server.client() as second:
            assert (await second.login("ada", PASSWORD)).username == "ada"
            with pytest.raises(AccountInUse):
                await first.login("ada", PASSWORD)


@each_cell
@pytest.mark.rule("S4")
async def test_a_link_may_log_in_again_as_somebody_else(cell: Cell) -> None:
    async with serving(cell) as server, server.client() as client:
        await client.login("ada", PASSWORD, create=True)
        await client.send("ada", "for ada")
        assert await take_bodies(client, 1) == ["for ada"]
        await client.logout()

        await client.login("bob", PASSWORD, create=True)
        await client.send("bob", "for bob")

        assert await take_bodies(client, 1) == ["for bob"]


@each_wire
@pytest.mark.rule("S4", "E2")
@pytest.mark.parametrize(
    "command",
    [
        Send("ada", "hello"),
        Acknowledge(1),
        Deliver(),
        List(),
        Logout(),
        ChangePassword(PASSWORD, "a new password"),
    ],
    ids=lambda command: type(command).__name__,
)
async def test_most_commands_need_a_session(cell: Cell, command: Send) -> None:
    async with serving(cell) as server, server.peer() as peer:
        refusal = await peer.refusal(command)

        assert isinstance(refusal, LoginRequired)
        assert (await peer.ask(Create("ada", PASSWORD), Created)).username == "ada"


@each_cell
@pytest.mark.rule("S4")
async def test_a_link_with_a_session_takes_no_second_one(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        token = (await peer.login("ada")).token

        for command in (RIGHT, Resume(token)):
            assert isinstance(await peer.refusal(command), AlreadyLoggedIn)


# ---- silence (S5)


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("S5")
async def test_a_peer_that_stays_silent_is_detached_and_keeps_its_mail(
    cell: Cell,
) -> None:
    limits = Limits(ping_after_s=0.1, pong_within_s=0.1)
    async with serving(cell, limits=limits) as server:
        async with server.far_peer() as (peer, fall_silent):
            token = (await peer.login("ada")).token
            await peer.send("ada", "kept")

            fall_silent()
            await server.until_offline("ada")

        async with server.peer() as found:
            await found.resume(token)
            assert [it.body for it in await found.mail(1)] == ["kept"]


@over("loopback")
@pytest.mark.own_server
@pytest.mark.rule("S5")
async def test_a_peer_that_does_not_answer_a_ping_is_told_why_it_goes(
    cell: Cell,
) -> None:
    limits = Limits(ping_after_s=0.05, pong_within_s=0.05)
    async with serving(cell, limits=limits) as server, server.peer() as peer:
        await peer.login("ada")

        await peer.expect(Ping)

        assert await peer.end_code() is CloseCode.UNRESPONSIVE


@over("loopback")
@pytest.mark.own_server
@pytest.mark.rule("S5")
async def test_a_peer_that_answers_pings_stays(cell: Cell) -> None:
    limits = Limits(ping_after_s=0.02, pong_within_s=0.2)
    async with serving(cell, limits=limits) as server, server.peer() as peer:
        await peer.login("ada")

        for _ in range(3):
            await peer.expect(Ping)
            await peer.tell(Pong())

        await peer.send("ada", "still here")


@over("loopback")
@pytest.mark.own_server
@pytest.mark.rule("S5")
async def test_the_client_of_the_library_answers_pings(cell: Cell) -> None:
    limits = Limits(ping_after_s=0.02, pong_within_s=0.2)
    links: list[LinkEvent] = []
    async with (
        serving(cell, limits=limits) as server,
        server.client(on_link=links.append) as ada,
        server.peer() as clock,
    ):
        await ada.login("ada", PASSWORD, create=True)
        for _ in range(3):
            await clock.expect(Ping)
            await clock.tell(Pong())

        await ada.send("ada", "still here")

        assert links == [LinkUp(server.url)]


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("S5")
async def test_a_link_on_which_nobody_logs_in_is_ended(cell: Cell) -> None:
    limits = Limits(login_within_s=0.05)
    async with serving(cell, limits=limits) as server, server.peer() as peer:
        closing = await peer.closed()

        assert closing.code is CloseCode.LOGIN_TIMEOUT
        assert closing.code.may_reconnect
