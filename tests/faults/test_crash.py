"""A server that is killed under load, again and again, on the same database.

Whatever a client was given a receipt for is honoured: it is in its mailbox once, or was
handed over once, and in order. What had none is repeated under its key. For a long run,
``CHATCORE_KILLS=500``; ``CHATCORE_SEED`` repeats the moments of one.
"""

import asyncio
import os
import random
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

import pytest

from chatcore.events import Accepted, Delivered
from chatstores import open_store
from tests.faults.servers import server_process
from tests.stores import StoreKind
from transports import Client, ReconnectPolicy, connect

PASSWORD: Final = "correct horse"
KILLS: Final = int(os.environ.get("CHATCORE_KILLS", "20"))
SEED: Final = int(os.environ.get("CHATCORE_SEED", "0")) or random.randrange(2**32)  # noqa: S311  # no secret
PATIENT: Final = ReconnectPolicy(
    first_delay_s=0.01, longest_delay_s=0.1, give_up_s=60.0
)
SENDERS: Final = ("ada", "eve")
RECIPIENTS: Final = ("bob", "carol")


@pytest.mark.slow
@pytest.mark.rule("M1", "M2", "M3", "M5", "S6")
@pytest.mark.timeout(60 + 3 * KILLS)
async def test_every_receipt_is_honoured_however_often_the_server_is_killed(
    tmp_path: Path, durable_kind: StoreKind
) -> None:
    lots = random.Random(SEED)  # noqa: S311  # no secret
    load = Load()
    async with server_process(tmp_path, durable_kind) as server:
        async with (
            connected(server.url) as ada,
            connected(server.url) as eve,
            connected(server.url) as bob,
        ):
            for client, name in ((ada, "ada"), (eve, "eve"), (bob, "bob")):
                await client.login(name, PASSWORD, create=True)
            await ada.create("carol", PASSWORD)

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(load.write(ada, "ada"))
                tasks.create_task(load.write(eve, "eve"))
                reading = tasks.create_task(load.read(bob))
                for _ in range(KILLS):
                    for _ in range(lots.randrange(1, 12)):
                        await load.progress()
                    await server.kill()
                    await server.start()
                load.stop()
            bob.acknowledge()
            to_bob = reading.result()
        async with connected(server.url) as carol:
            queued = (await carol.login("carol", PASSWORD)).queued
            messages = carol.messages()
            to_carol = [await anext(messages) for _ in range(queued)]
            carol.acknowledge()
        async with connected(server.url) as anyone:
            left = [(await anyone.login(it, PASSWORD)).queued for it in ("bob",)]
        status = await server.stop()
        left_names = await usernames(durable_kind.url_in(tmp_path))

    assert server.starts == KILLS + 1
    load.check("bob", to_bob)
    load.check("carol", to_carol)
    assert left == [0]
    assert status == 0
    assert durable_kind.check(tmp_path) == ""
    assert left_names == {*SENDERS, *RECIPIENTS}


class Load:
    """What is sent to whom, and with which receipt."""

    def __init__(self) -> None:
        self._is_over = False
        self._moved = asyncio.Event()
        self._receipts: defaultdict[str, dict[int, tuple[str, str]]] = defaultdict(dict)
        self._ended = 0

    def stop(self) -> None:
        """Let each sender end with its next batch."""
        self._is_over = True

    async def progress(self) -> None:
        """Return once there were more receipts."""
        self._moved.clear()
        await self._moved.wait()

    async def write(self, client: Client, sender: str) -> None:
        """Send batches to both recipients; the client repeats what has no receipt."""
        number = 0
        while not self._is_over:
            batch = [(RECIPIENTS[n % 2], f"{number + n}") for n in range(10)]
            number += len(batch)
            self._note(sender, batch, await client.send_all(batch))
        batch = [("bob", "end")]
        self._note(sender, batch, await client.send_all(batch))

    def _note(
        self, sender: str, batch: list[tuple[str, str]], answers: Sequence[object]
    ) -> None:
        for (recipient, body), answer in zip(batch, answers, strict=True):
            assert isinstance(answer, Accepted), answer
            assert answer.durable
            receipts = self._receipts[recipient]
            assert answer.position not in receipts, f"seed {SEED}: two at one position"
            receipts[answer.position] = (sender, body)
        self._moved.set()

    async def read(self, client: Client) -> list[Delivered]:
        """Take messages until each sender has ended."""
        messages: list[Delivered] = []
        async for message in client.messages():
            messages.append(message)
            self._ended += message.body == "end"
            if self._ended == len(SENDERS):
                break
        return messages

    def check(self, recipient: str, messages: list[Delivered]) -> None:
        """Whether what arrived is what has receipts: each once, in order."""
        promised = sorted(self._receipts[recipient].items())
        arrived = [(it.position, (str(it.sender), it.body)) for it in messages]
        assert arrived == promised, f"seed {SEED}"
        assert [position for position, _ in arrived] == list(range(1, len(arrived) + 1))
        for sender in SENDERS:
            numbers = [
                int(it.body)
                for it in messages
                if it.sender == sender and it.body != "end"
            ]
            assert numbers == sorted(set(numbers)), f"seed {SEED}: {sender}'s order"


def connected(url: str) -> AbstractAsyncContextManager[Client]:
    """A client that waits for its server as long as a restart takes."""
    return connect(url, reconnect=PATIENT)


async def usernames(url: str) -> set[str]:
    """Whose accounts a store holds that no server has open."""
    async with open_store(url) as store:
        return {it for _, it in await store.names(prefix="", after="", limit=100)}
