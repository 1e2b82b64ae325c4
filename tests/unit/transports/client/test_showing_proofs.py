"""What a client shows of who its user is: at a login, on each link, and in time."""

import asyncio
import threading
from collections.abc import Awaitable
from dataclasses import replace

import pytest

from chatcore.commands import Login, Prove, Request, Resume
from chatcore.errors import (
    ChatError,
    ProofRefused,
    ProofRequired,
    SessionGone,
)
from chatcore.events import Event, Expiring, Proved, Refused
from tests.unit.transports.client.scripted import WELCOME, logged_in, resumed
from tests.unit.transports.client.transcript import LOGIN, Transcript, own
from transports import ProofFailed
from transports.client.events import CommandAnswered, LinkDown, LinkUp
from transports.client.proofs import Proofs
from transports.client.states import OWN_ID, ClientState

BY_PROOF = Login(proof="first")


def logged_in_by(login: Login) -> Transcript:
    """A client that is logged in, and has lost its link."""
    client = Transcript()
    client.link(WELCOME)
    command = client.ask(login)
    assert client.said() == [Request(command, login)]
    client.hears(logged_in(command))
    client.told()
    client.lose_link()
    return client


def test_a_session_is_resumed_with_the_proof_of_now() -> None:
    client = logged_in_by(BY_PROOF)

    client.link_with("second", WELCOME)

    (request,) = client.said()
    assert isinstance(request.command, Resume)
    assert request.command.proof == "second"


def test_without_a_new_one_the_last_that_was_shown_is_shown_again() -> None:
    client = Transcript()
    client.link(WELCOME)
    login = client.ask(BY_PROOF)
    client.said()
    client.hears(logged_in(login))
    proving = client.ask(Prove("later"))
    client.said()
    client.hears(Proved(proving, 1000))
    client.told()
    client.lose_link()

    client.link_with("", WELCOME)

    (request,) = client.said()
    assert isinstance(request.command, Resume)
    assert request.command.proof == "later"


def test_who_logged_in_with_a_password_shows_no_proof() -> None:
    client = logged_in_by(LOGIN)

    client.link_with("second", WELCOME)

    (request,) = client.said()
    assert isinstance(request.command, Resume)
    assert request.command.proof == ""


def test_a_session_that_is_gone_is_opened_anew_with_the_proof_of_now() -> None:
    client = logged_in_by(BY_PROOF)
    client.link_with("second", WELCOME)
    client.said()

    client.hears(Refused(OWN_ID, SessionGone()))

    assert client.said() == [own(replace(BY_PROOF, proof="second"))]


def test_a_server_that_asks_for_a_proof_is_logged_in_to_with_the_password() -> None:
    client = logged_in_by(LOGIN)
    client.link_with("", WELCOME)
    client.said()

    client.hears(Refused(OWN_ID, ProofRequired(purpose="resume")))

    assert client.said() == [own(LOGIN)]


def test_a_proof_that_is_refused_at_a_resume_is_the_end() -> None:
    client = logged_in_by(BY_PROOF)
    client.link_with("second", WELCOME)
    client.said()

    client.hears(Refused(OWN_ID, ProofRefused()))

    assert isinstance(client.protocol.failure, ProofRefused)
    assert client.protocol.state is ClientState.ENDED


def test_what_expires_is_told_on_and_a_proof_is_answered() -> None:
    client = logged_in_by(BY_PROOF)
    client.link_with("second", WELCOME)
    client.said()
    client.hears(resumed(0))
    proving = client.ask(Prove("third"))
    client.said()

    client.hears(Expiring(1000), Proved(proving, 5000))

    told = [it for it in client.told() if not isinstance(it, LinkUp | LinkDown)]
    assert told == [
        Expiring(1000),
        CommandAnswered(proving, Proved(proving, 5000)),
    ]


def test_a_function_that_fails_while_no_link_is_there_is_one_failed_attempt() -> None:
    client = logged_in_by(BY_PROOF)
    failed = ProofFailed("it raised KeyError")

    client.protocol.next_url()
    client.protocol.link_lost(failed, now_s=client.now_s, jitter=1.0)
    first = client.protocol.state
    client.protocol.link_lost(failed, now_s=client.now_s + 61, jitter=1.0)

    assert first is ClientState.DIALLING
    assert client.protocol.failure is failed


# ---- where proofs come from


class Asked:
    """Takes what a client asks, and refuses it as long as the test wants."""

    def __init__(self, refusal: ChatError | None = None) -> None:
        self.refusal = refusal
        self.commands: list[Prove] = []
        self.done = asyncio.Event()

    async def ask(self, command: Prove) -> Event:
        self.commands.append(command)
        self.done.set()
        if self.refusal is not None:
            raise self.refusal
        return Proved(1, 0)


async def test_a_proof_is_a_text_or_what_a_function_returns() -> None:
    threads = []

    async def awaited() -> str:
        return "awaited"

    def called() -> str:
        threads.append(threading.current_thread())
        return "called"

    def begun() -> Awaitable[str]:
        return awaited()

    found = [
        await Proofs(source, Asked().ask).fetch()
        for source in (None, "same", awaited, called, begun)
    ]

    assert found == ["", "same", "awaited", "called", "awaited"]
    assert threads != [threading.current_thread()]


@pytest.mark.parametrize("wrong", ["", None, 7, b"bytes"])
async def test_a_function_that_returns_no_text_is_named(wrong: object) -> None:
    async def fetch() -> str:
        return wrong  # type: ignore[return-value]  # as an application may

    with pytest.raises(ProofFailed, match="returned"):
        await Proofs(fetch, Asked().ask).fetch()


async def test_what_expires_is_renewed_once_however_often_that_is_told() -> None:
    asked = Asked()
    proofs = Proofs("same", asked.ask)

    proofs.renew(60_000)
    proofs.renew(60_000)
    await asked.done.wait()

    assert asked.commands == [Prove("same")]
    assert proofs.failure is None


async def test_a_renewal_that_is_refused_is_tried_again_until_the_end() -> None:
    asked = Asked(ProofRefused())
    proofs = Proofs("same", asked.ask)

    proofs.renew(400)
    renewing = proofs._renewing
    assert renewing is not None
    await renewing

    assert len(asked.commands) > 1
    assert isinstance(proofs.failure, ProofRefused)


async def test_a_client_that_has_ended_renews_nothing_more() -> None:
    asked = Asked(ChatError())
    proofs = Proofs("same", asked.ask)

    proofs.renew(60_000)
    renewing = proofs._renewing
    assert renewing is not None
    await renewing
    proofs.end()

    assert len(asked.commands) == 1


async def test_without_a_source_an_end_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    proofs = Proofs(None, Asked().ask)

    proofs.renew(60_000)
    proofs.end()

    assert "is not renewed" in caplog.text
