"""The short form of ``python -m tests.faults abuse``: no milliseconds, no processes.

What is counted is what a machine cannot blur: commands that are begun between two turns
of the event loop (B2), and bytes of answers that wait for a peer that takes none (B1).
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final

import pytest

from chatbench.contestants import TRANSPORTS
from chatcore import Chat, Limits
from chatcore.commands import Acknowledge, Request, Resume
from chatcore.connections import Connection
from chatcore.errors import LoginRequired, Refusal
from chatcore.events import Refused
from chatcore.limits import KIB
from chatstores import open_store
from chatsystem import INSECURE_FAST_HASH, system_environment
from tests.faults.abuse.floods import TINY
from tests.faults.abuse.intruders import Intruder, holds_within, intruder
from tests.faults.abuse.payloads import (
    logouts,
    refused_acknowledges,
    repeated,
    sends,
    unknown_commands,
)
from tests.faults.abuse.targets import Target
from transports import serve
from transports.codec import codec as codec_of
from transports.registry import SCHEMES

TURN_COMMANDS: Final = 256
"""What one connection may have done before all others have a turn (B2)."""
FRAME_COMMANDS: Final = 1024
"""What one frame may hold: reading it is one piece of work, acknowledging included."""
HELD_BYTES: Final = 64 * KIB
"""What may wait to be written before login (B1)."""
COMMANDS: Final = 1000
FRAMES: Final = 12
MANY_FRAMES: Final = 600
"""More than the kernel holds between two sockets."""
ROUND_TRIPS: Final = 5
DEAF: Final = 2
"""One alone may have a few answers less waiting than may, by chance."""
WITHIN_S: Final = 20.0

each_transport: Final = pytest.mark.parametrize("transport", list(TRANSPORTS))


class CountingChat(Chat):
    """A chat that counts what its drivers have it begin in each turn of the loop.

    Attributes:
        most: commands that were begun between two turns, at the most.
        most_acknowledged: the same for acknowledgements, which are taken as they are
            read, those of one frame at a time.
        most_waiting: events that waited to be written to one peer, at the most.
        begun: commands of each connection that were begun.
        connections: all that there ever were, in order.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.most = self.most_acknowledged = self.most_waiting = 0
        self._acknowledged = 0
        self.begun: Counter[Connection] = Counter()
        self.connections: list[Connection] = []
        self._in_this_turn = 0
        self._is_counting = False

    def attach(self, *args: Any, **options: Any) -> Connection:
        connection = super().attach(*args, **options)
        self.connections.append(connection)
        return connection

    def acknowledge(
        self, connection: Connection, commands: Sequence[Acknowledge]
    ) -> Sequence[Refusal | None]:
        self._acknowledged += len(commands)
        self.most_acknowledged = max(self.most_acknowledged, self._acknowledged)
        self._count(connection, 0)
        self.begun[connection] += 1
        return super().acknowledge(connection, commands)

    async def execute(
        self, connection: Connection, requests: Sequence[Request]
    ) -> None:
        self._count(connection, len(requests))
        await super().execute(connection, requests)
        self.most_waiting = max(self.most_waiting, len(connection.outbox))

    def _count(self, connection: Connection, commands: int) -> None:
        self.begun[connection] += commands
        self.most_waiting = max(self.most_waiting, len(connection.outbox))
        self._in_this_turn += commands
        self.most = max(self.most, self._in_this_turn)
        if not self._is_counting:
            # The first of a turn: what comes after it in the queue of the loop is the
            # next turn of all others.
            self._is_counting = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._in_this_turn = self._acknowledged = 0
        self._is_counting = False


@asynccontextmanager
async def counted(transport: str) -> AsyncIterator[tuple[CountingChat, Target]]:
    """A server in this process, and where it is."""
    environment = system_environment(INSECURE_FAST_HASH)
    async with open_store("memory:") as store:
        # None of these peers logs in, and a busy machine takes its time.
        chat = CountingChat(store, limits=Limits(login_within_s=600.0))
        url = f"{SCHEMES[transport]}://127.0.0.1:0"
        async with serve(chat, url, environment=environment) as (listening,):
            target = Target(
                url=listening, transport=transport, pid=os.getpid(), seconds=WITHIN_S
            )
            yield chat, target


