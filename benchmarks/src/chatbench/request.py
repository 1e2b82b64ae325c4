"""What a person asked the comparison for."""

from dataclasses import dataclass
from pathlib import Path

from chatbench.results import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLoad:
    """The traffic that somebody asks about.

    Attributes:
        pairs: senders, each with a recipient of its own.
        in_flight: messages that a pair keeps under way, where there is no rate.
        body_bytes: sizes, a load for each.
        rate_per_s: of all pairs together, in an open loop; 0 for a closed one.
    """

    pairs: int = 8
    in_flight: int = 16
    body_bytes: tuple[int, ...] = (64,)
    rate_per_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchRequest:
    """See ``plans.narrow`` for what narrows it.

    Attributes:
        own: the load of the plan ``own``; None for every other.
        codecs: those to compare; none for the plan's own.
        warm_up_s: before anything is measured; 0 for the plan's own.
        measure_s: of each round; 0 for the plan's own.
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
    own: OwnLoad | None = None
    codecs: tuple[str, ...] = ()
    warm_up_s: float = 0.0
    measure_s: float = 0.0
    rounds: int = 0
    seed: int = 0
    as_json: bool = False
    peers: bool = False
    against: str = ""
    fails_on_worse: bool = False
