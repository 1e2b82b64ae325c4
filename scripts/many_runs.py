"""Runs the tests many times, to find what passes by luck.

Each run has another order (pytest-randomly) and cuts the servers' frames elsewhere, and
every second one has a busy neighbour on each core. Then each other CPython of the
machine runs them once, in the usual order. It can be stopped (Ctrl-C) and goes on where
it stopped: what was done, with every seed, is in ``.many_runs/state.json``, and each
run's output beside it.

``uv run python -m scripts.many_runs --folders tests/unit tests/app``
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from scripts.core_tests import ROOT, interpreters

PLACE: Final = ROOT / ".many_runs"
STATE: Final = PLACE / "state.json"
SPLIT_SEED: Final = "TESTS_SPLIT_SEED"  # as tests/faults/splitting.py has it
FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", re.MULTILINE)
ORDER: Final = "pytest-randomly>=5.1"
ENDS_WITHIN_S: Final = 30.0
# It ends by itself when whoever started it is gone, however that came about.
NEIGHBOUR: Final = """
import os, sys
parent = int(sys.argv[1])
while os.getppid() == parent:
    sum(range(100_000))
"""


@dataclass(kw_only=True)
class Run:
    """One run of the tests, and what became of it.

    Attributes:
        python: the version to run on; "" for the environment's own.
        seed: of the order and of the cuts.
        is_beside_neighbours: whether every core is busy meanwhile.
        exit_code: pytest's; None until it has ended.
        failed: the tests that failed.
    """

    name: str
    python: str = ""
    seed: int
    is_beside_neighbours: bool = False
    exit_code: int | None = None
    seconds: float = 0.0
    failed: list[str] = field(default_factory=list)

    @property
    def log(self) -> Path:
        """Where its output is."""
        return PLACE / f"{self.name}.log"


def other_pythons() -> Mapping[str, Path]:
    """The newest CPython of each other minor version, by that version."""
    found = {
        ".".join(map(str, it.version[:2])): it.path
        for it in interpreters()
        if it.version[:2] != sys.version_info[:2]
    }
    return dict(sorted(found.items()))


def plan(asked: argparse.Namespace) -> list[Run]:
    """The runs that were asked for, with seeds."""
    seeds = random.Random(asked.seed)  # noqa: S311  # an order, not a secret
    orders = [
        Run(
            name=f"order-{number}",
            seed=seeds.randrange(2**31),
            is_beside_neighbours=number % 2 == 0,
        )
        for number in range(1, asked.runs + 1)
    ]
    pythons = [] if asked.this_python_only else other_pythons()
    return orders + [
        Run(name=f"python-{it}", python=it, seed=seeds.randrange(2**31))
        for it in pythons
    ]


def what_is_tested() -> str:
    """The commit, and whether the tree has other content than that."""
    commit = _git("rev-parse", "HEAD").strip()
    return commit + ("-changed" if _git("status", "--porcelain") else "")


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", *words],  # noqa: S607  # whichever git is installed
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def recall(asked: argparse.Namespace, key: Mapping[str, object]) -> list[Run]:
    """The runs that were begun, or those of a new plan."""
    if asked.fresh or not STATE.exists():
        return plan(asked)
    state = json.loads(STATE.read_text(encoding="utf-8"))
    if state["asked"] != key:
        sys.exit(f"{STATE} is of other runs: {state['asked']}; --fresh begins anew.")
    return [Run(**it) for it in state["runs"]]


def remember(runs: Sequence[Run], key: Mapping[str, object]) -> None:
    """Write what was done, whole or not at all."""
    state = json.dumps({"asked": key, "runs": [asdict(it) for it in runs]}, indent=1)
    new = STATE.with_suffix(".new")
    new.write_text(state, encoding="utf-8")
    new.replace(STATE)


@contextmanager
def neighbours(*, wanted: bool) -> Iterator[None]:
    """A loop for each core that does nothing else, ended at the end of the block."""
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(os.cpu_count() or 1 if wanted else 0):
            words = [sys.executable, "-c", NEIGHBOUR, str(os.getpid())]
            processes.append(subprocess.Popen(words))
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def command(run: Run, folders: Sequence[str]) -> list[str]:
    """What runs the tests."""
    uv = [os.environ.get("UV", "uv"), "run", "--quiet"]
    pytest = ["pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *folders]
    if run.python:
        return [*uv, "--python", str(other_pythons()[run.python]), *pytest]
    return [*uv, "--with", ORDER, *pytest, f"--randomly-seed={run.seed}"]


def carry_out(run: Run, folders: Sequence[str]) -> None:
    """Run the tests, and note what became of them."""
    environment = {**os.environ, SPLIT_SEED: str(run.seed)}
    environment.pop("VIRTUAL_ENV", None)
    if run.python:
        environment["UV_PROJECT_ENVIRONMENT"] = str(PLACE / f"venv-{run.python}")
    began = time.monotonic()
    with neighbours(wanted=run.is_beside_neighbours), run.log.open("wb") as log:
        process = subprocess.Popen(
            command(run, folders),
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # what it has started ends with it
        )
        try:
            exit_code = process.wait()
        except BaseException:
            _end(process)
            raise
    run.exit_code = exit_code
    run.seconds = time.monotonic() - began
    run.failed = FAILED.findall(run.log.read_text(encoding="utf-8", errors="replace"))


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Have pytest end its servers, and kill what is left after a while."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def show(runs: Sequence[Run], console: Console) -> None:
    """A row for each run, and a line for each test that has failed."""
    table = Table("run", "seed", "neighbours", "seconds", "exit", "failed")
    for run in runs:
        done = run.exit_code is not None
        table.add_row(
            run.name,
            str(run.seed),
            "busy" if run.is_beside_neighbours else "",
            f"{run.seconds:.0f}" if done else "",
            str(run.exit_code) if done else "not run",
            str(len(run.failed)) if done else "",
        )
    console.print(table)
    for test in sorted({test for run in runs for test in run.failed}):
        names = ", ".join(run.name for run in runs if test in run.failed)
        console.print(f"{test}\n    in {names}", markup=False, soft_wrap=True)


def main() -> int:
    """Do what is not done yet; 0 when nothing has failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10, help="in changing order")
    parser.add_argument("--folders", nargs="+", default=["tests"])
    parser.add_argument("--seed", type=int, default=0, help="of the seeds")
    parser.add_argument("--this-python-only", action="store_true")
    parser.add_argument("--fresh", action="store_true", help="forget what was done")
    asked = parser.parse_args()
    key = vars(asked) | {"tested": what_is_tested()}
    del key["fresh"]

    PLACE.mkdir(exist_ok=True)
    runs = recall(asked, key)
    remember(runs, key)
    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for run in runs:
            if run.exit_code is None:
                console.print(f"{run.name}: {run.log}", markup=False, soft_wrap=True)
                carry_out(run, asked.folders)
                remember(runs, key)
    except KeyboardInterrupt:
        console.print("Stopped; the same command goes on.")
    show(runs, console)
    return 0 if all(it.exit_code == 0 for it in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
