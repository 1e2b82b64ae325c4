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
from chatbench.against.sources import Tree
from chatbench.against.turns import Block
from chatbench.cells import Cell, Contestant, Order
from chatbench.children import running
from chatbench.contestants import twin
from chatbench.errors import BenchError, CannotCompare, ChildFailed
from chatbench.rounds import Ground
from chatbench.samples import Sample
from chatbench.servers import StartedServer, serve_flags

_PATIENCE_S: Final = 60.0
"""How much longer than it measures a block may take, its logins included."""
_LEAST_SHARE: Final = 0.2
"""Of a block's time that is measured at least."""
_OLD: Final = " old"
BLOCK_S: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What is run of each cell, and how long.

    Attributes:
        share: of its own CPU that the new server burns once more, planted on purpose.
        blocks: of each cell, each with fresh servers.
        rounds: of each block.
        block_s: how long a block takes on average, its start and logins included.
        turn_s: about how long a turn takes; see ``turns``.
    """

    new: Tree
    old: Tree
    blocks: int
    share: float = 0.0
    rounds: int = 6
    block_s: float = BLOCK_S
    turn_s: float = 0.03


def versions(contestant: Contestant) -> tuple[Contestant, Contestant, Contestant]:
    """The new one, its twin, and the old one."""
    new = replace(contestant, name=f"{contestant.name} new")
    return new, twin(new), replace(contestant, name=contestant.name + _OLD)


def run_blocks(
    cells: Sequence[Cell], match: Match, ground: Ground, notes: Console
) -> Iterator[Sample]:
    """Every cell once, in an order of its own, and so ``match.blocks`` times.

    Starting and logging in take longer on a busy machine: then less is measured, so
    that the run ends in about the same time.

    Raises:
        CannotCompare: the old server cannot do what today's load asks for.
    """
    due_s = time.monotonic()
    starting_s: list[float] = []
    for number in range(match.blocks):
        left_s = (match.blocks - number) * len(cells) * match.block_s
        notes.print(
            f"blocks {number + 1} of {match.blocks}: {len(cells)} cells; about "
            f"{left_s:.0f} s left",
            soft_wrap=True,
        )
        order = list(cells)
        ground.draw("against", number).shuffle(order)
        for cell in order:
            due_s += match.block_s
            block_began_s = time.monotonic()
            left_s = due_s - block_began_s - (fmean(starting_s) if starting_s else 0.0)
            measure_s = max(left_s, _LEAST_SHARE * match.block_s)
            yield from _block(cell, match, ground, number, measure_s)
            starting_s.append(time.monotonic() - block_began_s - measure_s)


def _block(
    cell: Cell, match: Match, ground: Ground, number: int, measure_s: float
) -> list[Sample]:
    seed = ground.draw(f"turns {cell.key}", number).randrange(2**31)
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
        samples = _served(orders, match, ground, measure_s)
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
    orders: list[Order], match: Match, ground: Ground, measure_s: float
) -> list[Sample]:
    """Start all processes at once, and have the one load the others.

    Raises:
        ChildFailed: one of them did not do its part.
    """
    cores = ground.cores
    with ExitStack() as opened:
        within = TemporaryDirectory(prefix="block-", dir=ground.folder)
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
                [sys.executable, "-m", "chatbench.against.turns"],
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


def _command(cell: Cell, match: Match, folder: Path) -> list[str]:
    is_old = cell.contestant.name.endswith(_OLD)
    tree, share = (match.old, 0.0) if is_old else (match.new, match.share)
    launcher = [sys.executable, "-P", launch.__file__, str(tree.source), str(share)]
    return [*launcher, "serve", *serve_flags(cell, folder)]
