"""One round as its load sees it: the order, the sessions, what fails, what is counted.

Sessions count by callbacks while the round's own coroutine waits. Whatever fails, a
refusal, a lost link or something in the accounts, ends that wait with ``RoundFailed``.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Final

from chatbench.cells import Contestant, Order, Workload
from chatbench.cpu import resident_bytes
from chatbench.loads.tallies import PairTally, RoundTally
from chatbench.loads.windows import (
    ClockReading,
    read_clocks,
    tell_latencies,
    tell_window,
    tell_wire,
)
from chatbench.relay import Relay
from chatbench.samples import Sample
from chatbench.wire.base import OnArrival, WireSession
from chatbench.wire.sessions import open_session

DRAIN_S: Final = 10.0
"""How long what is under way at the end may take to come."""
_QUIET_S: Final = 5.0
"""Or how long nothing at all comes, before the rest is taken for lost."""
_QUIET_WITH_GAPS_S: Final = 0.5
"""The same where messages were overtaken: on a stream those do not come any more."""
_LOOK_AGAIN_S: Final = 0.002
AT_ONCE: Final = 32


class RoundFailed(Exception):
    """The round gives no figures; the text is a sentence that says why."""


class Round:
    """See the module.

    Attributes:
        url: the server, or the relay in front of it.
        sample: what the round will have given.
        tally: what its ledgers count together.
    """

    def __init__(self, order: Order, relay: Relay | None = None) -> None:
        self.order = order
        self.relay = relay
        self.url = order.url if relay is None else relay.url
        self.tally = RoundTally()
        self.sample = Sample(
            contestant=order.cell.contestant.name,
            workload=order.cell.workload.label,
            round=order.round,
        )
        self._pair_tallies: list[PairTally] = []
        self._sessions: list[WireSession] = []
        self._failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def contestant(self) -> Contestant:
        """Whom the round is for."""
        return self.order.cell.contestant

    @property
    def workload(self) -> Workload:
        """The load with its numbers."""
        return self.order.cell.workload

    # ---- sessions and ledgers

    async def open(self, username: str, on_arrival: OnArrival) -> WireSession:
        """A session that is logged in; it is closed with the round.

        Raises what ``open_session`` does.
        """
        opening: Callable[..., Awaitable[WireSession]] = open_session
        if self.contestant.server == "peer":
            # Imported here as in ``wire.sessions``: others' protocols take long.
            from chatbench.peers.sessions import open_peer_session  # noqa: PLC0415

            opening = open_peer_session
        session = await opening(
            self.url, self.contestant, username, on_arrival, self.fail
        )
        self._sessions.append(session)
        return session

    def pair_tally(self) -> PairTally:
        """A new ledger, which is settled with the round."""
        pair_tally = PairTally(self.tally, self.fail)
        self._pair_tallies.append(pair_tally)
        return pair_tally

    def close(self) -> None:
        """Drop all links."""
        for session in self._sessions:
            session.close()

    # ---- waiting

    def fail(self, sentence: str) -> None:
        """The round has failed; only the first reason counts."""
        if not self._failed.done():
            self._failed.set_result(sentence)

    async def wait(self, seconds: float) -> None:
        """Let the load run.

        Raises:
            RoundFailed: something failed before or meanwhile.
        """
        await asyncio.wait([self._failed], timeout=seconds)
        if self._failed.done():
            raise RoundFailed(self._failed.result())

    async def wait_until(
        self, is_done: Callable[[], bool], *, within_s: float = DRAIN_S
    ) -> bool:
        """Let the load run until something holds; False if it does not come to that.

        It is given up after ``within_s``, or when nothing comes any more.

        Raises:
            RoundFailed: something failed before or meanwhile.
        """
        began_s = moved_s = time.monotonic()
        seen = self._progress()
        while not is_done():
            await self.wait(_LOOK_AGAIN_S)
            now_s = time.monotonic()
            if self._progress() != seen:
                seen, moved_s = self._progress(), now_s
            has_gap = any(it.has_gap for it in self._pair_tallies)
            quiet_s = _QUIET_WITH_GAPS_S if has_gap else _QUIET_S
            if now_s - began_s > within_s or now_s - moved_s > quiet_s:
                return is_done()
        return True

    def _progress(self) -> tuple[int, int]:
        return self.tally.delivered, sum(it.receipted for it in self._pair_tallies)

    # ---- measuring

    def read(self, messages: int | None = None) -> ClockReading:
        """All counters now; ``messages`` if other than deliveries are counted."""
        reading = read_clocks(
            self.order.server_pid,
            self.tally.delivered if messages is None else messages,
        )
        return replace(
            reading,
            frames_out=sum(it.frames_out for it in self._sessions),
            frames_in=sum(it.frames_in for it in self._sessions),
            bytes_up=self.relay.bytes_up if self.relay else 0,
            bytes_down=self.relay.bytes_down if self.relay else 0,
        )

    async def measure(self) -> tuple[ClockReading, ClockReading]:
        """Warm up, and then read all counters before and after the measured window.

        Raises:
            CannotMeasure: the server is gone.
            RoundFailed: something failed meanwhile.
        """
        await self.wait(self.workload.warm_up_s)
        before = self.read()
        self.tally.since_ns = before.at_ns
        await self.wait(self.workload.measure_s)
        after = self.read()
        self.tally.until_ns = after.at_ns
        self.sample.server_rss_bytes = resident_bytes(self.order.server_pid)
        return before, after

    async def settle(self) -> None:
        """Wait for what is under way, and count what has become of every message.

        Raises:
            RoundFailed: something failed, or receipts are missing in the end.
        """
        pair_tallies = self._pair_tallies
        # An echo has no receipts, and a peer may have one for several messages.
        has_receipts = self.contestant.server == "chat"

        def is_settled() -> bool:
            return not any(
                it.missing or (has_receipts and it.receipted < it.sent)
                for it in pair_tallies
            )

        await self.wait_until(is_settled)
        # What comes too often comes right behind.
        await self.wait(_LOOK_AGAIN_S)
        self.sample.lost = sum(it.missing for it in pair_tallies)
        self.sample.duplicated = sum(it.duplicated for it in pair_tallies)
        self.sample.out_of_order = sum(it.out_of_order for it in pair_tallies)
        owed = sum(it.sent - it.receipted for it in pair_tallies)
        if has_receipts and owed and not self.sample.lost:
            raise RoundFailed(f"{owed} messages were delivered and had no receipt.")

    def tell(self, before: ClockReading, after: ClockReading) -> None:
        """Fill the sample; a round that counts the wire tells no times.

        Raises:
            CannotMeasure: nothing was delivered in the window.
        """
        if self.order.counts_wire:
            tell_wire(self.sample, before, after)
            return
        tell_window(self.sample, before, after)
        tell_latencies(self.sample, self.tally)


async def in_turns(
    jobs: Iterable[Callable[[], Awaitable[None]]], *, at_once: int = AT_ONCE
) -> None:
    """Do all of these, so many at a time."""
    waiting = iter(jobs)

    async def work() -> None:
        for job in waiting:
            await job()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(at_once):
            tasks.create_task(work())
