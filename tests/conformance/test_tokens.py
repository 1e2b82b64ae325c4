"""What a token is good for: resumes, and what ends it (S3, S6)."""

import asyncio
from collections.abc import Sequence

import pytest

from chatcore.commands import (
    ChangePassword,
    List,
    Logout,
    Resume,
    Send,
)
from chatcore.errors import (
    AcknowledgedTooMuch,
    CloseCode,
    Refusal,
    SessionGone,
)
from chatcore.events import (
    Listed,
    LoggedOut,
    PasswordChanged,
)
from chatcore.ids import Username
from tests.conformance.cells import (
    Cell,
    each_cell,
    each_durable_store,
    each_transport,
)
from tests.conformance.peers import PASSWORD
from tests.conformance.servers import serving


class Slow:
    """A policy that lets all pass, once it is opened; ``asked`` is set by then."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.opened = asyncio.Event()

    async def judge(
        self, _sender: Username, sends: Sequence[Send]
    ) -> Sequence[Refusal | None]:
        """See ``chatcore.ports.SendPolicy``."""
        self.asked.set()
        await self.opened.wait()
        return [None] * len(sends)


# ---- resuming (S3)


@each_cell
@pytest.mark.rule("S3")
async def test_a_resumed_session_goes_on_after_what_was_seen(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        async with server.peer() as lost:
            token = (await lost.login("bob")).token
            await ada.send_all([("bob", "one"), ("bob", "two"), ("bob", "three")])
            seen = (await lost.mail(2))[-1].position
        await ada.send("bob", "four")

        async with server.peer() as found:
            resumed = await found.resume(token, seen)

            assert (resumed.username, resumed.last_seen) == ("bob", seen)
            mail = await found.mail(2)
            assert [(it.body, it.follows) for it in mail] == [("three", 2), ("four", 3)]


@each_cell
@pytest.mark.rule("S3", "S6")
async def test_a_resume_fences_a_link_that_is_still_open(cell: Cell) -> None:
    async with (
        serving(cell) as server,
        server.peer() as older,
        server.peer() as newer,
    ):
        token = (await older.login("ada")).token

        await newer.resume(token)

        closing = await older.closed()
        assert closing.code is CloseCode.RESUMED_ELSEWHERE
        assert not closing.code.may_reconnect
        await newer.send("ada", "from the newer")
        assert [it.body for it in await newer.mail(1)] == ["from the newer"]


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("S3", "S6")
async def test_what_a_fenced_link_still_brings_is_ignored(cell: Cell) -> None:
    policy = Slow()
    async with (
        serving(cell, policy=policy) as server,
        server.peer() as older,
        server.peer() as newer,
    ):
        token = (await older.login("ada")).token
        await older.tell(Send("ada", "too late"))
        await asyncio.wait_for(policy.asked.wait(), 10)

        await newer.resume(token)
        policy.opened.set()

        await older.ended()
        await newer.send("ada", "in time")
        assert [it.body for it in await newer.mail(1)] == ["in time"]


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("A6")
async def test_who_takes_the_session_over_during_a_change_of_password_is_out(
    cell: Cell,
) -> None:
    async with (
        serving(cell) as server,
        server.peer() as owner,
        server.peer() as thief,
    ):
        token = (await owner.login("ada")).token
        server.passwords.hold()
        await owner.tell(ChangePassword(PASSWORD, "a new password"))
        await asyncio.wait_for(server.passwords.asked.wait(), 10)

        await thief.resume(token)
        server.passwords.release()

        assert await thief.end_code() is CloseCode.PASSWORD_CHANGED
        async with server.client() as again:
            await again.login("ada", "a new password")
            await again.send("ada", "mine")


@each_cell
@pytest.mark.rule("A6")
async def test_a_stolen_token_does_not_outlive_the_password(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as owner:
        stolen = (await owner.login("ada")).token

        await owner.ask(ChangePassword(PASSWORD, "a new password"), PasswordChanged)

        async with server.peer() as thief:
            assert isinstance(await thief.refusal(Resume(stolen)), SessionGone)
        await owner.send("ada", "still here")
        await owner.ask(Logout(), LoggedOut)
        async with server.client() as again:
            await again.login("ada", "a new password")


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("S3")
async def test_a_resume_needs_no_password_to_be_hashed(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as found:
        async with server.peer() as lost:
            token = (await lost.login("ada")).token
        server.passwords.hold()

        resumed = await found.resume(token)

        assert resumed.username == "ada"
        server.passwords.release()


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("S3")
async def test_a_session_is_gone_after_its_grace_and_its_mail_is_not(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        async with server.peer() as lost:
            token = (await lost.login("bob")).token
        await server.until_offline("bob")
        server.clock.advance(31)
        await server.chat.tick()
        await ada.send("bob", "kept")

        async with server.peer() as found:
            refusal = await found.refusal(Resume(token))

            assert isinstance(refusal, SessionGone)
            assert (await found.login("bob")).queued == 1


@each_cell
@pytest.mark.rule("S3", "M4")
async def test_a_resume_after_mail_that_never_came_is_refused(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as found:
        async with server.peer() as lost:
            token = (await lost.login("ada")).token

        refusal = await found.refusal(Resume(token, 7))

        assert isinstance(refusal, AcknowledgedTooMuch)
        assert (await found.resume(token)).last_seen == 0


@each_cell
@pytest.mark.rule("S3")
async def test_a_token_that_nobody_was_given_resumes_nothing(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        for token in (b"", bytes(32), b"x" * 1000):
            assert isinstance(await peer.refusal(Resume(token)), SessionGone)


# ---- restarts (S6)


@each_durable_store
@pytest.mark.rule("S6", "M4")
async def test_a_session_outlives_its_server(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        logged_in = await peer.login("ada")
        await peer.send("ada", "one", "two", "three")
        await peer.mail(3)
        await peer.acknowledge(1)
        await peer.ask(List(), Listed)  # so that it has been read

    async with serving(cell) as server, server.peer() as peer:
        resumed = await peer.resume(logged_in.token, 2)

        assert (resumed.account, resumed.queued) == (logged_in.account, 2)
        assert [it.body for it in await peer.mail(1)] == ["three"]


@each_durable_store
@pytest.mark.rule("S6")
async def test_the_grace_of_a_stored_session_starts_with_the_server(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.peer() as peer:
        token = (await peer.login("ada")).token

    async with serving(cell) as server, server.peer() as peer:
        server.clock.advance(29)
        await server.chat.tick()
        await peer.resume(token)
    async with serving(cell) as server, server.peer() as peer:
        server.clock.advance(31)
        await server.chat.tick()
        assert isinstance(await peer.refusal(Resume(token)), SessionGone)


@each_durable_store
@pytest.mark.rule("S6")
async def test_an_ended_session_stays_ended_after_a_restart(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        token = (await peer.login("ada")).token
        await peer.ask(Logout(), LoggedOut)

    async with serving(cell) as server, server.peer() as peer:
        assert isinstance(await peer.refusal(Resume(token)), SessionGone)


@each_durable_store
@pytest.mark.rule("S6")
async def test_a_token_is_not_stored_itself(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        token = (await peer.login("ada")).token
        files = [path for path in cell.folder.iterdir() if path.is_file()]
        stored = b"".join(path.read_bytes() for path in files)

    assert bytes(token) not in stored
    assert token.hex().encode() not in stored


@each_cell
@pytest.mark.rule("S6")
async def test_a_token_stays_the_same_over_resumes_and_is_new_for_each_session(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.peer() as first:
        token = (await first.login("ada")).token
        for _ in range(3):
            async with server.peer() as peer:
                await peer.resume(token)
        await server.until_offline("ada")

        async with server.peer() as peer:
            again = await peer.login("ada")

            assert again.token != token
