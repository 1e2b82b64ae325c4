"""The clock of another process, against what that process says of itself."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chatbench.cpu import (
    CannotMeasure,
    ProcessTime,
    grpc_between_ns,
    kernel_bytes,
    machine_time,
    process_time,
    resident_bytes,
)

_BURN = """
import sys, threading, time
def burn():
    began = time.thread_time_ns()
    while time.thread_time_ns() - began < 100_000_000:
        pass
for line in sys.stdin:
    began = time.process_time_ns()
    threads = [threading.Thread(target=burn) for _ in range(2)]
    for it in threads: it.start()
    for it in threads: it.join()
    print(time.process_time_ns() - began, flush=True)
"""
_BURN_IN_CHILD = """
import subprocess, sys, time
for line in sys.stdin:
    subprocess.run([sys.executable, "-c", '''
import time
while time.process_time_ns() < 200_000_000: pass
'''])
    print(200_000_000, flush=True)
"""


_COME_AND_GO = """
import threading
print("up", flush=True)
while True:
    threads = [threading.Thread(target=sum, args=[range(9)]) for _ in range(8)]
    for it in threads: it.start()
    for it in threads: it.join()
"""


@contextmanager
def program(source: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", source],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def burnt_ns(process: "subprocess.Popen[str]") -> int:
    """Have it burn; what it says that it has burnt."""
    assert process.stdin is not None
    assert process.stdout is not None
    print("go", file=process.stdin, flush=True)
    return int(process.stdout.readline())


def test_threads_may_end_while_they_are_counted() -> None:
    with program(_COME_AND_GO) as process:
        assert process.stdout is not None
        process.stdout.readline()

        seen = [process_time(process.pid).total_ns for _ in range(300)]

    assert seen == sorted(seen)


def test_the_clock_grows_by_what_a_process_says_it_has_burnt() -> None:
    with program(_BURN) as process:
        burnt_ns(process)  # it is up
        before = process_time(process.pid)

        told_ns = burnt_ns(process)
        after = process_time(process.pid)

    # Its threads have ended by now.
    assert after.total_ns - before.total_ns == pytest.approx(told_ns, rel=0.1)
    split_ns = after.user_ns + after.system_ns - before.user_ns - before.system_ns
    assert split_ns == pytest.approx(told_ns, abs=30_000_000)


def test_children_that_have_ended_are_counted() -> None:
    with program(_BURN_IN_CHILD) as process:
        burnt_ns(process)
        before = process_time(process.pid)

        told_ns = burnt_ns(process)
        after = process_time(process.pid)

    # Children have ticks only, and something to do besides burning.
    assert after.total_ns - before.total_ns > told_ns * 0.85


def test_a_process_that_is_gone_is_said_to_be() -> None:
    with program("") as process:
        process.wait()

    with pytest.raises(CannotMeasure, match="is gone"):
        process_time(process.pid)
    with pytest.raises(CannotMeasure, match="is gone"):
        resident_bytes(process.pid)


def test_memory_is_that_of_the_process() -> None:
    with program(f"held = b'x' * 50_000_000\n{_BURN}") as process:
        burnt_ns(process)

        assert 50_000_000 < resident_bytes(process.pid) < 200_000_000


def test_the_machine_is_busy_no_longer_than_it_runs() -> None:
    before = machine_time()

    with program(_BURN) as process:
        told_ns = burnt_ns(process)
    after = machine_time()

    # Both cores may have been busy throughout, and differences of floats are not exact.
    busy_s = round(after.busy_s - before.busy_s, 2)
    assert told_ns / 1e9 * 0.8 < busy_s <= round(after.total_s - before.total_s, 2)
    assert kernel_bytes() > 0


def test_grpcs_share_is_what_its_threads_used_in_between() -> None:
    def used(threads: dict[int, int]) -> ProcessTime:
        return ProcessTime(total_ns=9, user_ns=0, system_ns=0, grpc_ns=threads)

    assert grpc_between_ns(used({1: 10, 2: 5}), used({1: 30, 3: 4})) == 24
    assert grpc_between_ns(used({}), used({})) is None
