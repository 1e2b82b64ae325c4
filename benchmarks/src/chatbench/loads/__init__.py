"""The workloads: each fills the sample of one round.

All but logins, listing and idling are the same loop over lean sessions (``pairs``),
with the same accounts (``tallies``) and the same window (``windows``); they differ
in when the next message is sent.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from chatbench.cells import WorkloadName
from chatbench.loads import idle, listing, logins, offline, rate, replay, throughput
from chatbench.loads.rounds import Round

Load: TypeAlias = Callable[[Round], Awaitable[None]]

LOADS: Final[Mapping[WorkloadName, Load]] = {
    "idle": idle.run,
    "list": listing.run,
    "logins": logins.run,
    "offline": offline.run,
    "rate": rate.run,
    "replay": replay.run,
    "rtt": throughput.run,
    "throughput": throughput.run,
}
"""What runs each workload."""
