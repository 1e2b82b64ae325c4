"""Closed loop: a pair keeps so many messages under way, as fast as they come.

Each delivery is acknowledged and replaced at once, all of a batch in one batch. With
one pair and one message it is the round trip's latency that is measured. A closed loop
waits when the server does, so its latencies are no prediction for users who do not:
that is what ``rate`` is for.
"""

from collections.abc import Callable

from chatbench.loads.pairs import Lane, filler, open_lanes
from chatbench.loads.rounds import Round


async def run(round_: Round) -> None:
    """Fill ``round_.sample``; workloads ``throughput`` and ``rtt``."""
    workload = round_.workload
    lanes = await open_lanes(round_)
    text = filler(workload.body_bytes)
    is_sending = True

    def refill(lane: Lane) -> Callable[[int], None]:
        def send(delivered: int) -> None:
            if is_sending and delivered:
                lane.send([text] * delivered)

        return send

    for lane in lanes:
        lane.on_delivered = refill(lane)
        lane.send([text] * workload.in_flight)
    before, after = await round_.measure()
    is_sending = False
    await round_.settle()
    round_.tell(before, after)
