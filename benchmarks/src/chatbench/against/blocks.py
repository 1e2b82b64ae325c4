"""Runs the cells of ``--against``: rounds of blocks, each on three fresh servers."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from subprocess import PIPE
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
from msgspec.structs import replace
from rich.console import Console

from chatbench.against import launch
from chatbench.against.interleaving import Block
from chatbench.against.sources import Tree
from chatbench.cells import Cell, Contestant, Order
from chatbench.children import running
from chatbench.contestants import twin
from chatbench.errors import BenchError, CannotCompare, ChildFailed
from chatbench.rounds import RunContext
from chatbench.samples import Sample
from chatbench.servers import StartedServer, serve_flags

_PATIENCE_S: Final = 60.0
"""How much longer than it measures a block may take, its logins included."""
_FIRST_S: Final = 4.0
"""How long a block of the first pass measures at least; or else as long as starting
took, if a second pass will fit. How long it took tells how many there can be."""
_LEAST_S: Final = 2.0
_SPARE: Final = 0.25
"""What part of a pass is not begun where time is short."""
_MOST: Final = 8
_OLD: Final = " old"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSize:
    """What is run of each cell, and how long.

    Attributes:
        passes: how often each cell has a block, on fresh servers; 0 for as often as
            there is time for.
        budget_s: about how long all of it takes.
        share: of its own CPU that the new server burns once more, planted on purpose.
        rounds: of each block.
        turn_s: about how long a turn takes; see ``turns``.
    """

    new: Tree
    old: Tree
    passes: int
    budget_s: float
    share: float = 0.0
    rounds: int = 4
    turn_s: float = 0.03


def versions(contestant: Contestant) -> tuple[Contestant, Contestant, Contestant]:
    """The new one, its twin, and the old one."""
    new = replace(contestant, name=f"{contestant.name} new")
    return new, twin(new), replace(contestant, name=contestant.name + _OLD)


def run_blocks(
    cells: Sequence[Cell], match: MatchSize, context: RunContext, notes: Console
) -> Iterator[Sample]:
    """Passes over all cells, each in an order of its own.

    Starting and logging in take longer on a busy machine: then there are fewer passes,
    and less is measured in each, so that the run ends in about the same time.

    Raises:
        CannotCompare: the old server cannot do what today's load asks for.
    """
    began_s = time.monotonic()
    passes, number = match.passes, 0
    starting_s: list[float] = []
    while number < max(passes, 1):
        left_s = match.budget_s - (time.monotonic() - began_s)
        notes.print(
            f"pass {number + 1} of {passes or 'a few'}: {len(cells)} cells; about "
            f"{left_s:.0f} s left",
            soft_wrap=True,
        )
        order = list(cells)
        context.draw("against", number).shuffle(order)
        for done, cell in enumerate(order):
            block_began_s = time.monotonic()
            left_s = match.budget_s - (block_began_s - began_s)
            starts_s = fmean(starting_s) if starting_s else 0.0
            blocks = (max(passes, 1) - number) * len(cells) - done
            measure_s = left_s / blocks - starts_s
            # Where no second pass will fit, the first one takes all of the time.
            if not passes and 4 * starts_s * len(cells) <= match.budget_s:
                measure_s = min(measure_s, max(starts_s, _FIRST_S))
            measure_s = max(measure_s, _LEAST_S)
            yield from _block(cell, match, context, number, measure_s)
            starting_s.append(time.monotonic() - block_began_s - measure_s)
        number += 1
        if not passes:
            fitting = match.budget_s / (time.monotonic() - began_s)
            passes = min(max(round(fitting - _SPARE), 1), _MOST)


def _block(
    cell: Cell, match: MatchSize, context: RunContext, number: int, measure_s: float
) -> list[Sample]:
    seed = context.draw(f"turns {cell.key}", number).randrange(2**31)
    first = number * match.rounds
    orders = [
        Order(
            cell=replace(cell, contestant=it),
            round=first,
            url="",
            server_pid=0,
            seed=seed,
        )
        for it in versions(cell.contestant)
    ]
    try:
        samples = _served(orders, match, context, measure_s)
    except (BenchError, msgspec.DecodeError) as error:
        samples = [_failed(orders, error)]
    last = samples[-1]
    if last.fault is not None and last.contestant.endswith(_OLD) and not number:
        raise CannotCompare(
            f"The server of {match.old.commit} cannot be compared: {last.fault}"
        )
    return samples


def _failed(orders: Sequence[Order], error: Exception) -> Sample:
    """The sample of the one whose process failed, or else of the first."""
    process = error.process if isinstance(error, ChildFailed) else ""
    named = [it for it in orders if process == _server_name(it.cell)] or orders
    return Sample(
        contestant=named[0].cell.contestant.name,
        workload=named[0].cell.workload.label,
        round=named[0].round,
        fault=str(error),
    )


def _server_name(cell: Cell) -> str:
    return f"the server of {cell.contestant.name}"


def _served(
    orders: list[Order], match: MatchSize, context: RunContext, measure_s: float
) -> list[Sample]:
    """Start all processes at once, and have the one load the others.

    Raises:
        ChildFailed: one of them did not do its part.
    """
    cores = context.cores
    with ExitStack() as opened:
        within = TemporaryDirectory(prefix="block-", dir=context.folder)
        folder = Path(opened.enter_context(within))
        servers: list[StartedServer] = []
        for order in orders:
            name = _server_name(order.cell)
            own = folder / str(len(servers))
            own.mkdir()
            command = _command(order.cell, match, own)
            process = running(name, command, core=cores.server, log=own / "server.log")
            servers.append(StartedServer(name, opened.enter_context(process)))
        generator = opened.enter_context(
            running(
                "the load generator",
                [sys.executable, "-m", "chatbench.against.interleaving"],
                core=cores.generator,
                log=folder / "generator.log",
                stdin=PIPE,
            )
        )
        ready = [
            replace(order, url=server.wait(), server_pid=server.pid)
            for order, server in zip(orders, servers, strict=True)
        ]
        block = Block(
            orders=tuple(ready),
            rounds=match.rounds,
            measure_s=measure_s,
            turn_s=match.turn_s,
        )
        answer = generator.ask(msgspec.json.encode(block), measure_s + _PATIENCE_S)
        return msgspec.json.decode(answer, type=list[Sample])


def _command(cell: Cell, match: MatchSize, folder: Path) -> list[str]:
    is_old = cell.contestant.name.endswith(_OLD)
    tree, share = (match.old, 0.0) if is_old else (match.new, match.share)
    launcher = [sys.executable, "-P", launch.__file__, str(tree.source), str(share)]
    return [*launcher, "serve", *serve_flags(cell, folder)]
