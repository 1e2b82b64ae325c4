"""The real servers: what is sent is delivered, each message once, in order."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest

from chatbench.peers import PEERS, peer_promise, peer_server
from tests.unit.chatbench.wire.event_recorder import opening

MESSAGES = 200
IN_FLIGHT = 16
BODIES = [f"{number:012d}{'x' * 52}" for number in range(MESSAGES)]


@pytest.mark.external
@pytest.mark.parametrize("name", PEERS)
async def test_a_peer_delivers_and_acknowledges_each_message_once(
    name: str, tmp_path: Path
) -> None:
    contestant = PEERS[name].contestant
    with peer_server(contestant, tmp_path, None) as (url, _):
        async with (
            opening(url, contestant, "r0") as (recipient, at_recipient),
            opening(url, contestant, "s0") as (sender, at_sender),
        ):
            for first in range(0, MESSAGES, IN_FLIGHT):
                sender.send("r0", BODIES[first : first + IN_FLIGHT])
                await at_recipient.until_bodies(min(first + IN_FLIGHT, MESSAGES))
                recipient.acknowledge(at_recipient.position)
            await at_sender.until(lambda it: it.receipts >= MESSAGES)

    assert at_recipient.bodies == BODIES
    assert at_recipient.position == MESSAGES
    assert at_sender.receipts == MESSAGES
    assert at_recipient.faults == at_sender.faults == []


@pytest.mark.external
@pytest.mark.parametrize("name", PEERS)
async def test_a_peer_that_ends_is_told_as_a_fault(name: str, tmp_path: Path) -> None:
    contestant = PEERS[name].contestant
    with ExitStack() as running:
        url, _ = running.enter_context(peer_server(contestant, tmp_path, None))
        async with opening(url, contestant, "s0") as (_, at_sender):
            await asyncio.to_thread(running.close)
            await at_sender.until(lambda it: bool(it.faults))

    assert len(at_sender.faults) == 1


@pytest.mark.external
@pytest.mark.parametrize("name", PEERS)
def test_a_peer_tells_its_version(name: str) -> None:
    promise = peer_promise(name)

    assert promise.version[0].isdigit()
