"""The tables of the comparison: who is set over whom, and what comes out.

Each table varies one attribute of a contestant and holds all others equal; who belongs
to whom is found by the attributes, never by names. A ratio is taken within each round,
and its median over the rounds (``statistics``).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, TypeAlias

from msgspec.structs import asdict

from chatbench.cells import Contestant, Workload
from chatbench.measures import (
    GENERATOR_CPU,
    OF_THE_LIMIT,
    TIMED,
    WIRE_BYTES,
    measures_of,
    series_of,
    wire_bytes,
)
from chatbench.results import Finding, Peer, Ratio, Result
from chatbench.samples import Sample
from chatbench.statistics import Bootstrap, Interval, Noise, paired

Attributes: TypeAlias = Mapping[str, str]

_CHAT: Final = {"server": "chat"}
_LEAN: Final = {"driver": "lean"}
_BATCH: Final = {"framing": "batch"}
_ASYNCIO: Final = {"loop": "asyncio"}
_PROTOBUF: Final = {"codec": "protobuf"}
_PLAIN: Final = {**_CHAT, **_LEAN, **_BATCH, **_ASYNCIO}
_ECHO: Final = {"server": "echo", "codec": "none", "store": "none"}
_FLOOR: Final = {**_ECHO, **_LEAN, **_BATCH, **_ASYNCIO}
_ONE_OR_ALL: Final = ({"framing": "single"}, {"framing": "batch"})


@dataclass(frozen=True, slots=True)
class Question:
    """Pairs of a table: of those ``among`` contestants, ``of`` over ``to``.

    Attributes not named in ``of`` and ``to`` are equal in both of a pair.
    """

    table: str
    among: Attributes
    of: Attributes
    to: Attributes

    def pairs(
        self, contestants: Sequence[Contestant]
    ) -> Iterator[tuple[Contestant, Contestant]]:
        """Who is above the line, and who is below it."""
        able = [it for it in contestants if it.twin_of is None and it.planted is None]
        above = [it for it in able if _has(it, {**self.among, **self.of})]
        below = [it for it in able if _has(it, {**self.among, **self.to})]
        varied = self.of.keys() | self.to.keys()
        for one, other in product(above, below):
            if _but(one, varied) == _but(other, varied):
                yield one, other


def _has(contestant: Contestant, attributes: Attributes) -> bool:
    return all(getattr(contestant, name) == it for name, it in attributes.items())


def _but(contestant: Contestant, varied: Iterable[str]) -> dict[str, str]:
    left_out = {"name", *varied}
    return {k: it for k, it in asdict(contestant).items() if k not in left_out}


def _over(
    table: str, among: Attributes, attribute: str, *pairs: tuple[str, str]
) -> list[Question]:
    return [Question(table, among, {attribute: a}, {attribute: b}) for a, b in pairs]


def _transports(codec: str) -> list[Question]:
    """Transport over transport, all with this codec."""
    among = {**_PLAIN, "codec": codec}
    pairs = [("websocket", "tcp"), ("grpc", "tcp"), ("grpc", "websocket")]
    return _over("transports", among, "transport", *pairs)


QUESTIONS: Final = (
    *_over("codecs", _PLAIN, "codec", ("json", "protobuf"), ("msgpack", "protobuf")),
    *_over("stores", _PLAIN, "store", ("sqlite", "memory")),
    Question("floor", {}, {**_PLAIN, **_PROTOBUF, "store": "memory"}, _FLOOR),
    Question("floor", {}, {**_PLAIN, **_PROTOBUF, "store": "sqlite"}, _FLOOR),
    *_over(
        "calls",
        {**_CHAT, **_BATCH, **_ASYNCIO, "transport": "grpc"},
        "driver",
        ("unary", "lean"),
    ),
    Question("frames", {**_CHAT, **_LEAN, **_ASYNCIO}, *_ONE_OR_ALL),
    Question("frames", {**_ECHO, **_LEAN, **_ASYNCIO}, *_ONE_OR_ALL),
    *_over("engines", {**_CHAT, **_LEAN, **_BATCH}, "loop", ("uvloop", "asyncio")),
    *_over("clients", {**_CHAT, **_BATCH, **_ASYNCIO}, "driver", ("library", "lean")),
)
"""All tables of our own contestants but those of the transports and the twins."""

_OURS: Final = {**_PLAIN, **_PROTOBUF, "transport": "tcp"}

Promise: TypeAlias = tuple[bool, bool, bool]
_PROMISES: Final[Mapping[str, Promise]] = {
    "memory": (True, False, False),
    "sqlite": (True, True, True),
}
"""What our stores promise: acknowledged, stored, synced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContestantPair:
    """Two contestants, one over the other, in a table."""

    table: str
    of: Contestant
    to: Contestant
    is_fair: bool = True


