"""What processes and the machine have used so far, as Linux counts it.

A process's total is its CPU clock (``clock_getcpuclockid(3)``): nanoseconds of all its
threads, ended ones too. A thread that runs at this moment is counted up to its last
tick, so a figure is good to some milliseconds. Children are added: those that live by
clocks of their own, those that have ended and were waited for by ticks. User and system
mode are told apart in ticks, which are 10 ms on most machines.

gRPC's own threads are told by their names (event engine, timer, lifeguard). The one in
which ``grpc.aio`` waits for its core is a Python thread without a name: it is the first
such thread that was started after gRPC's timer thread, while SQLite's writer was
started before it, and the workers that hash passwords after it.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CPUCLOCK_SCHED: Final = 2
"""The kind of clock in the low bits of a clock id; the rest is the inverted pid."""
_FIRST_OF_GRPC: Final = "grpc_global_tim"
_POLLER: Final = "(_poll"
_GRPC_THREADS: Final = ("grpc", "event_engine", "lifeguard", "timer_manager")
_NS: Final = 1_000_000_000
_PROC: Final = Path("/proc")


class CannotMeasure(Exception):
    """A figure that this machine does not give; the text is a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessTime:
    """What a process and its children have used.

    Attributes:
        grpc_ns: of each thread of gRPC's own, by thread id.
    """

    total_ns: int
    user_ns: int
    system_ns: int
    grpc_ns: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineTime:
    """What all cores have done, in seconds since the machine started.

    Attributes:
        total_s: all cores, idle time included.
        busy_s: in programs and for them in the kernel; without interrupts, most of
            which carry the load's own bytes.
        stolen_s: taken by the machine's host for others.
    """

    total_s: float
    busy_s: float
    stolen_s: float


def process_time(pid: int) -> ProcessTime:
    """What a process has used so far.

    Raises:
        CannotMeasure: it is gone, or the machine has no such clock.
    """
    need_linux()
    total_ns = user_ns = system_ns = 0
    try:
        for each in _family(pid):
            user, system, *ended = (int(it) for it in _stat(_PROC / str(each))[11:15])
            total_ns += time.clock_gettime_ns((~each << 3) | _CPUCLOCK_SCHED)
            total_ns += sum(ended) * _tick_ns()
            user_ns += (user + ended[0]) * _tick_ns()
            system_ns += (system + ended[1]) * _tick_ns()
        return ProcessTime(
            total_ns=total_ns,
            user_ns=user_ns,
            system_ns=system_ns,
            grpc_ns=_grpc_threads(pid),
        )
    except (OSError, ValueError, IndexError) as error:
        raise CannotMeasure(
            f"The process {pid}, or one it started, is gone."
        ) from error


def grpc_between_ns(before: ProcessTime, after: ProcessTime) -> int | None:
    """What gRPC's own threads used in between; None where there are none.

    A thread that has ended meanwhile takes its part with it; gRPC ends one only when it
    has had nothing to do for long.
    """
    if not after.grpc_ns:
        return None
    return sum(used - before.grpc_ns.get(it, 0) for it, used in after.grpc_ns.items())


def resident_bytes(pid: int) -> int:
    """A process's memory that is in RAM (RSS).

    Raises:
        CannotMeasure: it is gone, or the machine does not tell.
    """
    need_linux()
    try:
        return _kib_line(_PROC / str(pid) / "status", "VmRSS:")
    except (OSError, ValueError, IndexError) as error:
        raise CannotMeasure(f"The process {pid} is gone.") from error


def machine_time() -> MachineTime:
    """What all cores have done so far.

    Raises:
        CannotMeasure: the machine does not tell.
    """
    need_linux()
    line = (_PROC / "stat").read_text().partition("\n")[0]
    # proc(5): user and nice hold guest time already.
    ticks = [int(it) for it in line.split()[1:9]]
    user, nice, system, _idle, _waiting, _interrupts, _soft, stolen = ticks
    tick_s = _tick_ns() / _NS
    return MachineTime(
        total_s=sum(ticks) * tick_s,
        busy_s=(user + nice + system) * tick_s,
        stolen_s=stolen * tick_s,
    )


def kernel_bytes() -> int:
    """What the kernel has for its objects and for TCP's buffers, on the whole machine.

    Raises:
        CannotMeasure: the machine does not tell.
    """
    need_linux()
    slab = _kib_line(_PROC / "meminfo", "Slab:")
    words = (_PROC / "net" / "sockstat").read_text().partition("TCP:")[2].split()
    pages = int(words[words.index("mem") + 1])
    return slab + pages * os.sysconf("SC_PAGE_SIZE")


def need_linux() -> None:
    """Raise ``CannotMeasure`` where there is no ``/proc`` as Linux has it."""
    if not (_PROC / "self" / "stat").exists():
        raise CannotMeasure(
            "Measuring another process's CPU time and memory needs Linux."
        )


def _tick_ns() -> int:
    return _NS // os.sysconf("SC_CLK_TCK")


def _family(pid: int) -> Iterator[int]:
    """A process and all that descend from it and live."""
    yield pid
    for thread in _threads(pid):
        listed = thread / "children"
        children: list[str] = []
        with _unless_it_ended():  # and not every kernel is built to list them
            children = listed.read_text().split()
        for child in children:
            yield from _family(int(child))


def _unless_it_ended() -> AbstractContextManager[None]:
    """Pass over a thread that has ended since it was listed; the process goes on."""
    return suppress(FileNotFoundError, ProcessLookupError)


def _stat(folder: Path) -> list[str]:
    """The fields behind the name in brackets, which may hold anything."""
    return (folder / "stat").read_text().rpartition(")")[2].split()


def _threads(pid: int) -> list[Path]:
    """In the order they were started."""
    found: list[tuple[int, int, Path]] = []
    for thread in (_PROC / str(pid) / "task").iterdir():
        with _unless_it_ended():
            # Thread ids start again from the bottom some day; the start time does not.
            found.append((int(_stat(thread)[19]), int(thread.name), thread))
    return [thread for *_, thread in sorted(found)]


def _grpc_threads(pid: int) -> dict[int, int]:
    """Nanoseconds of each thread that gRPC started, by its id."""
    used: dict[int, int] = {}
    has_begun = has_poller = False
    own_name = (_PROC / str(pid) / "comm").read_text()
    for thread in _threads(pid):
        name = ""
        with _unless_it_ended():
            name = (thread / "comm").read_text()
        # From Python 3.14 on the system knows the names that Python gives its threads.
        is_python = name == own_name or _POLLER in name
        is_poller = has_begun and is_python and not has_poller
        has_begun = has_begun or name.startswith(_FIRST_OF_GRPC)
        has_poller = has_poller or is_poller
        if is_poller or name.startswith(_GRPC_THREADS):
            used[int(thread.name)] = int((thread / "schedstat").read_text().split()[0])
    return used


def _kib_line(path: Path, label: str) -> int:
    """The bytes of a line such as ``VmRSS:  1234 kB``."""
    return int(path.read_text().partition(label)[2].split(maxsplit=1)[0]) * 1024
