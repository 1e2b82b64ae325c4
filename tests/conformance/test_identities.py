"""Users of an application: proofs at logins and resumes, renewed in time (A2, S3)."""

import asyncio
from collections.abc import Callable

import pytest

from chatcore import Claim, ClaimPurpose, Identity, Limits, NoSuchAccount, ProofFailed
from chatcore.commands import Delete, InboxAction, Login, Prove, Resume
from chatcore.errors import (
    ApplicationUnavailable,
    CloseCode,
    Closed,
    OtherAccount,
    ProofRefused,
    ProofRequired,
)
from chatcore.events import Deleted, Expiring, LoggedIn, Proved, Refused, Resumed
from tests.conformance.cells import Cell, each_cell, each_transport, over
from tests.conformance.peers import WITHIN_S
from tests.conformance.reading import take_bodies
from tests.conformance.servers import Server, serving
from transports import LinkEvent, LinkUp, ProofSource

_BY_REQUEST = {
    "websocket",
    "wss",
    "http",
    "https",
    "grpc",
    "grpcs",
    "asgi",
    "asgi-http",
}
"""Transports whose links are opened by a request with headers."""


class Passes:
    """The users of an application, each with passes; see ``chatcore.Identities``.

    Attributes:
        now_ms: what is taken for the time.
        lives_ms: for how long a pass holds from when it is shown; 0 for ever.
        ends_ms: when all passes end, counted from the first look.
        claims: what was asked.
        is_silent: nothing is answered any more.
    """

    def __init__(self, *, lives_ms: int = 0, ends_ms: int = 0) -> None:
        self.ends_ms = ends_ms
        self.began_ms = 0
        self.now_ms: Callable[[], int] = lambda: 0
        self.lives_ms = lives_ms
        self.signed_out: set[str] = set()
        self.claims: list[Claim] = []
        self.is_silent = False
        self.asked = asyncio.Event()

    async def identify(self, claim: Claim) -> Identity | None:
        """A pass is the user's name and a number: ``ada 1``."""
        self.claims.append(claim)
        self.asked.set()
        if self.is_silent:
            await asyncio.Event().wait()
        name, _, number = claim.proof.partition(" ")
        if not number or claim.proof in self.signed_out:
            return None
        self.began_ms = self.began_ms or self.now_ms()
        expires_at_ms = None
        if self.lives_ms:
            expires_at_ms = self.now_ms() + self.lives_ms
        elif self.ends_ms:
            expires_at_ms = self.began_ms + self.ends_ms
        return Identity(
            username=name, expires_at_ms=expires_at_ms, may_create=name != "guest"
        )


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("A2", "S3")
async def test_a_user_logs_in_and_comes_back_with_a_proof_until_signed_out(
    cell: Cell,
) -> None:
    passes = Passes()
    async with serving(cell, identities=passes) as server:
        async with server.peer() as first:
            login = await first.ask(Login(proof="ada 1"), LoggedIn)
            guest = await first.refusal(Login(proof="guest 1"))
        async with server.peer() as second:
            bare = await second.refusal(Resume(login.token))
            other = await second.refusal(Resume(login.token, proof="bob 1"))
            resumed = await second.ask(Resume(login.token, proof="ada 1"), Resumed)
        passes.signed_out.add("ada 1")
        async with server.peer() as third:
            out = await third.refusal(Resume(login.token, proof="ada 1"))

    assert (login.username, login.expires_in_ms, resumed.expires_in_ms) == ("ada", 0, 0)
    assert [type(it) for it in (guest, bare, other, out)] == [
        # A link that is logged in is refused before it is asked who that is.
        type(guest),
        ProofRequired,
        OtherAccount,
        ProofRefused,
    ]
    assert guest.name == "ALREADY_LOGGED_IN"
    assert {it.transport for it in passes.claims} != {""}


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("A2")
async def test_a_session_is_told_and_renewed_or_its_link_is_closed(cell: Cell) -> None:
    passes = Passes(lives_ms=600_000)
    async with serving(cell, identities=passes) as server, server.peer() as ada:
        passes.now_ms = server.clock.now_ms
        await ada.ask(Login(proof="ada 1"), LoggedIn)
        server.clock.advance(550)
        told = await ada.until(Expiring)
        bob = await ada.refusal(Prove("bob 1"))
        proved = await ada.ask(Prove("ada 2"), Proved)
        server.clock.advance(605)
        closing = await ada.closed()

        assert 45_000 < told.expires_in_ms <= 60_000
        assert 595_000 < proved.expires_in_ms <= 600_000
        assert isinstance(bob, OtherAccount)
        assert closing.code is CloseCode.PROOF_EXPIRED
        assert [it.username for it in server.chat.sessions()] == ["ada"]


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("D1")
async def test_a_deletion_takes_a_proof(cell: Cell) -> None:
    async with serving(cell, identities=Passes()) as server, server.peer() as ada:
        await ada.ask(Login(proof="ada 1"), LoggedIn)
        discard = InboxAction.DISCARD

        wrong = await ada.refusal(Delete(username="ada", proof="ada", inbox=discard))
        await ada.ask(Delete(username="ada", proof="ada 2", inbox=discard), Deleted)

        assert isinstance(wrong, ProofRefused)


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("A2")
async def test_the_application_sees_how_somebody_has_come(cell: Cell) -> None:
    passes = Passes()
    async with serving(cell, identities=passes) as server, server.peer() as ada:
        await ada.ask(Login(proof="ada 1"), LoggedIn)

    (claim,) = passes.claims
    assert claim.purpose is ClaimPurpose.LOGIN
    assert bool(claim.headers) == (cell.transport in _BY_REQUEST)
    if claim.headers:
        assert "user-agent" in claim.headers or "host" in claim.headers
    assert "ada 1" not in repr(claim)


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("A2", "M5")
async def test_a_client_renews_and_resumes_with_what_its_function_fetches(
    cell: Cell,
) -> None:
    passes = Passes(lives_ms=600_000)
    fetched: list[str] = []
    up: asyncio.Queue[LinkEvent] = asyncio.Queue()

    async def fetch() -> str:
        fetched.append(f"ada {len(fetched) + 1}")
        return fetched[-1]

    async with (
        serving(cell, identities=passes) as server,
        server.client(proof=fetch, on_link=up.put_nowait) as ada,
    ):
        passes.now_ms = server.clock.now_ms
        await ada.login()
        passes.asked.clear()
        server.clock.advance(550)
        await asyncio.wait_for(passes.asked.wait(), WITHIN_S)
        await ada.send("ada", "one")
        server.clock.advance(100)
        passes.signed_out.add("ada 1")
        ada._driver.drop_link()
        while not isinstance(await up.get(), LinkUp) or passes.claims[-1].proof in {
            "ada 1",
            "ada 2",
        }:
            pass
        await ada.send("ada", "two")

        assert ada.username == "ada"
        assert await take_bodies(ada, 2) == ["one", "two"]
    purposes = [(it.purpose.value, it.proof) for it in passes.claims]
    assert purposes == [("login", "ada 1"), ("renewal", "ada 2"), ("resume", "ada 3")]


