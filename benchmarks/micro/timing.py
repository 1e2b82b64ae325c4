"""CPU time of a call: for people, since it varies from run to run."""

import time
from statistics import median
from typing import Final

from benchmarks.micro.base import Benchmark, Call

REPEATS: Final = 5
_REPEAT_NS: Final = 20_000_000


def cpu_ns(benchmark: Benchmark) -> float:
    """CPU of all threads of this process for one call, in the median repeat."""
    with benchmark.open() as call:
        calls = 1
        while (spent := _spent_ns(call, calls)) < _REPEAT_NS:
            calls *= 2 if spent * 2 > _REPEAT_NS else 4
        return median(_spent_ns(call, calls) / calls for _ in range(REPEATS))


def _spent_ns(call: Call, calls: int) -> int:
    began_ns = time.process_time_ns()
    for _ in range(calls):
        call()
    return time.process_time_ns() - began_ns
