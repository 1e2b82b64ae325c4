"""What one delivered message costs the server, in microseconds of its CPU time.

Starts ``chatcore serve`` as a process of its own, and loads it from this one: each of
``--pairs`` senders keeps ``--in-flight`` messages under way to its recipient, and sends
the next when one is delivered. The generator is a bare link and a codec, so that it is
not what is measured. CPU time is the process clock's (user and system, all threads),
read from /proc. A run in which a message is lost, doubled or out of order fails.

    python benchmarks/server_cost.py --store sqlite --codec protobuf --messages 100000
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chatcore.commands import Acknowledge, Login, Request, Send
from chatcore.errors import CloseCode
from chatcore.events import Accepted, Delivered, Event, LoggedIn, Refused, Welcome
from transports.base import Link, LinkClosed, LinkSettings, parse_address
from transports.client.keys import KeyMaker
from transports.codec import Codec, codec
from transports.registry import transport_for


@dataclass
class Load:
    """What every pair of one run shares."""

    url: str
    codec: Codec
    body: str
    in_flight: int
    warm_up: int
    messages: int


@dataclass
class Count:
    """What one pair has seen."""

    delivered: int = 0
    accepted: int = 0


async def log_in(load: Load, name: str) -> Link:
    """A link that is logged in to a new account."""
    address = parse_address(load.url)
    link = await transport_for(address.scheme).dial(
        address, load.codec, LinkSettings(frame_bytes=1 << 20)
    )
    login = Login(username=name, password="correct horse", create=True)
    await link.send([load.codec.encode_commands([Request(1, login)])])
    while True:
        for frame in await link.receive():
            for event in load.codec.decode_events(frame):
                if isinstance(event, LoggedIn):
                    return link
                if not isinstance(event, Welcome):
                    raise SystemExit(f"unexpected: {event}")


class Pair:
    """One sender and one recipient."""

    def __init__(self, load: Load, number: int) -> None:
        self.load = load
        self.names = (f"s{number}", f"r{number}")
        self.keys = KeyMaker(lambda: time.time_ns() // 1_000_000)
        self.count = Count()
        self.sent = 0

    async def open(self) -> None:
        self.sender = await log_in(self.load, self.names[0])
        self.recipient = await log_in(self.load, self.names[1])

    async def run(self, messages: int) -> None:
        """Have this many messages more delivered."""
        goal = self.count.delivered + messages
        await self.send(min(self.load.in_flight, messages))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.read_receipts(goal))
            tasks.create_task(self.read_deliveries(goal))

    async def send(self, number: int) -> None:
        requests = [
            Request(
                self.sent + i, Send(self.names[1], self.load.body, self.keys.make())
            )
            for i in range(1, number + 1)
        ]
        self.sent += number
        await self.sender.send([self.load.codec.encode_commands(requests)])

    async def read_receipts(self, goal: int) -> None:
        while self.count.accepted < goal:
            for event in await self.events(self.sender):
                if isinstance(event, Refused):
                    raise SystemExit(f"refused: {event.refusal}")
                if isinstance(event, Accepted):
                    self.count.accepted += 1

    async def read_deliveries(self, goal: int) -> None:
        while self.count.delivered < goal:
            arrived = 0
            for event in await self.events(self.recipient):
                if isinstance(event, Delivered):
                    if event.position != self.count.delivered + 1:
                        raise SystemExit(f"lost, doubled or out of order: {event}")
                    self.count.delivered = event.position
                    arrived += 1
            if not arrived:
                continue
            acknowledge = Request(0, Acknowledge(self.count.delivered))
            await self.recipient.send([self.load.codec.encode_commands([acknowledge])])
            more = min(arrived, goal - self.sent)
            if more > 0:
                await self.send(more)

    async def events(self, link: Link) -> list[Event]:
        return [
            event
            for frame in await link.receive()
            for event in self.load.codec.decode_events(frame)
        ]


def cpu_s(pid: int) -> float:
    """CPU time of a process and its threads so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(load: Load, pairs: int, pid: int) -> None:
    """Warm up, measure, print one line."""
    running = [Pair(load, number) for number in range(pairs)]
    for pair in running:
        await pair.open()
    await asyncio.gather(*(pair.run(load.warm_up // pairs) for pair in running))
    server_before, own_before, began = cpu_s(pid), time.process_time(), time.monotonic()
    each = load.messages // pairs
    await asyncio.gather(*(pair.run(each) for pair in running))
    seconds = time.monotonic() - began
    total = each * pairs
    server_us = (cpu_s(pid) - server_before) / total * 1e6
    own_us = (time.process_time() - own_before) / total * 1e6
    print(
        f"{load.url.partition(':')[0]} {load.codec.name} {pairs}x{load.in_flight}: "
        f"server {server_us:.1f} us CPU a message, {total / seconds:,.0f} messages/s "
        f"(generator {own_us:.1f} us a message)"
    )
    for pair in running:
        for link in (pair.sender, pair.recipient):
            with suppress(LinkClosed):
                await link.close(CloseCode.LINK_LOST, "")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transport", default="tcp")
    parser.add_argument("--codec", default="protobuf")
    parser.add_argument("--store", default="sqlite", choices=["sqlite", "memory"])
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--body-bytes", type=int, default=64)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--server-option", action="append", default=[])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/chat.db" if chosen.store == "sqlite" else "memory:"
        command = [sys.executable, "-m", "chatapp", "serve", "--port", "0"]
        command += ["--transport", chosen.transport, "--store", store]
        command += chosen.server_option
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            ready = server.stdout.readline().split() if server.stdout else []
            if len(ready) != 2:
                raise SystemExit("the server did not start")
            load = Load(
                ready[1],
                codec(chosen.codec),
                "x" * chosen.body_bytes,
                chosen.in_flight,
                chosen.messages // 10,
                chosen.messages,
            )
            try:
                asyncio.run(measure(load, chosen.pairs, server.pid))
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
