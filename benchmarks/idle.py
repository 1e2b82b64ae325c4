"""What a session that does nothing costs the server in memory, by transport.

Run it as ``PYTHONPATH=src python -m benchmarks.idle``: it starts ``chatcore serve`` for
each row, logs sessions in, and tells by how much the server's resident memory grew from
the first so many to the last. What the kernel has for each socket is not counted, nor
are accounts: those are in the store, which is SQLite (``--store memory`` adds them).
``--chatted`` has each session get a message and acknowledge it before it falls idle.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from chatbench.cells import Cell, Contestant, Loop
from chatbench.contestants import TRANSPORTS, ChatContestant
from chatbench.cpu import resident_bytes
from chatbench.servers import start_server
from chatbench.wire.base import Arrival
from chatbench.wire.sessions import LoadSession, open_session
from chatbench.workloads import idle
from chatsystem.process import allow_many_sockets

_KIB: Final = 1024
_AIMS: Final = {"tcp": 6.0, "websocket": 16.0, "grpc": 40.0}
_SETTLE_S: Final = 1.0
_WITHIN_S: Final = 60.0


async def _grow(
    url: str,
    contestant: Contestant,
    pid: int,
    counts: tuple[int, int],
    *,
    chatted: bool,
) -> float:
    """KiB of the server's for each session after the first ones."""
    sessions: list[LoadSession] = []
    taken = 0

    def take(number: int, arrival: Arrival) -> None:
        nonlocal taken
        if arrival.bodies:
            sessions[number].acknowledge(arrival.position)
            taken += len(arrival.bodies)

    async def open_to(count: int) -> None:
        first = len(sessions)

        async def open_one(number: int) -> None:
            name, on_arrival = f"idle{number}", partial(take, number)
            sessions.append(
                await open_session(url, contestant, name, on_arrival, sys.exit)
            )

        for number in range(first, count):
            await open_one(number)
            if chatted:
                sessions[number].send(f"idle{number}", ["hello"])
                await _until(lambda: taken > number)  # noqa: B023  # called at once

    found: list[int] = []
    for count in counts:
        await open_to(count)
        await asyncio.sleep(_SETTLE_S)
        found.append(resident_bytes(pid))
    for session in sessions:
        session.close()
    return (found[1] - found[0]) / (counts[1] - counts[0]) / _KIB


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(_WITHIN_S):
        while not is_so():  # noqa: ASYNC110  # it may take as long as it takes
            await asyncio.sleep(0)


def measure(
    chat: ChatContestant, loop: Loop, counts: tuple[int, int], *, chatted: bool
) -> float:
    """KiB a session of one transport, on a server of its own."""
    contestant = chat.uvloop() if loop == "uvloop" else chat.plain()
    cell = Cell(contestant=contestant, workload=idle(counts[1]))
    with (
        tempfile.TemporaryDirectory() as folder,
        start_server(cell, Path(folder), None) as server,
    ):
        growing = _grow(server.wait(), contestant, server.pid, counts, chatted=chatted)
        return asyncio.run(growing)


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("transports", nargs="*", help="rows; all if absent")
    parser.add_argument("--from", type=int, default=1_000, dest="first")
    parser.add_argument("--to", type=int, default=3_000, dest="last")
    parser.add_argument("--store", default="sqlite", help="memory has accounts too")
    parser.add_argument("--loops", nargs="*", default=["asyncio", "uvloop"])
    parser.add_argument("--chatted", action="store_true")
    options = parser.parse_args()
    allow_many_sockets()
    load = os.getloadavg()[0]
    print(f"Python {sys.version.split()[0]}, load before: {load:.1f}")
    columns = "".join(f"{it:>10}" for it in (*options.loops, "at most"))
    print(f"{'KiB a session':16}{columns}")
    for transport in options.transports or TRANSPORTS:
        figures = [
            measure(
                ChatContestant(transport, options.store),
                it,
                (options.first, options.last),
                chatted=options.chatted,
            )
            for it in options.loops
        ]
        row = "".join(f"{it:10.1f}" for it in figures)
        print(f"{transport:16}{row}{_AIMS[transport]:10.0f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
