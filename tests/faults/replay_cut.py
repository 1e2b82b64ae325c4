"""Real messages to a client process whose link is cut at random, again and again.

    python -m tests.faults.replay_cut --messages 20000 --cuts 1000

The messages are those of the Chit-Chat dataset, in its order. Eight writers send them
to one reader; server and reader are processes of their own, each side behind a relay.
What the reader tells is compared with what the writers have receipts for: each message
is handed over once, in order, and every tenth comes back to its writer once. Exit
status 1, and ``--seed`` repeats the cuts, when that is not so.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from chatapp.demo.dataset import load
from chatcore.events import Accepted
from tests.faults.relay import Relay, relaying
from tests.faults.replay_reader import ANSWERS_EVERY, PASSWORD, READER, SOON
from tests.faults.servers import server_process
from transports import Client, connect

ROOT: Final = Path(__file__).resolve().parents[2]
WRITERS: Final = 8
BATCH: Final = 100
AHEAD: Final = 400
"""How many messages wait for the reader when its first link is cut."""
STALL_S: Final = 30.0


class Handed(NamedTuple):
    """A message as a receipt names it, and as the reader was handed it."""

    position: int
    sender: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What is wrong with what was handed over, in messages."""

    lost: int
    extra: int
    out_of_order: int

    def __bool__(self) -> bool:
        return bool(self.lost or self.extra or self.out_of_order)


def compare(stored: Sequence[Handed], handed: Sequence[Handed]) -> Faults:
    """Each once and in the order of its mailbox?

    Args:
        stored: what has a receipt, one writer's in the order that it sent them.
        handed: what was handed over, in order.
    """
    promised, arrived = Counter(stored), Counter(handed)
    behind = sum(
        later.position < earlier.position
        for earlier, later in zip(handed, islice(handed, 1, None), strict=False)
    )
    bodies = _by_sender(stored), _by_sender(handed)
    astray = sum(
        Counter(bodies[0][it]) == Counter(bodies[1][it]) and bodies[0][it] != heard
        for it, heard in list(bodies[1].items())
    )
    return Faults(
        lost=(promised - arrived).total(),
        extra=(arrived - promised).total(),
        out_of_order=behind + astray,
    )


def _by_sender(messages: Sequence[Handed]) -> Mapping[str, list[str]]:
    bodies: defaultdict[str, list[str]] = defaultdict(list)
    for it in messages:
        bodies[it.sender].append(it.body)
    return bodies


@dataclass(slots=True)
class Reader:
    """What the reader's process has told until now.

    Attributes:
        handed: the messages that it was handed.
        is_up: whether its session has a link.
        cuts: how often that was lost.
        queued: what its mailbox held at the end; None before.
    """

    handed: list[Handed] = field(default_factory=list)
    is_up: bool = False
    cuts: int = 0
    queued: int | None = None
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, output: asyncio.StreamReader) -> None:
        """Read what it tells, to the end; raises ``TimeoutError`` when it stalls."""
        while self.queued is None:
            async with asyncio.timeout(STALL_S):
                line = await output.readline()
            match msgspec.json.decode(line):
                case ["link", bool(is_up)]:
                    self.cuts += self.is_up and not is_up
                    self.is_up = is_up
                case ["message", int(position), str(sender), str(body)]:
                    self.handed.append(Handed(position, sender, body))
                case ["queued", int(queued)]:
                    self.queued = queued
                case other:
                    raise ValueError(other)
            self.moved.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return once something holds of what was told."""
        while not is_so():
            self.moved.clear()
            await self.moved.wait()


class Replay:
    """One replay: who has sent what, and what came back.

    Attributes:
        stored: what has a receipt.
        returned: what each writer got back.
        writer_cuts: how often the writers' links were cut, all at once.
    """

    def __init__(
        self, *, messages: Sequence[tuple[str, str]], cuts: int, seed: int
    ) -> None:
        self._messages = messages
        self._cuts = cuts
        self._lots = random.Random(seed)  # noqa: S311  # no secret
        self.reader = Reader()
        self.stored: list[Handed] = []
        self.returned: defaultdict[str, list[str]] = defaultdict(list)
        self.writer_cuts = 0

    @property
    def may_be_sent(self) -> int:
        """How many messages: they are spread over the cuts, the last comes after."""
        cuts = self.reader.cuts
        if cuts >= self._cuts:
            return len(self._messages)
        spread = AHEAD + len(self._messages) * cuts // self._cuts
        return min(spread, len(self._messages) - 1)

    async def write(self, writers: Mapping[str, Client]) -> None:
        """Send everything in order, as much at once as may be sent."""
        sent = 0
        while sent < len(self._messages):
            await self.reader.until(lambda: self.may_be_sent > sent)  # noqa: B023  # awaited here
            batch = self._messages[sent : min(sent + BATCH, self.may_be_sent)]
            sent += len(batch)
            async with asyncio.TaskGroup() as tasks:
                for name, client in writers.items():
                    bodies = [body for writer, body in batch if writer == name]
                    tasks.create_task(self._send(client, name, bodies))

    async def _send(self, client: Client, name: str, bodies: list[str]) -> None:
        receipts = await client.send_all([(READER, body) for body in bodies])
        for body, receipt in zip(bodies, receipts, strict=True):
            assert isinstance(receipt, Accepted), receipt
            self.stored.append(Handed(receipt.position, name, body))

    async def hear(self, name: str, client: Client) -> None:
        """Note what comes back to a writer, until it is cancelled."""
        async for message in client.messages():
            self.returned[name].append(message.body)
            client.acknowledge()
            self.reader.moved.set()

    async def cut(self, near_reader: Relay, near_writers: Relay) -> None:
        """Cut the reader's link until it was lost so often, and now and then others."""
        reader, lots = self.reader, self._lots
        while reader.cuts < self._cuts:
            await reader.until(lambda: reader.is_up)
            if lots.random() < 0.5:
                more = len(reader.handed) + lots.randrange(1, 40)
                target = min(more, self.may_be_sent)
                await reader.until(lambda: len(reader.handed) >= target)  # noqa: B023  # awaited here
            await self._turns()
            before = reader.cuts
            near_reader.cut()
            await reader.until(lambda: reader.cuts > before)  # noqa: B023  # awaited here
            if lots.random() < 0.1:  # perhaps before the next link has shaken hands
                await self._turns()
                near_reader.cut()
            if lots.random() < 0.05:
                near_writers.cut()
                self.writer_cuts += 1

    async def _turns(self) -> None:
        for _ in range(self._lots.randrange(200)):
            await asyncio.sleep(0)

    def to_return(self) -> Mapping[str, list[str]]:
        """What each writer should get back."""
        handed = self.reader.handed
        return _by_sender(handed[ANSWERS_EVERY - 1 :: ANSWERS_EVERY])

    async def all_returned(self, writers: Mapping[str, Client]) -> int:
        """Wait for what comes back; how many of it are not as they should be."""
        due = self.to_return()
        async with asyncio.timeout(STALL_S):
            await self.reader.until(
                lambda: all(len(self.returned[it]) >= len(due[it]) for it in due)
            )
            for client in writers.values():
                await client.deliver()
        return sum(self.returned[it] != due.get(it, []) for it in writers)


