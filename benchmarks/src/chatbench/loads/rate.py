"""Open loop: messages are due at fixed times, whether or not the server keeps up.

Latency counts from when a message was due, not from when it was sent: a server that
stalls is charged for all that had to wait meanwhile, as its users would be. (Gil Tene,
"How not to measure latency", calls the other way coordinated omission; wrk2 counts as
we do.) How late the generator itself was is told beside, as ``schedule_lag_us``: that
part of a latency is not the server's.
"""

import time
from array import array
from typing import Final

from chatbench.loads.pairs import Lane, filler, open_lanes
from chatbench.loads.rounds import Round, RoundFailed
from chatbench.timers import PreciseTimer

_NS: Final = 1_000_000_000
_SHORTEST_TICK_NS: Final = 100_000
"""Above 10,000 messages a second those of 0.1 ms are sent together."""
_LAG_PERCENTILE: Final = 0.99


class Schedule:
    """Sends message i at ``first_ns + i * interval``, round robin over the lanes.

    Attributes:
        lags_ns: how late each was sent.
        is_over: that nothing more is sent.
    """

    def __init__(self, lanes: list[Lane], text: str, rate_per_s: float) -> None:
        self._lanes = lanes
        self._text = text
        self._interval_ns = _NS / rate_per_s
        self._first_ns = 0
        self._sent = 0
        self._timer = PreciseTimer(self._send_due)
        self.lags_ns = array("q")
        self.is_over = False

    def start(self) -> None:
        """The first message is due in a millisecond."""
        each = max(1.0, -(-_SHORTEST_TICK_NS // self._interval_ns))
        self._first_ns = time.monotonic_ns() + 1_000_000
        self._timer.every(round(self._interval_ns * each), first_ns=self._first_ns)

    def stop(self) -> None:
        """Send no more."""
        self.is_over = True
        self._timer.close()

    def _due_ns(self, number: int) -> int:
        return self._first_ns + round(number * self._interval_ns)

    def _send_due(self) -> None:
        """Send all that is due by now, a batch for each lane that has some."""
        now_ns = time.monotonic_ns()
        batches: dict[int, list[int]] = {}
        while (due_ns := self._due_ns(self._sent)) <= now_ns:
            batches.setdefault(self._sent % len(self._lanes), []).append(due_ns)
            self._sent += 1
            self.lags_ns.append(now_ns - due_ns)
        for lane, times_ns in batches.items():
            self._lanes[lane].send([self._text] * len(times_ns), times_ns)


async def run(round_: Round) -> None:
    """Fill ``round_.sample``; a server that cannot keep up has a backlog at the end.

    That is no fault as long as all comes in the end; a mailbox that overflows is one.
    """
    workload = round_.workload
    if not workload.rate_per_s:
        raise RoundFailed("An open loop needs a rate.")
    lanes = await open_lanes(round_)
    schedule = Schedule(lanes, filler(workload.body_bytes), workload.rate_per_s)
    try:
        schedule.start()
        before, after = await round_.measure()
    finally:
        schedule.stop()
    backlog = sum(lane.pair_tally.missing for lane in lanes)
    await round_.settle()
    round_.tell(before, after)
    round_.sample.extras["backlog_at_end"] = backlog
    if not round_.order.counts_wire:
        lags = sorted(schedule.lags_ns)
        round_.sample.schedule_lag_us = lags[int(len(lags) * _LAG_PERCENTILE)] / 1_000
