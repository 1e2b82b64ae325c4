"""How fast a mailbox that filled while its owner was away is drained at login (TCP).

Run it as ``PYTHONPATH=src python -m benchmarks.drain``: for each store it starts
``chatcore serve``, has four senders fill a mailbox, and logs its owner in. That client
is a bare socket which counts deliveries and acknowledges what each read brought, so
that the server is what is measured. Time runs from before the login is written until
the last delivery is read; CPU is the server's, all threads, with the hash of the login.
"""

import argparse
import asyncio
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from chatbench.cells import Cell, Contestant
from chatbench.contestants import STORES, ChatContestant
from chatbench.cpu import process_time
from chatbench.servers import start_server
from chatbench.wire.base import Arrival
from chatbench.wire.codecs import lean_codec
from chatbench.wire.lean import PASSWORD
from chatbench.wire.sessions import open_session
from chatbench.workloads import offline
from chatcore.commands import Login, Request
from transports.base import parse_address
from transports.codec import codec
from transports.tcp.handshake import WELCOME, greet

_SENDERS: Final = 4
_AT_ONCE: Final = 25
_BODY: Final = "x" * 64
_CODEC: Final = "msgpack"
_MARK: Final = b"\xa9delivered"
"""What each delivery has once: the key of its map, and no body here has it."""
_READ_BYTES: Final = 256 * 1024
_WITHIN_S: Final = 30.0
_NS: Final = 1_000_000_000


class Drain(NamedTuple):
    """One drain."""

    messages: int
    seconds: float
    server_s: float
    reads: int


async def _fill(url: str, contestant: Contestant, name: str, count: int) -> None:
    """Have so many messages accepted for ``name``, who is not there."""
    accepted = 0

    def take(arrival: Arrival) -> None:
        nonlocal accepted
        accepted += arrival.receipts

    owner = await open_session(url, contestant, name, lambda _: None, sys.exit)
    owner.close()
    senders = [
        await open_session(url, contestant, f"{name}-from{it}", take, sys.exit)
        for it in range(_SENDERS)
    ]
    sent = 0
    while sent < count:
        for sender in senders:
            some = min(_AT_ONCE, count - sent)
            sender.send(name, [_BODY] * some)
            sent += some
        async with asyncio.timeout(_WITHIN_S):
            while accepted < sent:  # noqa: ASYNC110  # nothing else is to be done
                await asyncio.sleep(0.001)
    for sender in senders:
        sender.close()


def _log_in(connection: socket.socket, name: str) -> bytes:
    """Greet and log in; what came behind the greeting's answer."""
    login = Login(username=name, password=PASSWORD)
    frame = codec(_CODEC).encode_commands([Request(1, login)])
    connection.sendall(greet(_CODEC) + len(frame).to_bytes(4) + frame)
    received = b""
    while b"\n" not in received:
        received += connection.recv(_READ_BYTES)
    line, _, rest = received.partition(b"\n")
    assert line + b"\n" == WELCOME, line
    return rest


def _frames_of(received: bytearray) -> Iterator[bytes]:
    """Cut off and yield the whole frames."""
    start = 0
    while len(received) >= start + 4:
        end = start + 4 + int.from_bytes(received[start : start + 4])
        if len(received) < end:
            break
        yield bytes(received[start + 4 : end])
        start = end
    del received[:start]


def _drain(url: str, pid: int, name: str, count: int) -> Drain:
    """Log in and take all: positions count from 1, since the mailbox is new."""
    address = parse_address(url)
    acknowledge = lean_codec(_CODEC).acknowledge
    taken = reads = 0
    with socket.create_connection((address.host, address.port)) as connection:
        connection.settimeout(_WITHIN_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        before_ns, began_s = process_time(pid).total_ns, time.perf_counter()
        received = bytearray(_log_in(connection, name))
        while True:
            fresh = sum(frame.count(_MARK) for frame in _frames_of(received))
            if fresh:
                taken += fresh
                frame = acknowledge(taken)
                connection.sendall(len(frame).to_bytes(4) + frame)
            if taken >= count:
                break
            part = connection.recv(_READ_BYTES)
            if not part:
                raise EOFError(bytes(received))
            received += part
            reads += 1
        seconds = time.perf_counter() - began_s
        server_s = (process_time(pid).total_ns - before_ns) / _NS
    return Drain(taken, seconds, server_s, reads)


@contextmanager
def _serving(store: str, loop: str) -> Iterator[tuple[str, int, Contestant]]:
    chat = ChatContestant("tcp", store)
    contestant = chat.plain(_CODEC)
    if loop == "uvloop":
        contestant = Contestant(
            name=contestant.name,
            transport="tcp",
            codec=_CODEC,
            store=store,
            loop="uvloop",
        )
    cell = Cell(contestant=contestant, workload=offline(0))
    with (
        tempfile.TemporaryDirectory() as folder,
        start_server(cell, Path(folder), None) as server,
    ):
        yield server.wait(), server.pid, contestant


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stores", nargs="*", default=STORES)
    parser.add_argument("--loops", nargs="*", default=["asyncio", "uvloop"])
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"Python {sys.version.split()[0]}, {_CODEC}, load before: {load:.1f}")
    print(f"{'':18}{'messages/s':>11}{'best':>9}{'CPU us':>9}{'reads':>7}")
    for store in options.stores:
        for loop in options.loops:
            found: list[Drain] = []
            with _serving(store, loop) as (url, pid, contestant):
                for number in range(options.rounds):
                    name = f"away{number}"
                    asyncio.run(_fill(url, contestant, name, options.messages))
                    found.append(_drain(url, pid, name, options.messages))
            rates = [it.messages / it.seconds for it in found]
            cpu_us = median(it.server_s / it.messages for it in found) * 1_000_000
            reads = median(it.reads for it in found)
            print(
                f"{store + ', ' + loop:18}{median(rates):11,.0f}{max(rates):9,.0f}"
                f"{cpu_us:9.2f}{reads:7.0f}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
