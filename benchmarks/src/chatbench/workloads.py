"""Workloads by the convention for their labels, and how long a round of each takes.

How long it takes is for the time left that is shown, and for the plans' lengths; what
was measured in a run replaces it there.
"""

from typing import Final

from msgspec.structs import replace

from chatbench.cells import Workload, WorkloadName

CAPACITY: Final = "throughput-8x16"
"""The label of the load that says what a contestant's capacity is."""

_START_AND_STOP_S: Final = 0.6
_BY_COUNT_S: Final[dict[WorkloadName, float]] = {
    "offline": 0.6,
    "logins": 1.2,
    "idle": 2.4,
}
"""What a load takes whose round is ended by a number and not by time."""
_SESSION_S: Final = 0.0017
"""Opening one session, its account made."""
_PAIRS_A_WAVE: Final = 250
_WAVE_S: Final = 0.2


def rtt() -> Workload:
    """One message at a time: how long each takes."""
    return Workload(label="rtt", name="rtt")


def throughput(pairs: int, in_flight: int, body_bytes: int = 64) -> Workload:
    """A closed loop: what is delivered is sent anew."""
    return Workload(
        label=f"throughput-{pairs}x{in_flight}{_size(body_bytes)}",
        name="throughput",
        pairs=pairs,
        in_flight=in_flight,
        body_bytes=body_bytes,
    )


def _size(body_bytes: int) -> str:
    """What a label says of it."""
    return "" if body_bytes == 64 else f"-{body_bytes}b"  # noqa: PLR2004  # the default


def rate(per_s: int, pairs: int = 8, body_bytes: int = 64) -> Workload:
    """An open loop at a rate that is the same for all."""
    many = "" if pairs == 8 else f"-{pairs}p"  # noqa: PLR2004  # the default
    return Workload(
        label=f"rate-{per_s}{many}{_size(body_bytes)}",
        name="rate",
        pairs=pairs,
        in_flight=0,
        body_bytes=body_bytes,
        rate_per_s=per_s,
    )


def share(percent: int) -> Workload:
    """An open loop at a part of what each one can do at most."""
    return Workload(
        label=f"rate-{percent}pct",
        name="rate",
        pairs=8,
        in_flight=0,
        capacity_share=percent / 100,
    )


def offline(count: int) -> Workload:
    """Messages that wait, drained at login."""
    return Workload(
        label=f"offline-{count}", name="offline", in_flight=256, count=count
    )


def logins(count: int) -> Workload:
    """Sessions resumed by token; logins that hash a password, apart."""
    return Workload(label="logins", name="logins", pairs=8, count=count)


def listing(count: int) -> Workload:
    """All accounts, listed by one client."""
    return Workload(label=f"list-{count}", name="list", count=count)


def idle(count: int) -> Workload:
    """Sessions that do nothing."""
    return Workload(label=f"idle-{count}", name="idle", in_flight=0, count=count)


def replay(pairs: int, count: int | None = None) -> Workload:
    """Real conversations, so many at a time."""
    return Workload(label="replay", name="replay", pairs=pairs, count=count)


def timed(workload: Workload, *, warm_up_s: float, measure_s: float) -> Workload:
    """The same with these times, or longer ones where messages are long under way.

    With a thousand pairs each message waits for those of all others: what they all sent
    at the start has to be through before anything is measured, several times over.
    """
    waves = 1 + workload.pairs // _PAIRS_A_WAVE
    return replace(
        workload,
        warm_up_s=max(warm_up_s, waves * _WAVE_S),
        measure_s=max(measure_s, 2 * waves * _WAVE_S),
    )


def expected_s(workload: Workload) -> float:
    """About how long a round of it takes, its processes' start and end included."""
    window_s = workload.warm_up_s + workload.measure_s
    ended_by_number_s = _BY_COUNT_S.get(workload.name)
    if ended_by_number_s is not None:
        window_s = ended_by_number_s
    return _START_AND_STOP_S + window_s + 2 * workload.pairs * _SESSION_S
