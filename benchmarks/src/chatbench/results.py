"""``results.json``: what a run measured, as a versioned schema.

``Results.version`` is raised when a field changes its meaning or goes; new fields may
come without. ``docs/benchmarks.md`` tells the same in prose.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from chatbench.cells import Contestant, Workload
from chatbench.samples import Percentiles, Sample, WireBytes

VERSION = 1

Plan: TypeAlias = Literal[
    "quick", "standard", "full", "concurrency", "quick-concurrency", "own"
]


class Machine(Struct, frozen=True, kw_only=True):
    """Where a run took place.

    Attributes:
        cores: what the run could use.
        pinned: whether server and generator each had a core of their own.
        versions: of Python and of each library that is measured.
    """

    system: str
    cpu: str
    cores: int
    memory_bytes: int
    pinned: bool
    versions: dict[str, str]


class SourceLines(Struct, frozen=True, kw_only=True):
    """Lines of code (no blank lines, comments or docstrings) that a transport needs.

    Attributes:
        transport: its own package.
        framing: what cuts bytes into frames, where a library does not.
        schema: the schema's lines that only it needs (gRPC's service).
        generated: generated lines that only it needs.
        unary: of ``transport``, what is in modules that only gRPC's unary calls need:
            other transports have nothing like it.
    """

    transport: int
    framing: int
    schema: int
    generated: int
    unary: int = 0


class Result(Struct, kw_only=True):
    """One cell over all rounds; figures are medians of the valid ones.

    ``latency_us`` and ``receipt_us`` are of all valid rounds together. A field is null
    where it was not measured.
    """

    contestant: str
    transport: str
    codec: str
    store: str
    server: str
    framing: str
    driver: str
    loop: str
    workload: str
    label: str
    in_flight: int
    pairs: int
    body_bytes: int
    rounds: int
    disturbed_rounds: int
    messages: int
    lost: int
    duplicated: int
    out_of_order: int
    valid: bool
    generator_bound: bool
    faults: list[str]
    throughput_per_s: float | None
    server_cpu_us_per_message: float | None
    server_user_us_per_message: float | None
    server_system_us_per_message: float | None
    server_grpc_us_per_message: float | None
    generator_cpu_us_per_message: float | None
    generator_core_share: float | None
    latency_us: Percentiles | None
    receipt_us: Percentiles | None
    latency_histogram: str | None
    frames_up: float | None
    frames_down: float | None
    wire_bytes_per_message: WireBytes | None
    server_rss_bytes: int | None
    extras: dict[str, float]


Finding: TypeAlias = Literal["higher", "lower", "no difference", "not comparable"]


class Ratio(Struct, frozen=True, kw_only=True):
    """One contestant's figure over another's, round by round.

    Attributes:
        table: the comparison that it belongs to, such as ``transports``.
        label: the workload.
        measure: ``server_cpu_us_per_message``, ``throughput_per_s``, ``p50_us`` …
        of: the contestant above the line.
        to: the one below it.
        ratio: the median over the rounds.
        low: with ``high``, the bootstrap's 95 % interval of that median, widened on
            both sides by ``noise``. An interval that holds 1 is no difference.
        noise: how far twins were apart in this run for this measure, as a ratio of at
            least 1: of all pairs of twins, the median that is farthest from 1. None
            where the run had no twins.
    """

    table: str
    label: str
    measure: str
    of: str
    to: str
    ratio: float | None
    low: float | None
    high: float | None
    rounds: int
    noise: float | None
    finding: Finding


class Verdict(Struct, frozen=True, kw_only=True):
    """What the run says of one of the five claims, for one reading of it."""

    claim: str
    reading: str
    verdict: str
    figures: str


class Peer(Struct, frozen=True, kw_only=True):
    """What another's server promises for a message, in the row that names it."""

    name: str
    version: str
    acknowledged: bool
    stored: bool
    synced: bool


class Results(Struct, kw_only=True):
    """All of a run.

    Attributes:
        version: of this schema.
        plan: which one was run.
        is_result: false where too little was run for anybody to cite it.
        command: what ran it.
        commit: of the tree, with ``+`` if it had changes; ``unknown`` outside one.
        settings: what each transport was set to (NODELAY, keepalive, compression …).
    """

    version: int
    plan: Plan
    is_result: bool
    command: str
    commit: str
    began_at: str
    seconds: float
    seed: int
    rounds: int
    machine: Machine
    settings: dict[str, str]
    contestants: list[Contestant]
    workloads: list[Workload]
    results: list[Result]
    ratios: list[Ratio]
    verdicts: list[Verdict]
    advice: list[str]
    source_lines: dict[str, SourceLines]
    codec_us_per_message: dict[str, dict[str, float]]
    store_us_per_message: dict[str, dict[str, float]]
    peers: list[Peer]
    samples: list[Sample]