def matches(
    contestants: Sequence[Contestant], peers: Sequence[Peer] = ()
) -> list[ContestantPair]:
    """All that is compared: our tables, others' servers, and the twins."""
    codecs = [it.codec for it in contestants if _has(it, _PLAIN)]
    lead = "protobuf" if "protobuf" in codecs or not codecs else codecs[0]
    found = [
        ContestantPair(table=question.table, of=of, to=to)
        for question in (*_transports(lead), *QUESTIONS)
        for of, to in question.pairs(contestants)
    ]
    promises = {it.name: (it.acknowledged, it.stored, it.synced) for it in peers}
    ours = [it for it in contestants if it.twin_of is None and _has(it, _OURS)]
    found += [
        ContestantPair(
            table="peers",
            of=peer,
            to=it,
            is_fair=promises.get(peer.name) in {None, _PROMISES.get(it.store)},
        )
        for peer in contestants
        if peer.server == "peer" and peer.twin_of is None
        for it in ours
        if it.planted is None
    ]
    by_name = {it.name: it for it in contestants}
    found += [
        ContestantPair(table="twins", of=it, to=by_name[it.twin_of])
        for it in contestants
        if it.twin_of is not None and it.twin_of in by_name
    ]
    return found


def all_ratios(
    results: list[Result],
    samples: list[Sample],
    contestants: Sequence[Contestant],
    workloads: Sequence[Workload],
    *,
    seed: int,
    peers: Sequence[Peer] = (),
) -> list[Ratio]:
    """Every comparison that these cells allow, in the order of the tables.

    With the promises of ``peers`` a server of others is compared only with that of
    ours which promises the same of a message; the rest is not comparable.
    """
    return _Comparison(results, samples, contestants, seed).ratios(
        matches(contestants, peers), workloads
    )


class _Comparison:
    """All series of a run and their noise."""

    def __init__(
        self,
        results: list[Result],
        samples: list[Sample],
        contestants: Sequence[Contestant],
        seed: int,
    ) -> None:
        self._rows = {(it.contestant, it.label): it for it in results}
        measures = (*TIMED, GENERATOR_CPU)
        self._bootstrap = Bootstrap(seed)
        self._series = {it: series_of(samples, it) for it in measures}
        self._noise = {
            it: Noise(self._series[it], contestants, self._bootstrap) for it in measures
        }

    def ratios(
        self, pairs: Sequence[ContestantPair], workloads: Sequence[Workload]
    ) -> list[Ratio]:
        return [
            ratio
            for match in pairs
            for workload in workloads
            for measure in _measures(match.table, workload)
            if (ratio := self._ratio(match, workload.label, measure)) is not None
        ]

    def _ratio(self, match: ContestantPair, label: str, measure: str) -> Ratio | None:
        keys = (match.of.name, label), (match.to.name, label)
        rows = [self._rows[key] for key in keys if key in self._rows]
        if len(rows) < len(keys):
            return None
        if measure == WIRE_BYTES:
            return self._counted(match, label)
        series = self._series[measure]
        of, to = (series.get(key, {}) for key in keys)
        is_able = match.is_fair and all(it.valid for it in rows)
        if measure in OF_THE_LIMIT:
            is_able = is_able and not any(it.generator_bound for it in rows)
        # What failed is shown as not compared; what nobody measures is not shown.
        if not (of or to) or (is_able and not (of and to)):
            return None
        ratios = paired(of, to)
        twin = match.of.name if match.table == "twins" else None
        noise = self._noise[measure].at(label, but=twin)
        interval = self._bootstrap.of_ratios(ratios) if is_able else None
        return _judged(
            match,
            label,
            measure,
            None if interval is None else interval.widened(noise),
            rounds=len(ratios),
            noise=noise,
        )

    def _counted(self, match: ContestantPair, label: str) -> Ratio | None:
        """Bytes were counted in one pass: how they scatter is known beforehand."""
        rows = [self._rows[it.name, label] for it in (match.of, match.to)]
        of, to = map(wire_bytes, rows)
        if not of or not to:
            return None
        interval = None
        if match.is_fair and all(it.valid for it in rows):
            interval = Interval.counted(of / to)
        return _judged(match, label, WIRE_BYTES, interval, rounds=1, noise=None)


def _measures(table: str, workload: Workload) -> list[str]:
    of_the_client = [GENERATOR_CPU] if table == "clients" else []
    return [*measures_of(workload), WIRE_BYTES, *of_the_client]


def finding(interval: Interval | None) -> Finding:
    """What an interval says; one that holds 1 says no difference."""
    if interval is None:
        return "not comparable"
    if interval.low > 1:
        return "higher"
    if interval.high < 1:
        return "lower"
    return "no difference"


def _judged(
    match: ContestantPair,
    label: str,
    measure: str,
    interval: Interval | None,
    *,
    rounds: int,
    noise: float | None,
) -> Ratio:
    return Ratio(
        table=match.table,
        label=label,
        measure=measure,
        of=match.of.name,
        to=match.to.name,
        ratio=None if interval is None else interval.ratio,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        rounds=rounds,
        noise=noise,
        finding=finding(interval),
    )
