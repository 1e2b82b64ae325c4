"""A sender and its recipient, each with a session of its own."""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat

from chatbench.loads.rounds import Round, in_turns
from chatbench.loads.tallies import NUMBER_CHARS
from chatbench.wire.base import Arrival, WireSession


class Lane:
    """Messages from one session to another, which acknowledges each batch at once.

    Attributes:
        ledger: the account of its messages.
        on_delivered: told how many were delivered, once they are acknowledged.
    """

    sender: WireSession
    recipient: WireSession

    def __init__(self, round_: Round, to: str) -> None:
        self._to = to
        self.pair_tally = round_.pair_tally()
        self.on_delivered: Callable[[int], None] = _ignore

    def join(self, sender: WireSession, recipient: WireSession) -> None:
        """Use these sessions."""
        self.sender = sender
        self.recipient = recipient

    def send(self, texts: Sequence[str], times_ns: Iterable[int] | None = None) -> None:
        """Send these in one batch; without times, now is when they ought to be sent."""
        at_ns = repeat(time.monotonic_ns()) if times_ns is None else times_ns
        self.sender.send(self._to, self.pair_tally.send(texts, at_ns))

    def take_receipts(self, arrival: Arrival) -> None:
        """What the sender's session got."""
        if arrival.receipts:
            self.pair_tally.take_receipts(arrival.receipts, time.monotonic_ns())

    def take_bodies(self, arrival: Arrival) -> None:
        """What the recipient's session got."""
        if arrival.bodies:
            fresh = self.pair_tally.take(arrival.bodies, time.monotonic_ns())
            self.recipient.acknowledge(arrival.position)
            self.on_delivered(fresh)


def _ignore(_delivered: int) -> None:
    """The default: nothing follows from a delivery."""


async def open_lanes(round_: Round) -> list[Lane]:
    """The workload's pairs: ``s0`` writes to ``r0``, ``s1`` to ``r1`` …

    At an echo a pair is one session, which gets back what it sends.
    """
    lanes = [Lane(round_, f"r{it}") for it in range(round_.workload.pairs)]

    async def open_echo(lane: Lane, number: int) -> None:
        session = await round_.open(f"s{number}", lane.take_bodies)
        lane.join(session, session)

    async def open_pair(lane: Lane, number: int) -> None:
        # The recipient first: who is not there yet cannot be written to.
        recipient = await round_.open(f"r{number}", lane.take_bodies)
        lane.join(await round_.open(f"s{number}", lane.take_receipts), recipient)

    opening = open_echo if round_.contestant.server == "echo" else open_pair
    await in_turns([partial(opening, lane, it) for it, lane in enumerate(lanes)])
    return lanes


def filler(body_bytes: int) -> str:
    """What follows the number in a body of this size."""
    return "x" * (body_bytes - NUMBER_CHARS)
