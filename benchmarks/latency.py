"""How long a message takes: at half of what a server can do, and alone (TCP, msgpack).

Run it as ``PYTHONPATH=src python -m benchmarks.latency``. The first figure is an open
loop at half of the throughput that was measured with 8 pairs and 16 under way: from
when a message was due until it was delivered, p99 over all rounds. The second is a
message alone, from send to receipt, beside what it cannot do without: the transport's
echo of as many bytes, and for SQLite a commit of one row that is synced, on this disk.
The load is ``chatbench``'s, in rounds that are taken in turns; of several rounds the
one in which others had least of the machine is told apart.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

from chatbench.cells import Cell, Contestant, Workload
from chatbench.contestants import STORES, ChatContestant, echo
from chatbench.latencies import merge, percentiles
from chatbench.machine import choose_cores
from chatbench.rounds import RunContext, run_cell, with_rate
from chatbench.samples import Percentiles, Sample
from chatbench.workloads import rtt, share, throughput, timed
from chatstores.sqlite.opening import connect
from chatstores.sqlite.wal import WalGrowth, close_whole

_COMMITS: Final = 300
_ROW_BYTES: Final = 160
_WAL_BYTES: Final = 16 * 1024 * 1024
_WARM_UP_S: Final = 0.5
_ALONE_S: Final = 3.0
"""The median is told from 200 messages on, and a disk may take 5 ms for each."""
_CODEC: Final = "msgpack"


def _cell(contestant: Contestant, workload: Workload, measure_s: float) -> Cell:
    return Cell(
        contestant=contestant,
        workload=timed(workload, warm_up_s=_WARM_UP_S, measure_s=measure_s),
    )


def _commit_us(folder: Path) -> float:
    """The median of commits of one row, one after the other, in a new database."""
    path = folder / "commits.db"
    connection = connect(path)
    growth = WalGrowth(connection, most_bytes=_WAL_BYTES)
    took_ns: list[int] = []
    for _ in range(_COMMITS):
        began_ns = time.perf_counter_ns()
        connection.execute("BEGIN")
        connection.execute(
            "INSERT INTO journal (entries) VALUES (?)", (os.urandom(_ROW_BYTES),)
        )
        connection.execute("COMMIT")
        took_ns.append(time.perf_counter_ns() - began_ns)
        growth.look()
    connection.execute("DELETE FROM journal")
    growth.close()
    close_whole(connection)
    return median(took_ns) / 1000


def _whole(sample: Sample) -> Sample:
    """The sample, if all of it came."""
    if not sample.is_valid:
        raise RuntimeError(f"{sample.contestant}, {sample.workload}: {sample.fault}")
    return sample


def _at_half(
    contestant: Contestant, context: RunContext, rounds: int, seconds: float
) -> str:
    """Latencies of an open loop at half of the capacity, as a line."""
    full = _cell(contestant, throughput(8, 16), 1.0)
    half = _cell(contestant, share(50), seconds)
    found: list[Sample] = []
    samples: list[Sample] = []
    for number in range(rounds):
        found.append(_whole(run_cell(full, context, number)))
        samples.append(_whole(run_cell(with_rate(half, found), context, number)))
    rate = median(it.extras["offered_per_s"] for it in samples)
    told = percentiles(merge(it.latency_histogram or "" for it in samples))
    p99_ms = "-" if told.p99 is None else f"{told.p99 / 1000:.2f}"
    calm = min(samples, key=lambda it: it.others_share or 0.0)
    calm_us = calm.latency_us.p99 if calm.latency_us else None
    calm_ms = "-" if calm_us is None else f"{calm_us / 1000:.2f}"
    return (
        f"{contestant.name:22}{rate:9,.0f}/s  p50 {(told.p50 or 0) / 1000:.2f} ms, "
        f"p99 {p99_ms} ms; {calm_ms} ms in the calmest round, in which others had "
        f"{100 * (calm.others_share or 0):.0f} % of the machine and the load itself "
        f"was {(calm.schedule_lag_us or 0) / 1000:.2f} ms late"
    )


def _median_of(told: Percentiles | None) -> float:
    if told is None or told.p50 is None:
        raise RuntimeError("Too few messages went through for a median.")
    return told.p50


def _alone(contestants: list[Contestant], context: RunContext, rounds: int) -> None:
    """Print what a message alone takes, beside echo and commit."""
    bare = echo("tcp")
    echo_us: list[float] = []
    commit_us: list[float] = []
    receipt_us: dict[str, list[float]] = {it.name: [] for it in contestants}
    for number in range(rounds):
        sample = _whole(run_cell(_cell(bare, rtt(), _ALONE_S), context, number))
        echo_us.append(_median_of(sample.latency_us))
        with tempfile.TemporaryDirectory(dir=context.folder) as folder:
            commit_us.append(_commit_us(Path(folder)))
        for it in contestants:
            sample = _whole(run_cell(_cell(it, rtt(), _ALONE_S), context, number))
            receipt_us[it.name].append(_median_of(sample.receipt_us))
    print(
        f"echo {median(echo_us):.0f} us, a synced commit {median(commit_us):.0f} us "
        f"({min(commit_us):.0f} to {max(commit_us):.0f})"
    )
    for it in contestants:
        floor_us = [
            a + (b if it.store == "sqlite" else 0)
            for a, b in zip(echo_us, commit_us, strict=True)
        ]
        took_us = receipt_us[it.name]
        ratios = sorted(a / b for a, b in zip(took_us, floor_us, strict=True))
        floor = "echo + commit" if it.store == "sqlite" else "echo"
        print(
            f"{it.name:22} sent to receipt {median(took_us):6.0f} us, "
            f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) times {floor}",
            flush=True,
        )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of an open loop")
    options = parser.parse_args()
    contestants = [ChatContestant("tcp", it).plain(_CODEC) for it in STORES]
    load = os.getloadavg()[0]
    print(f"Python {sys.version.split()[0]}, asyncio, load before: {load:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        context = RunContext(cores=choose_cores(), folder=Path(folder), seed=1)
        _alone(contestants, context, options.rounds)
        for it in contestants:
            print(_at_half(it, context, options.rounds, options.seconds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
