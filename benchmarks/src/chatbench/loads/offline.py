"""A mailbox that has filled while its owner was away, drained at login.

Filling it is not measured. The window begins before the recipient connects and ends
when the last message was delivered and its acknowledgement written. How long each has
waited for its recipient is no latency of the server's, so none is told.
"""

from typing import Final

from chatbench.cpu import resident_bytes
from chatbench.loads.control import dial
from chatbench.loads.pairs import Lane, filler
from chatbench.loads.rounds import Round, RoundFailed

_MESSAGES: Final = 10_000
_IN_FLIGHT: Final = 256
_FILL_S: Final = 60.0


async def run(round_: Round) -> None:
    """Fill ``round_.sample``."""
    count = round_.workload.count or _MESSAGES
    control = await dial(round_)
    await control.create("r0")
    control.abort()
    lane = Lane(round_, "r0")
    await _queue(round_, lane, count)

    await round_.wait(round_.workload.warm_up_s)  # what is written behind has an end
    before = round_.read()
    lane.recipient = await round_.open("r0", lane.take_bodies)
    await round_.wait_until(lambda: round_.tally.delivered >= count)
    after = round_.read()
    round_.sample.server_rss_bytes = resident_bytes(round_.order.server_pid)
    await round_.settle()
    round_.tell(before, after)


async def _queue(round_: Round, lane: Lane, count: int) -> None:
    """Have so many messages accepted for a recipient who is not there."""
    text = filler(round_.workload.body_bytes)
    pair_tally = lane.pair_tally
    lane.sender = await round_.open("s0", lane.take_receipts)

    def is_accepted() -> bool:
        room = _IN_FLIGHT - (pair_tally.sent - pair_tally.receipted)
        if (more := min(room, count - pair_tally.sent)) > 0:
            lane.send([text] * more)
        return pair_tally.receipted >= count

    if not await round_.wait_until(is_accepted, within_s=_FILL_S):
        raise RoundFailed("The messages to queue were not accepted in time.")
