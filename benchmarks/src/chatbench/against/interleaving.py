"""The load generator by turns: ``python -m chatbench.against.interleaving``.

It loads as ``throughput`` does, a closed loop, but a server's turn ends with a number
of messages, the same for all: so what they have stored is the same at any time. A turn
is as short as can be, since what others do to the machine comes and goes in some
milliseconds. It begins and ends with nothing under way: only then are clocks read.

Some turns of each server together are a round, which gives a sample of each. Its CPU is
all that the server used from the round's start to its end, between its turns too.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from random import Random
from typing import Final

from msgspec import Struct

from chatbench.cells import Order
from chatbench.generator import answer, fault_of
from chatbench.loads.pairs import Lane, filler, open_lanes
from chatbench.loads.rounds import Round, RoundFailed
from chatbench.loads.windows import ClockReading
from chatbench.samples import Sample

_WARM_UP: Final = 512
"""Messages to each server, twice, before anything is measured; the second time tells
how many make a turn."""
_WAVES: Final = 2
"""A turn has at least so often what may be under way: one wave alone is no loop."""
_NS: Final = 1_000_000_000
_NS_PER_US: Final = 1_000


class Block(Struct, frozen=True, kw_only=True):
    """What the runner asks for: the same cell on several servers, by turns.

    Attributes:
        orders: one for each server; their ``round`` is the first of the block.
        rounds: how many there are.
        measure_s: how long they take together.
        turn_s: about how long a turn of the slowest takes.
    """

    orders: tuple[Order, ...]
    rounds: int
    measure_s: float
    turn_s: float


class Loaded:
    """One server of a block, with its sessions.

    Attributes:
        seconds: how long its turns took so far, each from the first send to the last
            delivery.
    """

    def __init__(self, order: Order) -> None:
        self.round = Round(order)
        self.seconds = 0.0
        self._lanes: list[Lane] = []
        self._left = 0
        self._last_ns = 0
        self._text = filler(order.cell.workload.body_bytes)

    async def open(self) -> None:
        """Log all sessions in."""
        self._lanes = await open_lanes(self.round)
        for lane in self._lanes:
            lane.on_delivered = self._refilling(lane)

    def _refilling(self, lane: Lane) -> Callable[[int], None]:
        def refill(delivered: int) -> None:
            self._last_ns = time.monotonic_ns()
            self._send(lane, delivered)

        return refill

    def _send(self, lane: Lane, wanted: int) -> None:
        count = min(wanted, self._left)
        if count:
            self._left -= count
            lane.send([self._text] * count)

    async def warm_up(self) -> None:
        """As ``take_turn``; ``seconds`` are then those of ``_WARM_UP`` messages."""
        await self.take_turn(_WARM_UP)
        self.seconds = 0.0
        await self.take_turn(_WARM_UP)

    async def take_turn(self, messages: int) -> None:
        """Send so many, and see all of them through.

        Raises:
            RoundFailed: something failed, or not all of them came as they should.
        """
        self._left = messages
        began_ns = time.monotonic_ns()
        for lane in self._lanes:
            self._send(lane, self.round.workload.in_flight)
        await self.round.settle()
        if not self.round.sample.is_valid:
            raise RoundFailed("Not every message came once and in order.")
        self.seconds += (self._last_ns - began_ns) / _NS


class Interleaving:
    """A block while it runs; ``samples`` has what it gave so far."""

    def __init__(self, block: Block) -> None:
        self.samples: list[Sample] = []
        self._block = block
        self._servers = [Loaded(it) for it in block.orders]
        self._draw = Random(block.orders[0].seed)  # noqa: S311  # an order, no secret

    async def run(self) -> None:
        """All of it; what makes a server fail ends it, as the last sample's fault."""
        with ExitStack() as opened:
            for it in self._servers:
                opened.callback(it.round.close)
            # At once: on a busy machine three servers get more of it than one.
            opening = [self._has_done(it, it.open()) for it in self._servers]
            if not all(await asyncio.gather(*opening)):
                return
            for it in self._servers:
                if not await self._has_done(it, it.warm_up()):
                    return
            slowest_s = max(it.seconds for it in self._servers) / _WARM_UP
            workload = self._block.orders[0].cell.workload
            least = _WAVES * workload.pairs * workload.in_flight
            messages = max(least, round(self._block.turn_s / slowest_s))
            began_s = time.monotonic()
            for number in range(1, self._block.rounds + 1):
                share = number / self._block.rounds
                until_s = began_s + share * self._block.measure_s
                if not await self._has_run(number - 1, until_s, messages):
                    return

    async def _has_run(self, number: int, until_s: float, messages: int) -> bool:
        """One round; whether nothing failed."""
        seconds = [it.seconds for it in self._servers]
        before = [it.round.read() for it in self._servers]
        is_over = False
        while not is_over:
            for it in self._draw.sample(self._servers, len(self._servers)):
                if not await self._has_done(it, it.take_turn(messages)):
                    return False
            is_over = time.monotonic() >= until_s
        after = [it.round.read() for it in self._servers]
        samples = [
            _told(it, number, it.seconds - earlier, first, last)
            for it, earlier, first, last in zip(
                self._servers, seconds, before, after, strict=True
            )
        ]
        _tell_disturbance(samples, before, after)
        self.samples += samples
        return True

    async def _has_done(self, server: Loaded, step: Awaitable[None]) -> bool:
        try:
            await step
        except Exception as error:  # noqa: BLE001  # a round that fails is a result
            server.round.sample.fault = fault_of(error)
            self.samples.append(server.round.sample)
            return False
        return True


async def run_block(block: Block) -> list[Sample]:
    """A sample for each server and round, and the one that failed last."""
    turns = Interleaving(block)
    await turns.run()
    return turns.samples


def _told(
    server: Loaded,
    number: int,
    seconds: float,
    before: ClockReading,
    after: ClockReading,
) -> Sample:
    """What the counters say of one server's round."""
    sample = server.round.sample
    messages = after.messages - before.messages
    used_ns = after.server.total_ns - before.server.total_ns
    return Sample(
        contestant=sample.contestant,
        workload=sample.workload,
        round=sample.round + number,
        messages=messages,
        seconds=seconds,
        throughput_per_s=messages / seconds,
        server_cpu_us_per_message=used_ns / _NS_PER_US / messages,
    )


def _tell_disturbance(
    samples: Sequence[Sample],
    before: Sequence[ClockReading],
    after: Sequence[ClockReading],
) -> None:
    """How much of the machine was neither for the servers nor for their load."""
    first, last = before[0], after[-1]
    cores_s = last.machine.total_s - first.machine.total_s
    if cores_s <= 0:
        return  # less than a tick
    used_ns = last.own_ns - first.own_ns
    used_ns += sum(it.server.total_ns for it in after)
    used_ns -= sum(it.server.total_ns for it in before)
    busy_s = last.machine.busy_s - first.machine.busy_s
    for sample in samples:
        stolen_s = last.machine.stolen_s - first.machine.stolen_s
        sample.stolen_share = stolen_s / cores_s
        sample.others_share = max(busy_s - used_ns / _NS, 0.0) / cores_s


if __name__ == "__main__":
    sys.exit(answer(Block, run_block))
