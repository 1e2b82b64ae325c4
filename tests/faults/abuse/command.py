"""``python -m tests.faults abuse``: every attack, a table, and an exit status."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from chatbench.machine import Cores, commit_of_source, describe_machine
from tests.faults.abuse.attack_run import attack_run
from tests.faults.abuse.catalogue import ATTACKS
from tests.faults.abuse.outcomes import Outcome
from tests.faults.abuse.tables import print_outcome, print_table
from tests.faults.abuse.targets import Attack
from transports.registry import SCHEMES

_LOOPS: Final = ("asyncio", "uvloop")
_SECONDS: Final = 3.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcomes")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="this attack; repeatable"
    )
    parser.add_argument("--transport", choices=list(SCHEMES), action="append")
    parser.add_argument(
        "--loop", choices=_LOOPS, help="the server's; without it, each in turn"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=_SECONDS,
        help="how long an attack takes that needs no time of its own (%(default)s)",
    )
    parser.add_argument(
        "--serve",
        action="append",
        default=[],
        metavar="FLAG",
        help="a flag for chatcore serve, such as --serve=--limit=grace_s=5",
    )
    parser.add_argument("--list", action="store_true", help="name the attacks")


def main(options: argparse.Namespace) -> int:
    """Run the attacks that were asked for; 1 if any has failed."""
    chosen = [it for it in ATTACKS if not options.only or it.name in options.only]
    unknown = set(options.only or ()) - {it.name for it in ATTACKS}
    if unknown:
        sys.stderr.write(f"There is no attack {', '.join(sorted(unknown))}.\n")
        return 2
    if options.list:
        for attack in chosen:
            where = ", ".join(attack.transports)
            sys.stdout.write(f"{attack.name:20} {attack.says} [{where}]\n")
        return 0
    console = Console(width=max(Console().width, 120), highlight=False)
    began_s = time.monotonic()
    outcomes: list[Outcome] = []
    with attack_run(options.serve) as shared:
        for attack, transport, loop in _cells(chosen, options):
            outcome = shared.run(attack, transport, loop, seconds=options.seconds)
            outcomes.append(outcome)
            print_outcome(console, outcome)
            if options.json is not None:
                # Each time, so that a run that is interrupted leaves what it has.
                took_s = time.monotonic() - began_s
                options.json.write_bytes(_as_json(outcomes, took_s))
    print_table(console, outcomes, time.monotonic() - began_s)
    return 0 if outcomes and all(it.passed for it in outcomes) else 1


def _cells(
    chosen: Sequence[Attack], options: argparse.Namespace
) -> Iterator[tuple[Attack, str, str]]:
    """Each attack on each transport, on one loop or on each in turn."""
    loops = cycle([options.loop] if options.loop else _LOOPS)
    for attack in chosen:
        for transport in options.transport or SCHEMES:
            if transport in attack.transports:
                yield attack, transport, next(loops)


def _as_json(outcomes: Sequence[Outcome], took_s: float) -> bytes:
    told = {
        "commit": commit_of_source(),
        "machine": msgspec.to_builtins(describe_machine(Cores(None, None))),
        "took_s": round(took_s, 1),
        "outcomes": [
            msgspec.to_builtins(it) | {"passed": it.passed} for it in outcomes
        ],
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"
