"""Logging in with a password, and resuming by a token: eight connections at once.

Each is counted from its connect on. The figures proper are those of resuming, which is
what a client does whose link was lost; what a password costs is told apart, since it is
the hash and next to nothing else.
"""

import time
from array import array
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from statistics import median
from typing import Final, TypeAlias

from chatbench.cpu import resident_bytes
from chatbench.latencies import encode, histogram_of, percentiles
from chatbench.loads.control import Control, dial
from chatbench.loads.rounds import Round, in_turns
from chatbench.loads.windows import ClockReading, tell_window
from chatcore.commands import Resume

_LOGINS: Final = 16
_RESUMES: Final = 200
_AT_ONCE: Final = 8
_NS: Final = 1_000_000_000

Job: TypeAlias = Callable[[], Awaitable[None]]


class Member:
    """An account and its session, which moves from link to link."""

    control: Control
    token: bytes

    def __init__(self, round_: Round, name: str) -> None:
        self._round = round_
        self._name = name

    async def create(self) -> None:
        """Make the account."""
        control = await dial(self._round)
        await control.create(self._name)
        control.abort()

    async def log_in(self) -> None:
        """Connect and log in."""
        self.control = await dial(self._round)
        answer = await self.control.log_in(self._name, create=False)
        self.token = answer.token

    async def resume(self) -> None:
        """Connect anew and resume; the old link is fenced by that."""
        old, self.control = self.control, await dial(self._round)
        await self.control.ask(Resume(self.token))
        old.abort()


async def run(round_: Round) -> None:
    """Fill ``round_.sample``."""
    members = [Member(round_, f"m{it}") for it in range(_LOGINS)]
    await in_turns([it.create for it in members], at_once=_AT_ONCE)
    await round_.wait(round_.workload.warm_up_s)

    took_ns, before, after = await _timed(round_, [[it.log_in] for it in members])
    spent_ns = after.server.total_ns - before.server.total_ns
    extras = {
        "hashing_logins_per_s": len(took_ns) * _NS / (after.at_ns - before.at_ns),
        "hashing_login_cpu_us": spent_ns / 1_000 / len(took_ns),
        "hashing_login_p50_us": median(took_ns) / 1_000,
    }

    # A member resumes on one connection after the other: none fences another's.
    each = -(-(round_.workload.count or _RESUMES) // _AT_ONCE)
    resuming = [[it.resume] * each for it in members[:_AT_ONCE]]
    took_ns, before, after = await _timed(round_, resuming)
    tell_window(round_.sample, before, after)
    round_.sample.server_rss_bytes = resident_bytes(round_.order.server_pid)
    round_.sample.latency_histogram = encode(histogram_of(took_ns))
    round_.sample.latency_us = percentiles(round_.sample.latency_histogram)
    extras["resume_p50_us"] = median(took_ns) / 1_000
    round_.sample.extras.update(extras)
    for member in members:
        member.control.abort()


async def _timed(
    round_: Round, rows: Iterable[Sequence[Job]]
) -> tuple["array[int]", ClockReading, ClockReading]:
    """Do all of these, eight rows beside each other, each row in its order.

    Tells how long each job took, in nanoseconds, and the clocks around them all.
    """
    took_ns = array("q")

    async def work(row: Sequence[Job]) -> None:
        for job in row:
            began_ns = time.monotonic_ns()
            await job()
            took_ns.append(time.monotonic_ns() - began_ns)

    before = round_.read(0)
    await in_turns([partial(work, row) for row in rows], at_once=_AT_ONCE)
    return took_ns, before, round_.read(len(took_ns))
