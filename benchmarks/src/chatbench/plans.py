"""What is compared: the plans, as data.

A plan is a list of cells, and how often each is run. The main grid is each transport on
each store with the same codec, each with a twin; every other question varies one thing
of it. A round is every cell once. ``rounds`` runs them.
"""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from chatbench.cells import Cell, Contestant, Workload
from chatbench.contestants import STORES, TRANSPORTS, ChatContestant, echo, over, twin
from chatbench.errors import CannotCompare
from chatbench.request import OwnLoad
from chatbench.results import Plan as PlanName
from chatbench.workloads import (
    CAPACITY,
    expected_s,
    idle,
    listing,
    logins,
    offline,
    rate,
    replay,
    rtt,
    share,
    throughput,
    timed,
)
from transports.codec import CODECS

_STEADY: Final = (rtt(), throughput(8, 16))
_MAPPED: Final = ("tcp", "websocket")
"""The transports that have more codecs than protobuf."""


class Plan(Struct, frozen=True, kw_only=True):
    """What a run does.

    Attributes:
        rounds: how often each cell is run, each time on a fresh server.
        cells: each once; a cell's ``key`` is unique.
        wire_labels: workloads whose bytes on the wire are counted, in a pass of their
            own after the rounds.
        peer_labels: those of its workloads that others' servers are put under.
        is_result: whether what comes out may be cited.
        has_micro: whether codecs and stores are also measured alone.
    """

    name: PlanName
    rounds: int
    cells: tuple[Cell, ...]
    wire_labels: tuple[str, ...]
    peer_labels: tuple[str, ...] = ("rtt", CAPACITY)
    is_result: bool = True
    has_micro: bool = True

    @property
    def wire_cells(self) -> list[Cell]:
        """What the pass that counts bytes runs: a twin's are the same, left out."""
        return [
            it
            for it in self.cells
            if it.workload.label in self.wire_labels and it.contestant.twin_of is None
        ]

    @property
    def contestants(self) -> list[Contestant]:
        """Each once, in the order of the cells."""
        return list({it.contestant.name: it.contestant for it in self.cells}.values())

    @property
    def workloads(self) -> list[Workload]:
        """Each once, in the order of the cells."""
        return list({it.workload.label: it.workload for it in self.cells}.values())

    @property
    def expected_s(self) -> float:
        """About how long all of it takes."""
        rounds_s = self.rounds * sum(expected_s(it.workload) for it in self.cells)
        return rounds_s + sum(expected_s(it.workload) for it in self.wire_cells)


def _cross(
    contestants: Iterable[Contestant], workloads: Sequence[Workload]
) -> list[Cell]:
    return [
        Cell(contestant=contestant, workload=workload)
        for contestant, workload in product(contestants, workloads)
    ]


def _make(cells: Iterable[Cell], *, warm_up_s: float, measure_s: float) -> list[Cell]:
    """Each cell once, with these times."""
    return list({it.key: _timed(it, warm_up_s, measure_s) for it in cells}.values())


def _timed(cell: Cell, warm_up_s: float, measure_s: float) -> Cell:
    """The cell with these times; 0 leaves one as it is."""
    load = cell.workload
    warm_up_s, measure_s = warm_up_s or load.warm_up_s, measure_s or load.measure_s
    return replace(cell, workload=timed(load, warm_up_s=warm_up_s, measure_s=measure_s))


def quick() -> Plan:
    """A look in under two minutes."""
    chats = [ChatContestant(*it) for it in product(TRANSPORTS, STORES)]
    contestants = [it.plain() for it in chats]
    contestants += [it.plain("msgpack") for it in chats if it.transport in _MAPPED]
    cells = _cross(contestants, _STEADY)
    return Plan(
        name="quick",
        rounds=3,
        cells=tuple(_make(cells, warm_up_s=0.2, measure_s=0.45)),
        wire_labels=(CAPACITY,),
        is_result=False,
        has_micro=False,
    )


def _grid() -> list[Contestant]:
    """The main grid, and its twins."""
    plain = [ChatContestant(*it).plain() for it in product(TRANSPORTS, STORES)]
    return [*plain, *map(twin, plain)]


def _variants(chats: Sequence[ChatContestant]) -> list[Contestant]:
    """What varies one thing, and is asked about under the load that fills a server."""
    return [
        *(it.single() for it in chats),
        *(it.library() for it in chats),
        *(it.unary() for it in chats if it.transport == "grpc"),
        *(echo(it, "single") for it in TRANSPORTS),
    ]


def _everywhere(chats: Sequence[ChatContestant]) -> list[Cell]:
    """The workloads that have no contestants of their own."""
    other = [offline(10_000), logins(200), listing(100_000), idle(1_000), replay(32)]
    return _cross([it.plain() for it in chats], other)


