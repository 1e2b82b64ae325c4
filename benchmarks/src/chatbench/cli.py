"""``chatcore bench``, as its command line asks; ``chatbench.command`` does the work."""

import shlex
import signal
import sys
from pathlib import Path
from typing import Final

from chatapp.bench_settings import BenchSettings
from chatapp.console import CommandConsole
from chatapp.errors import CannotBench, CannotWrite, Interrupted
from chatbench import command
from chatbench.against.command import run_against
from chatbench.errors import BenchError, CannotWriteResults
from chatbench.request import BenchRequest, OwnLoad
from chatbench.results import Plan

_WIDTH: Final = 100
_SHAPING: Final = (
    *("quick", "full", "concurrency", "peers", "against", "fail_on"),
    *("transport", "codec", "store", "plugin", "workload", "rounds", "seed"),
    *("pairs", "in_flight", "body", "rate", "warm_up", "measure"),
)
"""The settings that make a run another one."""


def run(settings: BenchSettings) -> int:
    """Run the comparison, or compare two; 1 where something failed in it, or was asked
    to fail.

    Raises:
        CannotBench: it cannot be run as asked, or here.
        CannotWrite: the folder cannot be written.
    """
    if sys.platform != "win32":
        signal.signal(signal.SIGTERM, _end)
    # Into a file or a pipe, rich would print 80 columns, and the tables want more.
    width = None if sys.stdout.isatty() else _WIDTH
    output = CommandConsole(highlight=False, width=width)
    notes = CommandConsole(highlight=False, stderr=True)
    try:
        if settings.compare:
            old, new = Path(settings.compare), Path(settings.new)
            return command.compare_files(old, new, output)
        run_wanted = run_against if settings.against else command.run_bench
        return run_wanted(_wanted(settings), output=output, notes=notes)
    except CannotWriteResults as error:
        raise CannotWrite(str(error)) from error
    except BenchError as error:
        raise CannotBench(str(error)) from error
    except (KeyboardInterrupt, Interrupted):
        notes.print("Interrupted: nothing was written.")
        raise


def _end(number: int, _frame: object) -> None:
    """End as for Ctrl-C: in order, with all processes of the run."""
    raise Interrupted(number)


def _wanted(settings: BenchSettings) -> BenchRequest:
    return BenchRequest(
        plan=_plan(settings),
        command=_command(settings),
        out=Path(settings.out),
        transports=_names(settings.transport),
        stores=_names(settings.store),
        plugin=str(Path(settings.plugin).resolve()) if settings.plugin else "",
        workloads=_names(settings.workload),
        own=_own_load(settings),
        codecs=_names(settings.codec),
        warm_up_s=settings.warm_up,
        measure_s=settings.measure,
        rounds=settings.rounds,
        seed=settings.seed,
        as_json=settings.json,
        peers=settings.peers,
        against=settings.against,
        fails_on_worse=settings.fail_on == "worse",
    )


def _own_load(settings: BenchSettings) -> OwnLoad | None:
    if not settings.asks_of_own_load:
        return None
    usual = OwnLoad()
    return OwnLoad(
        pairs=settings.pairs or usual.pairs,
        in_flight=settings.in_flight or usual.in_flight,
        body_bytes=settings.body_bytes or usual.body_bytes,
        rate_per_s=settings.rate,
    )


def _plan(settings: BenchSettings) -> Plan:
    if settings.asks_of_own_load:
        return "own"
    if settings.concurrency:
        return "quick-concurrency" if settings.quick else "concurrency"
    if settings.full:
        return "full"
    return "quick" if settings.quick else "standard"


def _names(text: str) -> tuple[str, ...]:
    """Names with commas between; ``all`` chooses none of them."""
    return () if text == "all" else tuple(text.split(","))


def _command(settings: BenchSettings) -> str:
    """The words that ask for the same run, without where its files go."""
    words, usual = ["chatcore", "bench"], BenchSettings()
    for name in _SHAPING:
        value, flag = getattr(settings, name), f"--{name.replace('_', '-')}"
        if value != getattr(usual, name):
            words += [flag] if value is True else [flag, str(value)]
    return shlex.join(words)