def real_messages(count: int) -> list[tuple[str, str]]:
    """The first so many of the dataset, as (writer, body); empty ones are none."""
    writers: dict[str, str] = {}
    messages = (
        (writers.setdefault(it.sender, f"writer{len(writers) % WRITERS}"), text)
        for conversation in load(None).conversations
        for it in conversation.turns
        for text in it.texts
        if text
    )
    return list(islice(messages, count))


@asynccontextmanager
async def reader_process(
    url: str, messages: int
) -> AsyncIterator[asyncio.StreamReader]:
    """The reader while the block runs; its output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.replay_reader", url, str(messages)),
        cwd=ROOT,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield process.stdout
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def replay(*, messages: int, cuts: int, seed: int) -> tuple[str, bool]:
    """Replay so many messages over so many cuts: what came of it, and is it right?"""
    began_s = time.monotonic()
    real = real_messages(messages)
    run = Replay(messages=real, cuts=cuts, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            server_process(Path(folder)) as server,
            relaying(server.url) as near_reader,
            relaying(server.url) as near_writers,
            AsyncExitStack() as connected,
        ):
            writers: dict[str, Client] = {}
            for name in (f"writer{n}" for n in range(WRITERS)):
                client = connect(near_writers.url, reconnect=SOON)
                writers[name] = await connected.enter_async_context(client)
                await writers[name].login(name, PASSWORD, create=True)
            await writers["writer0"].create(READER, PASSWORD)
            async with asyncio.TaskGroup() as hearing:
                ears = [
                    hearing.create_task(run.hear(name, client))
                    for name, client in writers.items()
                ]
                async with (
                    reader_process(near_reader.url, len(real)) as output,
                    asyncio.TaskGroup() as tasks,
                ):
                    tasks.create_task(run.reader.listen(output))
                    await run.reader.until(lambda: run.reader.is_up)
                    tasks.create_task(run.write(writers))
                    tasks.create_task(run.cut(near_reader, near_writers))
                wrongly_answered = await run.all_returned(writers)
                for ear in ears:
                    ear.cancel()
    faults = compare(run.stored, run.reader.handed)
    answers = sum(map(len, run.returned.values()))
    told = (
        f"{len(run.reader.handed)} of {len(real)} real messages handed over, "
        f"{run.reader.cuts} links of the reader cut (and {run.writer_cuts} times "
        f"those of {WRITERS} writers), {answers} answers: {faults.lost} lost, "
        f"{faults.extra} twice or changed, {faults.out_of_order} out of order, "
        f"{wrongly_answered} writers answered wrongly, {run.reader.queued} left; "
        f"{time.monotonic() - began_s:.1f} s, seed {seed}"
    )
    return told, not (faults or wrongly_answered or run.reader.queued)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it as the command line says; the exit status."""
    parser = argparse.ArgumentParser(prog="tests.faults.replay_cut")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--cuts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))  # noqa: S311  # no secret
    asked = parser.parse_args(arguments)
    told, is_right = asyncio.run(
        replay(messages=asked.messages, cuts=asked.cuts, seed=asked.seed)
    )
    print(told)  # noqa: T201  # it talks to people
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
