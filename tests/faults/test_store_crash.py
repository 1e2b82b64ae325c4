"""A store whose server is killed under load: receipts hold, and nothing is doubled.

Over stores that have a server of their own: ``--store-module``. The chat goes on, and
clients repeat under the same keys what they were refused meanwhile. For a long run,
``CHATCORE_KILLS=500``.
"""

import asyncio
import os
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest

from chatcore.errors import Outage
from chatcore.events import Accepted, Delivered
from chatsystem.clock import SystemClock
from tests.faults.servers import server_process
from tests.stores import StoreKind
from transports import Client, connect
from transports.client.key_generator import KeyGenerator

PASSWORD: Final = "correct horse"
KILLS: Final = int(os.environ.get("CHATCORE_KILLS", "5"))
BETWEEN: Final = 40
SENDERS: Final = ("ada", "eve", "fay", "kim", "lea", "mia")
"""So many that a commit is under way whenever the store is killed."""
LAST: Final = "end"


@pytest.mark.slow
@pytest.mark.rule("M1", "M2", "M3", "M4")
@pytest.mark.timeout(60 + 3 * KILLS)
async def test_every_receipt_is_honoured_however_often_the_store_is_killed(
    tmp_path: Path, served_kind: StoreKind
) -> None:
    load = Load()
    async with server_process(tmp_path, served_kind) as server, AsyncExitStack() as on:
        assert server.store_server is not None
        clients = [await on.enter_async_context(connect(server.url)) for _ in SENDERS]
        for client, name in zip(clients, SENDERS, strict=True):
            await client.login(name, PASSWORD, create=True)
        async with connect(server.url) as bob:
            await bob.login("bob", PASSWORD, create=True)

            async with asyncio.TaskGroup() as tasks:
                sending = [tasks.create_task(load.send(it, "bob")) for it in clients]
                reading = tasks.create_task(load.read(bob))
                for _ in range(KILLS):
                    for _ in range(BETWEEN):
                        await load.progress()
                    await asyncio.to_thread(server.store_server.kill)
                    await asyncio.to_thread(server.store_server.start)
                load.stop()
            await bob.logout()
        async with connect(server.url) as bob:
            left = (await bob.login("bob", PASSWORD)).queued
        status = await server.stop()

    assert load.refused > 0
    arrived = reading.result()
    for name, task in zip(SENDERS, sending, strict=True):
        receipts, theirs = task.result(), [it for it in arrived if it.sender == name]
        bodies = [*map(str, range(len(receipts) - 1)), LAST]
        assert [it.body for it in theirs] == bodies, name
        assert [it.position for it in theirs] == [it.position for it in receipts], name
    assert [it.position for it in arrived] == list(range(1, len(arrived) + 1))
    assert (left, status) == (0, 0)
    assert served_kind.check(tmp_path) == ""


class Load:
    """Messages of each sender one after the other, each repeated until it has a
    receipt.

    Attributes:
        refused: how often one had none, since the store was gone.
    """

    def __init__(self) -> None:
        self._is_over = False
        self._moved = asyncio.Event()
        self._keys = KeyGenerator(secrets.randbits)
        self.refused = 0

    def stop(self) -> None:
        """Let the senders end."""
        self._is_over = True

    async def progress(self) -> None:
        """Return once there was another receipt."""
        self._moved.clear()
        await self._moved.wait()

    async def send(self, client: Client, to: str) -> Sequence[Accepted]:
        """Send as long as it goes on; the receipts."""
        receipts: list[Accepted] = []
        while not self._is_over:
            receipts.append(await self._send(client, to, str(len(receipts))))
            self._moved.set()
        return [*receipts, await self._send(client, to, LAST)]

    async def _send(self, client: Client, to: str, body: str) -> Accepted:
        key = self._keys.make(SystemClock().now_ms())
        while True:
            try:
                return await client.send(to, body, key=key)
            except Outage as outage:
                self.refused += 1
                await asyncio.sleep(outage.retry_after_ms / 1000)

    async def read(self, client: Client) -> Sequence[Delivered]:
        """All messages, to the last of each sender."""
        messages: list[Delivered] = []
        ended = 0
        async for message in client.messages():
            messages.append(message)
            ended += message.body == LAST
            if ended == len(SENDERS):
                break
        client.acknowledge()
        return messages
