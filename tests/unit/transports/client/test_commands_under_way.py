"""How many commands of a client are under way, as a server sees it (W8)."""

import asyncio
from typing import Final

import pytest

from chatcore.commands import Command, Logout, Send
from chatcore.events import LoggedOut
from tests.unit.transports.client.scripted import PASSWORD, Peer, accepted, scripted
from transports import connect
from transports.client.pending_commands import MOST_UNDER_WAY

HALF: Final = MOST_UNDER_WAY // 2


@pytest.mark.rule("W8")
async def test_a_server_has_no_more_to_answer_than_the_bound_whatever_calls_ask() -> (
    None
):
    is_full = asyncio.Event()
    later: list[Command] = []

    async def serve(peer: Peer) -> None:
        await peer.log_in()
        asked = [await peer.hear(Send) for _ in range(MOST_UNDER_WAY)]
        is_full.set()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await peer.hear()
        await peer.say(*(accepted(it.id) for it in asked))
        while isinstance((request := await peer.hear(Send, Logout)).command, Send):
            later.append(request.command)
            await peer.say(accepted(request.id))
        await peer.say(LoggedOut(request.id))

    async with scripted(serve) as server, connect(server.url) as client:
        await client.login("ada", PASSWORD)
        async with asyncio.TaskGroup() as tasks:
            many = [
                tasks.create_task(client.send_all([("bob", "one of many")] * HALF))
                for _ in range(2)
            ]
            cancelled = tasks.create_task(client.send("bob", "cancelled"))
            waiting = [
                tasks.create_task(client.send("bob", str(it))) for it in range(3)
            ]
            await is_full.wait()
            cancelled.cancel()

        assert [len(it.result()) for it in many] == [HALF, HALF]
        assert [it.result().position for it in waiting] == [1, 1, 1]
        assert [it.body for it in later if isinstance(it, Send)] == ["0", "1", "2"]