def standard() -> Plan:
    """What the published figures come from; under half an hour."""
    chats = [ChatContestant(it) for it in TRANSPORTS]
    loads = [throughput(8, 1), throughput(8, 4), throughput(8, 64), throughput(1000, 1)]
    rates = [rate(2_000), rate(4_000), rate(8_000), share(50), share(90)]
    loops = [ChatContestant(*it).uvloop() for it in product(TRANSPORTS, STORES)]
    coded = [
        ChatContestant(it).plain(codec)
        for it in _MAPPED
        for codec in ("json", "msgpack")
    ]
    cells = [
        *_cross(_grid(), _STEADY),
        *_cross([it.plain() for it in chats], [*loads, *rates]),
        *_cross(coded, _STEADY),
        *_cross([echo(it) for it in TRANSPORTS], _STEADY),
        *_cross([*_variants(chats), *loops], [throughput(8, 16)]),
        *_everywhere(chats),
    ]
    return Plan(
        name="standard",
        rounds=8,
        cells=tuple(_make(cells, warm_up_s=0.2, measure_s=0.8)),
        wire_labels=("rtt", CAPACITY),
    )


def full() -> Plan:
    """Everything, with more rounds and longer windows; under an hour and a half."""
    chats = [ChatContestant(*it) for it in product(TRANSPORTS, STORES)]
    on_disk = [it for it in chats if it.store == "sqlite"]
    loads = [throughput(8, 1), throughput(8, 4), throughput(8, 64), throughput(1000, 1)]
    sizes = [throughput(8, 16, body_bytes=it) for it in (1_024, 16_384)]
    rates = [rate(it) for it in (1_000, 2_000, 4_000, 8_000)]
    rates += [share(it) for it in (10, 30, 50, 70, 90)]
    coded = [
        it.plain(codec)
        for it in chats
        if it.transport in _MAPPED
        for codec in ("json", "msgpack")
    ]
    cells = [
        *_cross(_grid(), [*_STEADY, throughput(8, 64)]),
        *_cross([it.plain() for it in chats], loads),
        *_cross([it.plain() for it in on_disk], [*sizes, *rates]),
        *_cross(coded, _STEADY),
        *_cross([echo(it) for it in TRANSPORTS], [*_STEADY, *loads[:3], *sizes]),
        *_cross(_variants(on_disk), [throughput(8, 16)]),
        *_cross([it.uvloop() for it in chats], _STEADY),
        *_everywhere(on_disk),
    ]
    return Plan(
        name="full",
        rounds=11,
        cells=tuple(_make(cells, warm_up_s=0.3, measure_s=1.5)),
        wire_labels=("rtt", CAPACITY, *(it.label for it in sizes)),
    )


def concurrency() -> Plan:
    """From one message under way to 512: what each costs a server; half an hour.

    One pair and one message is a lone message, 200 pairs are people who chat, and the
    others are what fills a server.
    """
    return _concurrency("concurrency", rounds=9, warm_up_s=0.3, measure_s=1.0)


def quick_concurrency() -> Plan:
    """A look at the same in a few minutes."""
    plan = _concurrency("quick-concurrency", rounds=3, warm_up_s=0.2, measure_s=0.4)
    return replace(plan, is_result=False)


def _concurrency(
    name: PlanName, *, rounds: int, warm_up_s: float, measure_s: float
) -> Plan:
    chats = [ChatContestant(*it) for it in product(TRANSPORTS, STORES)]
    on_tcp = [it for it in chats if it.transport == "tcp"]
    contestants = [it.plain() for it in chats]
    contestants += [it.plain("msgpack") for it in chats if it.transport in _MAPPED]
    contestants += [it.uvloop() for it in on_tcp]
    contestants += [twin(it.plain("msgpack")) for it in on_tcp]
    loads = [throughput(*it) for it in ((8, 64), (8, 16), (200, 1), (1, 1))]
    cells = _make(_cross(contestants, loads), warm_up_s=warm_up_s, measure_s=measure_s)
    return Plan(
        name=name,
        rounds=rounds,
        cells=tuple(cells),
        wire_labels=(),
        peer_labels=tuple(it.label for it in loads),
        has_micro=False,
    )


PLANS: Final = {
    "quick": quick,
    "standard": standard,
    "full": full,
    "concurrency": concurrency,
    "quick-concurrency": quick_concurrency,
}


def own(load: OwnLoad, codecs: Sequence[str]) -> Plan:
    """One load, of somebody's own, on each transport and store; with twins.

    A transport that carries none of these codecs has protobuf.

    Raises:
        CannotCompare: there is no such codec.
    """
    _check("codec", codecs, set(CODECS))
    chats = [ChatContestant(*it) for it in product(TRANSPORTS, STORES)]
    contestants = [
        it.plain(codec)
        for it in chats
        for codec in (codecs if it.transport in _MAPPED and codecs else ("protobuf",))
    ]
    loads = [
        rate(load.rate_per_s, load.pairs, size)
        if load.rate_per_s
        else throughput(load.pairs, load.in_flight, size)
        for size in load.body_bytes
    ]
    cells = _cross([*contestants, *map(twin, contestants)], loads)
    return Plan(
        name="own",
        rounds=5,
        cells=tuple(_make(cells, warm_up_s=0.3, measure_s=1.0)),
        wire_labels=tuple(it.label for it in loads),
        peer_labels=tuple(it.label for it in loads),
        has_micro=False,
    )


