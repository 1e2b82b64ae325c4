"""Notices wait a little for what else their sender is told (M8)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chatcore import Chat
from chatcore.commands import Send
from chatcore.events import Accepted, Received
from chatstores.memory import MemoryStore
from chatsystem import INSECURE_FAST_HASH, system_environment
from tests.conformance.peers import Peer
from transports import serve
from transports.awaited_link import AwaitedLink
from transports.base import LinkSettings, parse_address
from transports.codec import codec
from transports.registry import transport_for

_FOR_EVER_S = 3600.0


@asynccontextmanager
async def ada_and_bob() -> AsyncIterator[tuple[Peer, Peer]]:
    """Two who are logged in; bob has a message of ada's, which she knows is stored."""
    environment = system_environment(INSECURE_FAST_HASH)
    async with serve(Chat(MemoryStore()), "loopback:", environment=environment) as urls:
        ada, bob = [await welcomed(urls[0]) for _ in range(2)]
        await ada.login("ada")
        await bob.login("bob")
        await ada.ask(Send("bob", "first"), Accepted)
        (mail,) = await bob.mail(1)
        await bob.acknowledge(mail.position)
        yield ada, bob
        ada.link.abort()
        bob.link.abort()


async def welcomed(url: str) -> Peer:
    address, chosen = parse_address(url), codec("json")
    transport = transport_for(address.scheme)
    link = await transport.dial(address, chosen, LinkSettings(frame_bytes=100_000))
    peer = Peer(AwaitedLink(link), chosen)
    peer.welcome = await peer.welcomed()
    return peer


@pytest.mark.rule("M8")
async def test_a_notice_comes_in_the_frame_of_what_its_sender_is_told_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("transports.server._NOTICES_WAIT_S", _FOR_EVER_S)
    async with ada_and_bob() as (ada, bob):
        await bob.send("bob", "by now the acknowledgement is seen to")
        before = len(ada.frames)

        await ada.tell(Send("bob", "second"))

        await ada.expect(Received)
        await ada.expect(Accepted)
        assert len(ada.frames) == before + 1


@pytest.mark.rule("M8")
async def test_a_notice_comes_by_itself_when_nothing_else_is_told() -> None:
    async with ada_and_bob() as (ada, _):
        notice = await ada.expect(Received)

    assert notice.recipient == "bob"
