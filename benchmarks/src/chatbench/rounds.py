"""Runs a plan: rounds of all its cells, each cell on a fresh server, one at a time.

The order of the cells is drawn anew in each round, so that what changes slowly on the
machine hits all alike. Cells whose rate is a share of a contestant's own capacity run
in rounds of their own after the others, which find the capacity; the pass that counts
bytes on the wire comes last. A cell that fails is a sample with a fault, and the run
goes on.
"""

import random
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryDirectory
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from chatbench.cells import Cell, Order
from chatbench.children import Child, running
from chatbench.errors import BenchError, ChildFailed
from chatbench.machine import Cores
from chatbench.plans import Plan
from chatbench.samples import Sample
from chatbench.servers import StartedServer, start_server
from chatbench.workloads import CAPACITY

_PATIENCE_S: Final = 90.0
"""How much longer than its window a round may take, its logins and its end included."""
_WIRE_WINDOW_S: Final = 0.3
_MOST_SEED: Final = 2**31


class RunListener(Protocol):
    """Who follows a run."""

    def begins(self, turn: str, cells: int) -> None:
        """A round begins, or the pass that counts bytes."""
        ...

    def ends(self, cell: Cell, sample: Sample, seconds: float) -> None:
        """A cell has been run once more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """Where the cells of a run take place.

    Attributes:
        folder: below which each cell gets a folder of its own, thrown away after it.
        accounts: a database with so many accounts, for each number that is listed.
    """

    cores: Cores
    folder: Path
    seed: int
    accounts: dict[int, Path] = field(default_factory=dict)

    def draw(self, turn: str, round_number: int) -> random.Random:
        """The lots of one round: the same again with the same seed."""
        return random.Random(f"{self.seed} {turn} {round_number}")  # noqa: S311  # an order, no secret


def run_plan(
    plan: Plan, context: RunContext, listener: RunListener
) -> Iterator[Sample]:
    """Run all of a plan; gives each sample as it comes.

    Samples of the pass that counts bytes have the number of rounds as their round.
    """
    steady = [it for it in plan.cells if it.workload.capacity_share is None]
    shared = [it for it in plan.cells if it.workload.capacity_share is not None]
    found: list[Sample] = []
    for number in range(plan.rounds):
        turn = f"round {number + 1} of {plan.rounds}"
        for sample in _run_round(steady, context, listener, number, turn):
            found.append(sample)
            yield sample
    for number in range(plan.rounds if shared else 0):
        turn = f"rates, round {number + 1} of {plan.rounds}"
        rated = [with_rate(it, found) for it in shared]
        yield from _run_round(rated, context, listener, number, turn)
    counted = [_briefly(it) for it in plan.wire_cells]
    if counted:
        turn = "bytes on the wire"
        yield from _run_round(
            counted, context, listener, plan.rounds, turn, counts_wire=True
        )


def _run_round(
    cells: Sequence[Cell],
    context: RunContext,
    listener: RunListener,
    number: int,
    turn: str,
    *,
    counts_wire: bool = False,
) -> Iterator[Sample]:
    """Every cell once, in an order of its own."""
    listener.begins(turn, len(cells))
    order = list(cells)
    context.draw(turn, number).shuffle(order)
    for cell in order:
        began_s = time.monotonic()
        sample = run_cell(cell, context, number, counts_wire=counts_wire)
        listener.ends(cell, sample, time.monotonic() - began_s)
        yield sample


def run_cell(
    cell: Cell,
    context: RunContext,
    round_number: int,
    *,
    counts_wire: bool = False,
    relay_delay_s: float = 0.0,
    relay_drops: int = 0,
) -> Sample:
    """One round of one cell; what makes it fail is the sample's fault."""
    order = Order(
        cell=cell,
        round=round_number,
        url="",
        server_pid=0,
        # The same for all cells of a round: they get the same load.
        seed=context.draw("load", round_number).randrange(_MOST_SEED),
        counts_wire=counts_wire,
        relay_delay_s=relay_delay_s,
        relay_drops=relay_drops,
    )
    try:
        return _serve_and_load(order, context)
    except (BenchError, msgspec.DecodeError) as error:
        return Sample(
            contestant=cell.contestant.name,
            workload=cell.workload.label,
            round=round_number,
            fault=str(error),
        )


def _serve_and_load(order: Order, context: RunContext) -> Sample:
    """Start both processes at once, and have the one load the other.

    Raises:
        ChildFailed: one of them did not do its part.
    """
    cell, cores = order.cell, context.cores
    rate_per_s = cell.workload.rate_per_s
    if cell.workload.capacity_share is not None and rate_per_s is None:
        raise ChildFailed(
            "the round", f"no capacity was measured for {cell.contestant.name}"
        )
    with ExitStack() as opened:
        folder = Path(
            opened.enter_context(TemporaryDirectory(prefix="cell-", dir=context.folder))
        )
        accounts = None
        if cell.workload.name == "list":
            accounts = context.accounts[cell.workload.count or 0]
        server = opened.enter_context(
            start_server(cell, folder, cores.server, accounts=accounts)
        )
        generator = opened.enter_context(
            running(
                f"the load generator of {cell.contestant.name}",
                [sys.executable, "-m", "chatbench.generator"],
                core=cores.generator,
                log=folder / "generator.log",
                stdin=PIPE,
            )
        )
        ready = replace(order, url=server.wait(), server_pid=server.pid)
        sample = _load(generator, ready)
        if sample.fault is not None and isinstance(server, StartedServer):
            _add_last_words(sample, server.child)
        if cell.workload.capacity_share is not None and rate_per_s is not None:
            sample.extras["offered_per_s"] = rate_per_s
        return sample


def _load(generator: Child, order: Order) -> Sample:
    workload = order.cell.workload
    window_s = workload.warm_up_s + workload.measure_s
    answer = generator.ask(msgspec.json.encode(order), window_s + _PATIENCE_S)
    return msgspec.json.decode(answer, type=Sample)


def _add_last_words(sample: Sample, server: Child) -> None:
    """Say so where a round failed since the server is gone."""
    if server.has_ended():
        sample.fault = f"{sample.fault} (the server is gone: {server.last_words()})"


def with_rate(cell: Cell, samples: Iterable[Sample]) -> Cell:
    """The cell with the rate that is its share of what was measured.

    The capacity is the median throughput of its contestant's valid rounds under
    ``CAPACITY``; without one the rate stays open.
    """
    share = cell.workload.capacity_share
    measured = [
        it.throughput_per_s
        for it in samples
        if it.contestant == cell.contestant.name
        and it.workload == CAPACITY
        and it.is_valid
        and it.throughput_per_s is not None
    ]
    if share is None or not measured:
        return cell
    rate_per_s = round(share * statistics.median(measured), 1)
    return Cell(
        contestant=cell.contestant,
        workload=replace(cell.workload, rate_per_s=rate_per_s),
    )


def _briefly(cell: Cell) -> Cell:
    """The cell with a short window: bytes do not scatter as times do."""
    measure_s = min(cell.workload.measure_s, _WIRE_WINDOW_S)
    return Cell(
        contestant=cell.contestant,
        workload=replace(cell.workload, measure_s=measure_s),
    )
