"""What a person asked the comparison for."""

from dataclasses import dataclass
from pathlib import Path

from chatbench.results import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchRequest:
    """See ``plans.narrow`` for what narrows it.

    Attributes:
        command: the words that asked for it, as results.json tells them.
        out: the folder of results.json and report.html.
        plugin: a file that servers load for the URLs among the stores.
        rounds: 0 for the plan's own.
        seed: 0 to have one drawn.
        as_json: print results.json instead of tables.
        peers: others' servers too, those that are installed.
        against: the commit whose server is set beside this one; empty for the plan.
        fails_on_worse: whether it is a failure when this one is found worse.
    """

    plan: Plan
    command: str
    out: Path
    transports: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    plugin: str = ""
    workloads: tuple[str, ...] = ()
    rounds: int = 0
    seed: int = 0
    as_json: bool = False
    peers: bool = False
    against: str = ""
    fails_on_worse: bool = False
