"""All accounts of a store, listed by one client, again and again.

The store is prepared beforehand: accounts that nobody can log in to, put straight
through the store's port. Each list is checked: every account once, by code point.
"""

import asyncio
import time
from itertools import pairwise
from statistics import median
from typing import Final

from chatbench.cpu import resident_bytes
from chatbench.loads.control import Control, dial
from chatbench.loads.rounds import Round, RoundFailed
from chatbench.loads.windows import tell_window
from chatcore.commands import List
from chatcore.events import Listed
from chatcore.ids import NO_KEY, PasswordHash, Username
from chatstores import open_store

_LISTER: Final = "lister"
_ACCOUNTS: Final = 100_000
_AT_ONCE: Final = 1_000
_NOBODYS: Final = PasswordHash("no password has this hash")


def prepare_accounts(store_url: str, count: int) -> None:
    """Put accounts ``user000000`` and so on into a store, which is closed afterwards.

    It runs an event loop of its own.

    Raises:
        chatstores.errors.OpeningError: the store cannot be opened.
    """
    asyncio.run(_prepare(store_url, count))


async def _prepare(store_url: str, count: int) -> None:
    at_ms = time.time_ns() // 1_000_000
    async with open_store(store_url) as store:
        for first in range(0, count, _AT_ONCE):
            async with asyncio.TaskGroup() as tasks:
                for number in range(first, min(first + _AT_ONCE, count)):
                    name = Username(f"user{number:06d}")
                    tasks.create_task(
                        store.create_account(name, _NOBODYS, key=NO_KEY, at_ms=at_ms)
                    )


async def run(round_: Round) -> None:
    """Fill ``round_.sample``; what it counts are entries.

    It lists for ``measure_s``, and at least once.
    """
    expected = (round_.workload.count or _ACCOUNTS) + 1  # and the one who lists
    control = await dial(round_)
    await control.log_in(_LISTER, create=True)
    await round_.wait(round_.workload.warm_up_s)
    first_pages_us: list[float] = []
    before = round_.read(0)
    ends_s = time.monotonic() + round_.workload.measure_s
    listed = 0
    while not listed or time.monotonic() < ends_s:
        listed += await _list_all(control, expected, first_pages_us)
    after = round_.read(listed)
    tell_window(round_.sample, before, after)
    round_.sample.server_rss_bytes = resident_bytes(round_.order.server_pid)
    round_.sample.extras["first_page_us"] = median(first_pages_us)
    control.abort()


async def _list_all(
    control: Control, expected: int, first_pages_us: list[float]
) -> int:
    """How many accounts there are.

    Raises:
        RoundFailed: not all, or not in order.
    """
    began_ns = time.monotonic_ns()
    count = 0
    last = ""
    async for event in control.answers(List()):
        if not isinstance(event, Listed):
            continue  # it has started
        if not count:
            first_pages_us.append((time.monotonic_ns() - began_ns) / 1_000)
        names = (last, *event.names)
        if any(name >= after for name, after in pairwise(names)):
            raise RoundFailed("The list is not in the order of code points.")
        count += len(event.names)
        last = names[-1]
        if event.complete:
            break
    if count != expected:
        raise RoundFailed(f"The list has {count} of {expected} accounts.")
    return count
