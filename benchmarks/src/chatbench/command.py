"""``chatcore bench`` without its command line: runs a plan, writes, shows results."""

import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
from rich.console import Console

from chatbench.accounts import prepared_accounts
from chatbench.beside import print_beside
from chatbench.collecting import RunRecord, gather, judge
from chatbench.comparing import compare
from chatbench.errors import CannotCompare, CannotWriteResults, ResultsUnreadable
from chatbench.machine import (
    check_system,
    choose_cores,
    commit_of_source,
    describe_machine,
)
from chatbench.peers import installed_peers
from chatbench.plans import (
    PLANS,
    Plan,
    narrow,
    own,
    with_peers,
    with_stores,
    with_times,
)
from chatbench.progress import ProgressShown
from chatbench.request import BenchRequest
from chatbench.results import VERSION, Results
from chatbench.rounds import RunContext, run_plan
from chatbench.tables import print_results
from chatbench.tuning import describe_settings

MOST_SEED: Final = 2**31
_CONCURRENCY: Final = ("concurrency", "quick-concurrency")
_RESULTS: Final = "results.json"
_REPORT: Final = "report.html"


def run_bench(wanted: BenchRequest, *, output: Console, notes: Console) -> int:
    """Run it; 1 where a message was not accounted for or anything else failed.

    Tables go to ``output``, progress and what failed to ``notes``. Nothing is written
    where the run is interrupted.

    Raises:
        CannotCompare: the plan has no such cells, or this machine cannot run it.
        CannotWriteResults: the folder cannot be made or written.
    """
    check_system()
    whole = (
        PLANS[wanted.plan]() if wanted.own is None else own(wanted.own, wanted.codecs)
    )
    plan = narrow(
        with_stores(whole, wanted.stores, plugin=wanted.plugin),
        transports=wanted.transports,
        stores=wanted.stores,
        codecs=wanted.codecs,
        workloads=wanted.workloads,
        rounds=wanted.rounds,
    )
    plan = _with_installed_peers(plan) if wanted.peers else plan
    plan = with_times(plan, warm_up_s=wanted.warm_up_s, measure_s=wanted.measure_s)
    with writing():
        wanted.out.mkdir(parents=True, exist_ok=True)
        cells = TemporaryDirectory(prefix=".cells-", dir=wanted.out)
    # Databases are below the folder of the results: /tmp may be no disk at all.
    with cells as folder:
        results = _measure(plan, wanted, Path(folder).resolve(), notes)
    # Not before: what it draws with takes two seconds to load.
    from chatbench.report import write_report  # noqa: PLC0415

    with writing():
        text = msgspec.json.format(msgspec.json.encode(results), indent=1)
        (wanted.out / _RESULTS).write_bytes(text + b"\n")
        write_report(results, wanted.out / _REPORT)
    _show(results, wanted, output)
    return _tell_failures(results, notes)


@contextmanager
def writing() -> Iterator[None]:
    """Tell what cannot be written as ``CannotWriteResults``."""
    try:
        yield
    except OSError as error:
        path = Path(error.filename or ".")
        raise CannotWriteResults(path, error.strerror or str(error)) from error


def _with_installed_peers(plan: Plan) -> Plan:
    peers = installed_peers()
    if not peers:
        raise CannotCompare("No server of others is installed: see docs/benchmarks.md.")
    return with_peers(plan, peers)


def _measure(plan: Plan, wanted: BenchRequest, folder: Path, notes: Console) -> Results:
    """Run the plan, and make of its samples all that results.json has."""
    cores, commit = choose_cores(), commit_of_source()
    seed = wanted.seed or random.SystemRandom().randrange(1, MOST_SEED)
    began_at = datetime.now(UTC).isoformat(timespec="seconds")
    began_s = time.monotonic()
    settings = describe_settings(cores, folder)
    accounts = prepared_accounts(plan, folder)
    context = RunContext(cores=cores, folder=folder, seed=seed, accounts=accounts)
    progress = ProgressShown(plan, notes)
    with progress.shown():
        samples = list(run_plan(plan, context, progress))
    course = RunRecord(
        command=wanted.command,
        commit=commit,
        began_at=began_at,
        seconds=time.monotonic() - began_s,
        seed=seed,
        machine=describe_machine(cores),
        settings=settings,
    )
    return gather(plan, samples, course, context)


def _show(results: Results, wanted: BenchRequest, output: Console) -> None:
    """What a person wants at the end; or the results for a program."""
    if wanted.as_json:
        sys.stdout.write(msgspec.json.encode(results).decode() + "\n")
        return
    print_results(results, output)
    if results.plan in _CONCURRENCY:
        print_beside(results, output)
    output.print(f"\nThe page:    {wanted.out / _REPORT}", soft_wrap=True)
    output.print(f"The figures: {wanted.out / _RESULTS}", soft_wrap=True)


def _tell_failures(results: Results, notes: Console) -> int:
    """A line for each row that failed; the exit status."""
    failed = [it for it in results.results if not it.valid]
    for it in failed:
        reason = "; ".join(it.faults) or "not all of its rounds were run"
        notes.print(f"failed: {it.contestant} {it.label}: {reason}", soft_wrap=True)
    return 1 if failed else 0


def compare_files(old: Path, new: Path, output: Console) -> int:
    """Say what changed beyond noise between two runs; the exit status.

    Both are judged anew from their samples, so that they are judged alike.

    Raises:
        ResultsUnreadable: one of them is no results.json of this version.
    """
    return compare(judge(read_results(old)), judge(read_results(new)), output)


def read_results(path: Path) -> Results:
    """The results in a file, or in the results.json of a folder.

    Raises:
        ResultsUnreadable: there are none.
    """
    file = path / _RESULTS if path.is_dir() else path
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Results)
    except OSError as error:
        raise ResultsUnreadable(file, error.strerror or str(error)) from error
    except msgspec.DecodeError as error:
        raise ResultsUnreadable(file, str(error).rstrip(".")) from error
    if found.version != VERSION:
        raise ResultsUnreadable(
            file, f"it has version {found.version}, this program reads {VERSION}"
        )
    return found
