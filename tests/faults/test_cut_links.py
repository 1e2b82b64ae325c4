"""Links that are cut at random, again and again: nothing is lost, nothing comes twice.

``CHATCORE_CUTS=10000`` makes a long run of it, ``CHATCORE_SEED`` repeats one.
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Final

import pytest

from chatcore import Chat
from chatcore.events import Accepted
from chatstores import open_store
from chatsystem import HashSettings, system_environment
from tests.faults.relay import Relay, relaying
from transports import Client, ReconnectPolicy, connect, serve

PASSWORD: Final = "correct horse"
CUTS: Final = int(os.environ.get("CHATCORE_CUTS", "100"))
SEED: Final = int(os.environ.get("CHATCORE_SEED", "0")) or random.randrange(2**32)  # noqa: S311  # no secret
SOON: Final = ReconnectPolicy(first_delay_s=0.0005, longest_delay_s=0.005)
BATCH: Final = 20
UNDER_WAY: Final = 200


@pytest.mark.rule("M5", "M2", "S3")
@pytest.mark.timeout(60 + CUTS)
@pytest.mark.parametrize(
    "listens", ["tcp://127.0.0.1:0", "ws://127.0.0.1:0", "http://127.0.0.1:0"]
)
async def test_each_message_arrives_once_in_order_however_often_links_are_cut(
    listens: str,
) -> None:
    lots = random.Random(SEED)  # noqa: S311  # no secret
    cheap = system_environment(HashSettings(memory_kib=8, passes=1))
    async with (
        open_store("memory:") as store,
        serve(Chat(store), listens, environment=cheap) as (url,),
        relaying(url) as near_ada,
        relaying(url) as near_bob,
        connect(near_ada.url, reconnect=SOON) as ada,
        connect(near_bob.url, reconnect=SOON) as bob,
    ):
        await bob.login("bob", PASSWORD, create=True)
        await ada.login("ada", PASSWORD, create=True)
        talk = Talk(ada, bob)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(talk.write())
            tasks.create_task(talk.read())
            await cut_often((near_ada, near_bob), talk.progress, lots)
            talk.stop()

        assert near_ada.links + near_bob.links > CUTS // 2, f"seed {SEED}"
        assert talk.received == talk.sent, f"seed {SEED}"
        assert talk.positions == list(range(1, len(talk.sent) + 1)), f"seed {SEED}"
        assert await bob.deliver() == 0


@pytest.mark.rule("W6", "M5")
async def test_a_network_that_carries_a_byte_at_a_time_changes_nothing() -> None:
    cheap = system_environment(HashSettings(memory_kib=8, passes=1))
    async with (
        open_store("memory:") as store,
        serve(Chat(store), "tcp://127.0.0.1:0", environment=cheap) as (url,),
        relaying(url) as relay,
    ):
        relay.chunk_bytes = 1
        async with connect(relay.url) as ada:
            await ada.login("ada", PASSWORD, create=True)

            receipts = await ada.send_all([("ada", f"{n} é\n") for n in range(50)])

            assert [type(it) for it in receipts] == [Accepted] * 50
            messages = ada.messages()
            bodies = [(await anext(messages)).body for _ in receipts]
            assert bodies == [f"{n} é\n" for n in range(50)]


@pytest.mark.rule("M1", "M5")
async def test_a_network_that_is_slow_and_stalls_only_takes_its_time() -> None:
    cheap = system_environment(HashSettings(memory_kib=8, passes=1))
    async with (
        open_store("memory:") as store,
        serve(Chat(store), "tcp://127.0.0.1:0", environment=cheap) as (url,),
        relaying(url) as relay,
        connect(relay.url) as ada,
    ):
        relay.delay_s = 0.005
        await ada.login("ada", PASSWORD, create=True)
        relay.stall()

        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(ada.send("ada", "late"))
            await asyncio.wait([sending], timeout=0.05)
            was_held_up = not sending.done()
            relay.go_on()

        assert was_held_up
        assert sending.result().position == 1
        assert (await anext(ada.messages())).body == "late"
        assert relay.links == 1


class Talk:
    """Ada writes and Bob reads, for as long as the test wants.

    Attributes:
        sent: what has a receipt, in order.
        positions: what the receipts say.
        received: what was handed over, in order.
    """

    def __init__(self, ada: Client, bob: Client) -> None:
        self._ada = ada
        self._bob = bob
        self._is_over = False
        self._moved = asyncio.Event()
        self.sent: list[str] = []
        self.positions: list[int] = []
        self.received: list[str] = []

    def stop(self) -> None:
        """Write no more; reading ends once all has arrived."""
        self._is_over = True
        self._moved.set()

    async def progress(self) -> None:
        """Return once something more was received."""
        self._moved.clear()
        await self._moved.wait()

    async def write(self) -> None:
        """Send batches, each under its own keys, the last one with an end mark."""
        for batch in count():
            is_last = self._is_over
            bodies = [f"{batch}-{n}" for n in range(BATCH)]
            for it in await self._ada.send_all([("bob", body) for body in bodies]):
                assert isinstance(it, Accepted), it
                self.positions.append(it.position)
            self.sent += bodies
            if is_last:
                break
            while len(self.sent) - len(self.received) > UNDER_WAY:
                await self.progress()
        receipt = await self._ada.send("bob", "end")
        self.positions.append(receipt.position)
        self.sent.append("end")

    async def read(self) -> None:
        """Take messages until the end mark."""
        async for message in self._bob.messages():
            self.received.append(message.body)
            self._moved.set()
            if message.body == "end":
                self._bob.acknowledge()
                return


async def cut_often(
    relays: tuple[Relay, ...],
    progress: Callable[[], Awaitable[None]],
    lots: random.Random,
) -> None:
    """Cut links, with a few turns of the event loop or some progress in between."""
    for _ in range(CUTS):
        if lots.random() < 0.5:
            await progress()
        for _ in range(lots.randrange(200)):
            await asyncio.sleep(0)
        lots.choice(relays).cut()