def number_of(frame: bytes) -> int:
    """How many commands a frame has."""
    return len(codec_of("protobuf").decode_commands(frame))


async def all_answered(link: Intruder, frame: bytes) -> bool:
    """Whether each command of all frames gets its answer."""
    expected = number_of(frame) * FRAMES
    counts = link.counts
    return await holds_within(
        lambda: counts["Refused"] + counts["Accepted"] >= expected, WITHIN_S
    )


# ---- turns


@pytest.mark.parametrize(
    "frame",
    [
        logouts(COMMANDS),
        unknown_commands(COMMANDS),
        refused_acknowledges(COMMANDS),
        repeated(Resume(bytes(32)), times=COMMANDS * 2 // 3),
    ],
    ids=["logouts", "unknown", "acknowledges", "resumes"],
)
@each_transport
@pytest.mark.rule("B2")
async def test_a_peer_without_a_login_has_256_commands_done_in_a_turn(
    transport: str, frame: bytes
) -> None:
    async with counted(transport) as (chat, target), intruder(target) as link:
        for _ in range(FRAMES):
            link.write(frame)
        assert await all_answered(link, frame)

        assert chat.most <= TURN_COMMANDS
        assert chat.most_acknowledged <= FRAME_COMMANDS


@pytest.mark.parametrize("recipient", ["intruder", "nobody"])
@each_transport
@pytest.mark.rule("B2")
async def test_a_peer_that_sends_and_sends_has_256_sends_done_in_a_turn(
    transport: str, recipient: str
) -> None:
    frame = sends(recipient, COMMANDS)
    async with (
        counted(transport) as (chat, target),
        intruder(target, name="intruder") as link,
    ):
        for _ in range(FRAMES):
            link.write(frame)
        assert await all_answered(link, frame)

        assert chat.most <= TURN_COMMANDS


# ---- what waits to be written


@each_transport
@pytest.mark.rule("B1")
async def test_a_peer_that_takes_no_answers_has_64_kib_of_them_waiting(
    transport: str,
) -> None:
    frame = refused_acknowledges(COMMANDS)
    async with (
        counted(transport) as (chat, target),
        intruder(target, receive_bytes=TINY) as link,
        AsyncExitStack() as later,
    ):
        assert await holds_within(lambda: bool(chat.connections), WITHIN_S)
        attacked = chat.connections[0]
        neighbour = await later.enter_async_context(intruder(target))
        link.stop_reading()

        for _ in range(MANY_FRAMES):
            link.write(frame)
        begun = -1
        while begun < chat.begun[attacked]:
            # It is done, or not read, once others are served and it is not.
            begun = chat.begun[attacked]
            await served(neighbour)

        assert begun > 0
        assert chat.most_waiting * bytes_of_an_answer() <= HELD_BYTES


async def served(link: Intruder) -> None:
    """Return when a peer has had some answers, one after another."""
    for _ in range(ROUND_TRIPS):
        before = link.counts["Refused"]
        link.write(logouts(1))
        assert await holds_within(partial(has_more, link, before), WITHIN_S)


def has_more(link: Intruder, before: int) -> bool:
    return link.counts["Refused"] > before


def bytes_of_an_answer() -> int:
    """What one refused acknowledgement comes to on the wire."""
    refusal = LoginRequired(command="acknowledge")
    return len(codec_of("protobuf").encode_events([Refused(1, refusal)]))


@each_transport
@pytest.mark.rule("B1", "S5")
async def test_peers_that_took_no_answers_leave_nothing_when_they_go(
    transport: str,
) -> None:
    frame = logouts(FRAME_COMMANDS)
    async with counted(transport) as (chat, target), AsyncExitStack() as later:
        async with AsyncExitStack() as opened:
            for _ in range(DEAF):
                link = await opened.enter_async_context(
                    intruder(target, receive_bytes=TINY)
                )
                link.stop_reading()
                for _ in range(MANY_FRAMES // 6):
                    link.write(frame)
            neighbour = await later.enter_async_context(intruder(target))
            deaf = chat.connections[:DEAF]
            begun = -1
            while begun < sum(chat.begun[it] for it in deaf):
                # They are stuck once others are served and they are not.
                begun = sum(chat.begun[it] for it in deaf)
                await served(neighbour)

        connections = chat.counters.connections
        assert await holds_within(lambda: connections.total() == 1, WITHIN_S)
