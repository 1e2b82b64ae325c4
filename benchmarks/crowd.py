"""Many sessions on one server over TCP, and messages between random ones of them.

Run it as ``PYTHONPATH=src python -m benchmarks.crowd``: it starts ``chatcore serve``,
logs sessions in, and all the while, and for some time after, has random ones of them
send to random others at a steady rate. It holds them for longer than a silent peer is
left alone, so that each is pinged and answers. Each end of a link is a file for its
process: ``ulimit -Hn`` has to be above their number, and some.

Told are errors (refusals, lost links), messages that did not come, how long they took,
from when they were sent until they were delivered, and what the server held. The load
is one process beside the server: its own delays are in the figures.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Final

from chatbench.cells import Cell, Contestant
from chatbench.contestants import ChatContestant
from chatbench.cpu import process_time, resident_bytes
from chatbench.loads.rounds import in_turns
from chatbench.servers import start_server
from chatbench.wire.base import Arrival
from chatbench.wire.sessions import CannotOpen, LoadSession, open_session
from chatbench.workloads import idle
from chatsystem.process import allow_many_sockets

_KIB: Final = 1024
_MIB: Final = 1024 * 1024
_FIRST: Final = 100
_LAST_WORDS_S: Final = 10.0
_NUMBER_CHARS: Final = 10
_FILLER: Final = "x" * 54
_NS: Final = 1_000_000_000


class Crowd:
    """The sessions, and the messages under way."""

    def __init__(self, url: str, contestant: Contestant, rate_per_s: float) -> None:
        self._url = url
        self._contestant = contestant
        self._interval_s = 1 / rate_per_s
        self._lots = random.Random(0)
        self._sent_s: dict[int, float] = {}
        self._next = 0
        self._names: list[str] = []
        self.sessions: dict[str, LoadSession] = {}
        self.errors: list[str] = []
        self.took_s: list[float] = []
        self.receipts = 0

    @property
    def sent(self) -> int:
        return self._next

    @property
    def missing(self) -> int:
        return len(self._sent_s)

    async def open_to(self, count: int) -> None:
        """Have so many sessions, some dozens being opened at a time."""
        first = len(self._names)
        await in_turns([partial(self._open, f"c{it}") for it in range(first, count)])

    async def _open(self, name: str) -> None:
        try:
            session = await open_session(
                self._url,
                self._contestant,
                name,
                partial(self._take, name),
                self.errors.append,
            )
        except CannotOpen as error:
            self.errors.append(str(error))
            return
        self.sessions[name] = session
        self._names.append(name)

    def _take(self, name: str, arrival: Arrival) -> None:
        self.receipts += arrival.receipts
        if not arrival.bodies:
            return
        now_s = time.monotonic()
        for body in arrival.bodies:
            sent_s = self._sent_s.pop(int(body[:_NUMBER_CHARS]), None)
            if sent_s is None:
                self.errors.append(f"{body} was delivered twice")
            else:
                self.took_s.append(now_s - sent_s)
        self.sessions[name].acknowledge(arrival.position)

    async def talk(self) -> None:
        """Send what is due, until cancelled."""
        due_s = time.monotonic()
        while True:
            while due_s <= time.monotonic():
                sender, recipient = self._lots.choices(self._names, k=2)
                number, self._next = self._next, self._next + 1
                self._sent_s[number] = time.monotonic()
                self.sessions[sender].send(
                    recipient, [f"{number:0{_NUMBER_CHARS}}{_FILLER}"]
                )
                due_s += self._interval_s
            await asyncio.sleep(self._interval_s)

    def close(self) -> None:
        for session in self.sessions.values():
            session.close()


def _tell(phase: str, crowd: Crowd, seconds: float, cpu_s: float) -> None:
    """One line, and begin anew."""
    took_ms = sorted(it * 1000 for it in crowd.took_s) or [0.0]
    p99 = took_ms[int(len(took_ms) * 0.99)]
    print(
        f"{phase}: {seconds:.0f} s, server {100 * cpu_s / seconds:.0f} % of a core; "
        f"{len(crowd.took_s)} messages: median {took_ms[len(took_ms) // 2]:.1f} ms, "
        f"p99 {p99:.0f} ms, worst {took_ms[-1]:.0f} ms; errors: {len(crowd.errors)}",
        flush=True,
    )
    crowd.took_s.clear()


async def _run(
    url: str, contestant: Contestant, pid: int, wanted: argparse.Namespace
) -> int:
    crowd = Crowd(url, contestant, wanted.rate)
    await crowd.open_to(_FIRST)
    before = resident_bytes(pid)
    talking = asyncio.get_running_loop().create_task(crowd.talk())
    for phase, work in (
        ("opening", crowd.open_to(wanted.sessions)),
        ("holding", asyncio.sleep(wanted.hold)),
    ):
        cpu_ns, began_s = process_time(pid).total_ns, time.monotonic()
        await work
        cpu_s = (process_time(pid).total_ns - cpu_ns) / _NS
        _tell(phase, crowd, time.monotonic() - began_s, cpu_s)
    talking.cancel()
    await asyncio.wait([talking])
    deadline_s = time.monotonic() + _LAST_WORDS_S
    while crowd.missing and time.monotonic() < deadline_s:  # noqa: ASYNC110  # simple
        await asyncio.sleep(0.1)
    held = resident_bytes(pid)
    each_kib = (held - before) / (len(crowd.sessions) - _FIRST) / _KIB
    print(
        f"{len(crowd.sessions)} sessions; the server holds {held / _MIB:.0f} MiB, "
        f"{each_kib:.1f} KiB a session; {crowd.sent} messages sent, "
        f"{crowd.receipts} accepted, {crowd.missing} never delivered; "
        f"errors: {len(crowd.errors)}"
    )
    for error in crowd.errors[:5]:
        print(f"  {error}")
    is_whole = len(crowd.sessions) == wanted.sessions and not crowd.missing
    crowd.close()
    return 0 if is_whole and not crowd.errors else 1


def main() -> int:
    """Run it; 1 when something was refused, lost or not delivered."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sessions", type=int, default=15_000)
    parser.add_argument("--rate", type=float, default=200.0, help="messages a second")
    parser.add_argument("--hold", type=float, default=45.0, help="seconds")
    parser.add_argument("--store", default="sqlite")
    parser.add_argument("--loop", default="asyncio", choices=["asyncio", "uvloop"])
    wanted = parser.parse_args()
    allow_many_sockets()
    chat = ChatContestant("tcp", wanted.store)
    contestant = chat.uvloop() if wanted.loop == "uvloop" else chat.plain()
    cell = Cell(contestant=contestant, workload=idle(wanted.sessions))
    load = os.getloadavg()[0]
    print(
        f"Python {sys.version.split()[0]}, {contestant.name}, load before: {load:.1f}"
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        start_server(cell, Path(folder), None) as server,
    ):
        running = _run(server.wait(), contestant, server.pid, wanted)
        return asyncio.run(running)


if __name__ == "__main__":
    sys.exit(main())
