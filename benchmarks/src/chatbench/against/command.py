"""``chatcore bench --against``, without its command line."""

import os
import random
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.text import Text

from chatbench.against.blocks import MatchSize, run_blocks
from chatbench.against.judging import is_worse, judge
from chatbench.against.sources import this_tree, tree_of
from chatbench.against.table import print_against
from chatbench.cells import Cell
from chatbench.command import MOST_SEED, writing
from chatbench.contestants import STORES, TRANSPORTS, ChatContestant
from chatbench.machine import check_system, choose_cores, describe_machine
from chatbench.plans import Plan, narrow
from chatbench.progress import complaint
from chatbench.request import BenchRequest
from chatbench.results import Machine, Ratio
from chatbench.rounds import RunContext
from chatbench.samples import Sample
from chatbench.workloads import throughput

VERSION: Final = 1
PLANT: Final = "CHATBENCH_PLANT_SHARE"
"""An environment variable: so much of its own CPU the new server burns once more. By it
the harness proves itself."""
CELL_S: Final = 40.0
"""Of a run's time, for each cell: eight minutes for all twelve."""
_RESULTS: Final = "against.json"


class Against(Struct, frozen=True, kw_only=True):
    """All of a run, as ``against.json`` has it.

    Attributes:
        version: of this schema.
        new: the commit of this tree, with ``+`` if it had changes.
        old: the commit that it was set against.
        planted_share: what was put in on purpose; 0 in any true run.
        ratios: new over old, over all cells first; see ``results.Ratio``.
        samples: of every round, as they came.
    """

    version: int
    command: str
    new: str
    old: str
    planted_share: float
    began_at: str
    seconds: float
    seed: int
    machine: Machine
    ratios: list[Ratio]
    samples: list[Sample]


def headline() -> Plan:
    """The cells, with the product as it comes."""
    loads = [throughput(8, 16), throughput(200, 1)]
    cells = product(TRANSPORTS, STORES, loads)
    return Plan(
        name="quick",
        rounds=0,
        cells=tuple(
            Cell(contestant=ChatContestant(transport, store).plain(), workload=load)
            for transport, store, load in cells
        ),
        wire_labels=(),
        is_result=False,
    )


def run_against(
    wanted: BenchRequest, *, output: Console, notes: Console, cell_s: float = CELL_S
) -> int:
    """Run it; 1 where a message was not accounted for or anything else failed, and
    where it is to fail on a worse server that was found.

    Nothing is written where the run is interrupted.

    Raises:
        CannotCompare: there is no such commit or cell, its server cannot be run, or
            this machine cannot measure it.
        CannotWriteResults: the folder cannot be made or written.
    """
    check_system()
    plan = narrow(
        headline(),
        transports=wanted.transports,
        stores=wanted.stores,
        workloads=wanted.workloads,
        rounds=wanted.rounds,
    )
    with writing():
        wanted.out.mkdir(parents=True, exist_ok=True)
        folder = TemporaryDirectory(prefix=".cells-", dir=wanted.out)
    with folder as within:
        run = _measure(plan, wanted, Path(within).resolve(), notes, cell_s)
    with writing():
        text = msgspec.json.format(msgspec.json.encode(run), indent=1)
        (wanted.out / _RESULTS).write_bytes(text + b"\n")
    if wanted.as_json:
        sys.stdout.write(msgspec.json.encode(run).decode() + "\n")
    else:
        print_against(run.ratios, run.samples, f"{run.new} over {run.old}", output)
        output.print(Text(f"The figures: {wanted.out / _RESULTS}"), soft_wrap=True)
    return exit_status(
        run.ratios, run.samples, notes, fails_on_worse=wanted.fails_on_worse
    )


def _measure(
    plan: Plan, wanted: BenchRequest, folder: Path, notes: Console, cell_s: float
) -> Against:
    """Run it, and judge what came.

    Raises:
        CannotCompare: see ``run_against``.
    """
    began_at = datetime.now(UTC).isoformat(timespec="seconds")
    began_s = time.monotonic()
    seed = wanted.seed or random.SystemRandom().randrange(1, MOST_SEED)
    cores = choose_cores()
    share = float(os.environ.get(PLANT, "0"))
    new = this_tree()
    with tree_of(wanted.against, folder) as old:
        match = MatchSize(
            new=new,
            old=old,
            passes=plan.rounds,
            budget_s=cell_s * len(plan.cells),
            share=share,
        )
        context = RunContext(cores=cores, folder=folder, seed=seed)
        samples = list(run_blocks(plan.cells, match, context, notes))
    return Against(
        version=VERSION,
        command=wanted.command,
        new=new.commit,
        old=old.commit,
        planted_share=share,
        began_at=began_at,
        seconds=round(time.monotonic() - began_s, 1),
        seed=seed,
        machine=describe_machine(cores),
        ratios=judge(plan.cells, samples, seed=seed),
        samples=samples,
    )


def exit_status(
    ratios: Sequence[Ratio],
    samples: Sequence[Sample],
    notes: Console,
    *,
    fails_on_worse: bool,
) -> int:
    """1 where anything failed, which is told, or where worse is to fail and is so."""
    failed = [it for it in samples if not it.is_valid]
    for it in failed:
        told = f"failed: {it.contestant} {it.workload}: {complaint(it)}"
        notes.print(Text(told), soft_wrap=True)
    return 1 if failed or (fails_on_worse and is_worse(ratios)) else 0
