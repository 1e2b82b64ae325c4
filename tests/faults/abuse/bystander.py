"""Somebody who has done nothing: sends to itself, one message at a time, and measures.

    python -m tests.faults bystander URL TRANSPORT [CA]

It says ``ready`` once it is logged in, goes on until its input ends, and then prints
what it saw as a line of JSON.
"""

import asyncio
import gc
import os
import sys
import time
from typing import Final

import msgspec
from msgspec import Struct, field

from chatbench.cells import Contestant
from chatbench.wire.base import Arrival
from chatbench.wire.connection import CannotOpen
from chatbench.wire.sessions import open_session

NAME: Final = "bystander"
_PAUSE_S: Final = 0.02
_LAST_S: Final = 8.0
"""How long the last message may take, after the input has ended."""
_MORE_S: Final = 0.3
"""How long to look for a message that comes twice."""


class Seen(Struct, kw_only=True):
    """What it saw.

    Attributes:
        began_s: when each message was sent, by the machine's monotonic clock.
        receipt_s: how long each receipt took.
        delivery_s: how long each delivery took.
        waiting_s: how long the last message has waited, if it has not come back.
        faults: what was lost, doubled, out of order or refused, a sentence each.
    """

    began_s: list[float] = field(default_factory=list)
    receipt_s: list[float] = field(default_factory=list)
    delivery_s: list[float] = field(default_factory=list)
    waiting_s: float = 0.0
    faults: list[str] = field(default_factory=list)

    def worst_s(self, from_s: float, to_s: float) -> float:
        """The longest round trip of what was under way between two moments."""
        trips = zip(self.began_s, self.receipt_s, self.delivery_s, strict=True)
        return max(
            [
                trip_s
                for began_s, *both in trips
                if began_s < to_s and began_s + (trip_s := max(both)) > from_s
            ],
            default=0.0,
        )


class _Bystander:
    def __init__(self) -> None:
        self.seen = Seen()
        self._receipt_s = 0.0
        self._delivery_s = 0.0
        self._expected = ""
        self._arrived = asyncio.Event()
        self._stopped = asyncio.Event()

    def on_arrival(self, arrival: Arrival) -> None:
        now_s = time.monotonic()
        if arrival.receipts:
            self._receipt_s = now_s
        for body in arrival.bodies:
            if body != self._expected or self._delivery_s:
                sentence = f"{body!r} came, and {self._expected!r} was expected."
                self.seen.faults.append(sentence)
            self._delivery_s = now_s
        if arrival.bodies:
            self._session.acknowledge(arrival.position)
        if self._receipt_s and self._delivery_s:
            self._arrived.set()

    def on_fault(self, sentence: str) -> None:
        self.seen.faults.append(sentence)
        self._stopped.set()
        self._arrived.set()

    async def run(self, url: str, transport: str) -> None:
        contestant = Contestant(
            name="bystander", transport=transport, codec="protobuf", store="sqlite"
        )
        self._session = await open_session(
            url, contestant, NAME, self.on_arrival, self.on_fault
        )
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(asyncio.to_thread(sys.stdin.read))
            watching.add_done_callback(lambda _: self._stopped.set())
            number = 0
            while not self._stopped.is_set():
                number += 1
                if not await self._one(f"message {number}"):
                    break
                await asyncio.sleep(_PAUSE_S)
            self._expected = "nothing"
            await asyncio.sleep(_MORE_S)
        self._session.close()

    async def _one(self, body: str) -> bool:
        """Whether it came back; waits as long as it takes, but for the last one."""
        self._receipt_s = self._delivery_s = 0.0
        self._expected = body
        self._arrived.clear()
        began_s = time.monotonic()
        self._session.send(NAME, [body])
        while not self._arrived.is_set():
            try:
                async with asyncio.timeout(_LAST_S if self._stopped.is_set() else 0.5):
                    await self._arrived.wait()
            except TimeoutError:
                if self._stopped.is_set() and time.monotonic() - began_s > _LAST_S:
                    break
        seen = self.seen
        if not self._receipt_s or not self._delivery_s:
            seen.waiting_s = time.monotonic() - began_s
            missing = "delivery" if self._receipt_s else "receipt"
            waited = f"after {seen.waiting_s:.0f} s"
            seen.faults.append(f"{body!r} has no {missing} {waited}.")
            return False
        seen.began_s.append(began_s)
        seen.receipt_s.append(self._receipt_s - began_s)
        seen.delivery_s.append(self._delivery_s - began_s)
        return True


def main(url: str, transport: str, ca: str) -> int:
    """Run it until the input ends; the exit status."""
    if ca:
        os.environ["SSL_CERT_FILE"] = ca  # whom the wires then trust
    gc.disable()
    one = _Bystander()
    try:
        asyncio.run(one.run(url, transport))
    except CannotOpen as refused:
        one.seen.faults.append(str(refused))
    sys.stdout.write(msgspec.json.encode(one.seen).decode() + "\n")
    return 0