@over("loopback", "protobuf")
@pytest.mark.own_server
@pytest.mark.rule("A2")
async def test_a_function_that_fails_is_told_to_who_asked(cell: Cell) -> None:
    def fetch() -> str:
        raise ZeroDivisionError

    async with (
        serving(cell, identities=Passes()) as server,
        server.client(proof=fetch) as ada,
    ):
        with pytest.raises(ProofFailed) as failed:
            await ada.login()
        answer = await ada.login(proof="ada 1")

    assert isinstance(failed.value.__cause__, ZeroDivisionError)
    assert answer.username == "ada"


async def stay(server: Server, proof: ProofSource, asked: asyncio.Event) -> None:
    """Log in and stay until the link ends: a renewal is tried once, then it is over."""
    async with server.client(proof=proof) as ada:
        await ada.login()
        asked.clear()
        server.clock.advance(590)
        await asyncio.wait_for(asked.wait(), WITHIN_S)
        server.clock.advance(20)
        await take_bodies(ada, 1)


@over("loopback", "protobuf")
@pytest.mark.own_server
@pytest.mark.rule("A2")
async def test_a_client_that_cannot_renew_is_ended_with_why(cell: Cell) -> None:
    passes = Passes(lives_ms=600_000)
    proofs = ["ada 1"]
    asked = asyncio.Event()

    async def fetch() -> str:
        if not proofs:
            asked.set()
        return proofs.pop()

    async with serving(cell, identities=passes) as server:
        passes.now_ms = server.clock.now_ms
        with pytest.raises(ProofFailed):
            await stay(server, fetch, asked)


@over("loopback", "protobuf")
@pytest.mark.own_server
@pytest.mark.rule("A2")
async def test_a_client_whose_proof_stays_the_same_is_ended_with_the_code(
    cell: Cell,
) -> None:
    passes = Passes(ends_ms=600_000)
    async with serving(cell, identities=passes) as server:
        passes.now_ms = server.clock.now_ms
        with pytest.raises(Closed) as closed:
            await stay(server, "ada 1", passes.asked)

    assert closed.value.code is CloseCode.PROOF_EXPIRED


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("B1", "B2", "W9")
async def test_an_application_that_never_answers_holds_up_nobody(cell: Cell) -> None:
    passes = Passes()
    limits = Limits(application_within_s=0.2)
    async with (
        serving(cell, limits=limits, identities=passes) as server,
        server.peer() as ada,
        server.peer() as bob,
    ):
        await ada.ask(Login(proof="ada 1"), LoggedIn)
        passes.is_silent = True
        (proving,) = await ada.tell(Prove("ada 2"))
        await ada.send("ada", "meanwhile")
        refused = await ada.answer(proving, Refused)
        given_up = await bob.refusal(Login(proof="bob 1"))
        passes.asked.clear()
        await bob.tell(Login(proof=f"bob {1:016000}"))
        await passes.asked.wait()
        held_bytes = server.held_bytes
        # The server ends now, without an answer.

    assert isinstance(refused.refusal, ApplicationUnavailable)
    assert isinstance(given_up, ApplicationUnavailable)
    assert held_bytes > 16_000


@over("loopback", "protobuf")
@pytest.mark.own_server
@pytest.mark.rule("A2")
async def test_an_account_that_may_not_be_made_is_made_by_the_application(
    cell: Cell,
) -> None:
    async with (
        serving(cell, identities=Passes()) as server,
        server.client(proof="guest 1") as guest,
    ):
        with pytest.raises(NoSuchAccount):
            await guest.login()
        await server.chat.ensure_account("guest")
        answer = await guest.login()

    assert answer.username == "guest"
