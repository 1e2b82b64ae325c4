"""Sessions that are open and do nothing: what each costs in memory, and all in CPU.

The server's memory is read before and after they are opened, once a few have warmed it
up. The kernel's part is the growth of its slabs and of TCP's buffers on the whole
machine, in which both ends of each connection are; others may grow meanwhile, so it is
no better than an indication. It needs no privilege.
"""

from functools import partial
from typing import Final

from chatbench.cpu import kernel_bytes, resident_bytes
from chatbench.loads.rounds import Round, in_turns
from chatbench.loads.windows import tell_disturbance
from chatbench.wire.base import Arrival

_SESSIONS: Final = 1_000
_FIRST: Final = 32


async def run(round_: Round) -> None:
    """Fill ``round_.sample``; what it counts are sessions."""
    count = round_.workload.count or _SESSIONS
    pid = round_.order.server_pid
    await _open(round_, "w", _FIRST)
    await round_.wait(round_.workload.warm_up_s)
    server_before, kernel_before = resident_bytes(pid), kernel_bytes()
    await _open(round_, "i", count)
    await round_.wait(round_.workload.warm_up_s)
    server_after, kernel_after = resident_bytes(pid), kernel_bytes()

    before = round_.read(0)
    await round_.wait(round_.workload.measure_s)
    after = round_.read(count)
    elapsed_ns = after.at_ns - before.at_ns
    sample = round_.sample
    sample.messages = count
    sample.seconds = elapsed_ns / 1_000_000_000
    sample.server_rss_bytes = server_after
    sample.generator_core_share = (after.own_ns - before.own_ns) / elapsed_ns
    tell_disturbance(sample, before, after)
    spent_ns = after.server.total_ns - before.server.total_ns
    sample.extras |= {
        "server_bytes_per_session": (server_after - server_before) / count,
        "kernel_bytes_per_session": (kernel_after - kernel_before) / count,
        "server_cpu_share_idle": spent_ns / elapsed_ns,
    }


async def _open(round_: Round, letter: str, count: int) -> None:
    async def open_one(number: int) -> None:
        await round_.open(f"{letter}{number}", _nothing)

    await in_turns([partial(open_one, it) for it in range(count)])


def _nothing(_arrival: Arrival) -> None:
    """An idle session gets nothing."""