def with_times(plan: Plan, *, warm_up_s: float, measure_s: float) -> Plan:
    """The plan with these times in each load that time ends; 0 leaves one as it is."""
    cells = tuple(_timed(it, warm_up_s, measure_s) for it in plan.cells)
    shorter = any(
        new.workload.measure_s < old.workload.measure_s
        for new, old in zip(cells, plan.cells, strict=True)
    )
    return replace(plan, cells=cells, is_result=plan.is_result and not shorter)


def with_stores(plan: Plan, stores: Sequence[str], *, plugin: str = "") -> Plan:
    """The plan, and over those of the stores that are URLs what it has on the disk.

    ``plugin`` is a file that their servers load for their schemes. Lists are left out,
    whose databases are prepared beforehand, as SQLite's.

    Raises:
        CannotCompare: a URL names the same store for all servers.
    """
    on_disk = [
        it
        for it in plan.cells
        if it.contestant.store == ChatContestant("").store
        and it.workload.name != "list"
    ]
    urls = [it for it in stores if ":" in it]
    for url in urls:
        if "{folder}" not in url:
            raise CannotCompare(
                f"Each server needs a fresh store: put {{folder}} into {url}, for a "
                "folder of its own or as a name."
            )
    added = (
        replace(it, contestant=over(url, it.contestant, plugin=plugin))
        for url in urls
        for it in on_disk
        if it.contestant.framing == "batch"  # the other is not the product's server
    )
    return replace(plan, cells=(*plan.cells, *added))


def with_peers(plan: Plan, peers: Sequence[Contestant]) -> Plan:
    """The plan, and others' servers under those of its loads that are for them too.

    Raises:
        CannotCompare: none is left of these.
    """
    loads = [it for it in plan.workloads if it.label in plan.peer_labels]
    if not loads:
        listed = " and ".join(plan.peer_labels)
        raise CannotCompare(f"Others' servers are compared under {listed}.")
    return replace(plan, cells=(*plan.cells, *_cross(peers, loads)))


def narrow(
    plan: Plan,
    *,
    transports: Sequence[str] = (),
    stores: Sequence[str] = (),
    codecs: Sequence[str] = (),
    workloads: Sequence[str] = (),
    rounds: int = 0,
) -> Plan:
    """The part of a plan that has these; nothing given is all.

    A workload is meant by its name or its label. Who is loaded by a share of its
    capacity keeps the cell that finds that out, and an echo belongs to every store.
    With fewer rounds than the plan's own it is no result.

    Raises:
        CannotCompare: a name that the plan has not, or nothing is left.
    """
    known_workloads = {it.label for it in plan.workloads}
    known_workloads |= {it.name for it in plan.workloads}
    _check("transport", transports, {it.transport for it in plan.contestants})
    _check("codec", codecs, {it.codec for it in plan.contestants} - {"none"})
    _check("store", stores, {it.store for it in plan.contestants} - {"none"})
    _check("workload", workloads, known_workloads)
    among = [
        it
        for it in plan.cells
        if _is_one(it.contestant.transport, transports)
        and _has_codec(it.contestant, codecs)
        and (it.contestant.server == "echo" or _is_one(it.contestant.store, stores))
    ]
    kept = {
        it.key
        for it in among
        if _is_one(it.workload.name, workloads) or _is_one(it.workload.label, workloads)
    }
    kept |= {
        (it.contestant.name, CAPACITY)
        for it in among
        if it.key in kept and it.workload.capacity_share is not None
    }
    cells = tuple(it for it in among if it.key in kept)
    if not cells:
        raise CannotCompare("The plan has no cell with all of these.")
    return replace(
        plan,
        cells=cells,
        rounds=rounds or plan.rounds,
        is_result=plan.is_result and not 0 < rounds < plan.rounds,
    )


def _has_codec(contestant: Contestant, wanted: Sequence[str]) -> bool:
    """Whether it has one of these, or has no choice."""
    has_choice = contestant.transport in _MAPPED and contestant.server == "chat"
    return not has_choice or _is_one(contestant.codec, wanted)


def _is_one(name: str, wanted: Sequence[str]) -> bool:
    return not wanted or name in wanted


def _check(kind: str, wanted: Sequence[str], known: set[str]) -> None:
    for name in wanted:
        if name not in known:
            listed = ", ".join(sorted(known))
            raise CannotCompare(f"The plan has no {kind} {name!r}; it has {listed}.")
