"""The tables of what was compared: every row, every ratio, every peer."""

from collections.abc import Mapping

from chatbench.cells import Contestant
from chatbench.figures import measure_name
from chatbench.measures import WIRE_BYTES
from chatbench.report.markup import Row, Table, names
from chatbench.report.wording import ABSENT, exact, interval, mebibytes, number, share
from chatbench.results import Result, Results
from chatbench.samples import Percentiles

_PERCENTILES = ("p50", "p90", "p99", "p999", "max")
_LATENCIES = "|".join(
    f"{kind} samples|" + "|".join(f"{kind} {name}, µs" for name in _PERCENTILES)
    for kind in ("latency", "receipt")
)
_GRID = names(
    "contestant|workload|marks|transport|codec|store|server|framing|driver|loop|load"
    "|pairs|in flight|body, bytes|rounds|disturbed rounds"
    "|messages|lost|duplicated|out of order|messages/s"
    "|server CPU, µs a message|of it user|of it system|of it gRPC's threads"
    "|generator CPU, µs a message|generator's core"
    f"|{_LATENCIES}|frames up a message|frames down a message"
    "|bytes up a message|bytes down a message|server memory, MiB|extras|faults"
)
_GRID_WORDS = frozenset({*range(1, 11), len(_GRID) - 2, len(_GRID) - 1})
TABLES: Mapping[str, str] = {
    "transports": "transport against transport, with the same codec and store",
    "codecs": "codec against codec, on the same transport",
    "stores": "store against store, on the same transport",
    "floor": "the chat against its transport that echoes without one",
    "calls": "gRPC's unary calls against its stream of frames",
    "frames": "one message a frame against all that waits in one",
    "engines": "a tuned event loop against the default one",
    "clients": "our client library against a bare wire as the load",
    "peers": "others' servers against this one",
    "twins": "each twin against its identical original: the noise",
}


def marks(row: Result, contestant: Contestant | None) -> str:
    """What a reader must know of a row before using it."""
    said = []
    if not row.valid:
        said.append("INVALID")
    if row.generator_bound:
        said.append("generator-bound")
    if row.disturbed_rounds:
        said.append(f"{row.disturbed_rounds} of {row.rounds} rounds disturbed")
    if contestant is not None and contestant.twin_of is not None:
        said.append(f"twin of {contestant.twin_of}")
    if contestant is not None and contestant.planted is not None:
        said.append(f"planted {contestant.planted}")
    return ", ".join(said)


def _percentiles(latency: Percentiles | None) -> list[str]:
    if latency is None:
        return [ABSENT] * (1 + len(_PERCENTILES))
    values = (latency.p50, latency.p90, latency.p99, latency.p999, latency.max)
    return [f"{latency.samples:,}", *map(number, values)]


def _pairs_of(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} = {number(value)}" for name, value in values.items())


def grid(results: Results) -> Table:
    """Every row with all its fields; those that failed are alarming."""
    contestants = {each.name: each for each in results.contestants}
    rows = []
    for row in results.results:
        wire = row.wire_bytes_per_message
        cells = [
            row.contestant,
            row.label,
            marks(row, contestants.get(row.contestant)),
            *(row.transport, row.codec, row.store, row.server),
            *(row.framing, row.driver, row.loop, row.workload),
            *(f"{each:,}" for each in (row.pairs, row.in_flight, row.body_bytes)),
            *(str(each) for each in (row.rounds, row.disturbed_rounds)),
            *(f"{each:,}" for each in (row.messages, row.lost)),
            *(f"{each:,}" for each in (row.duplicated, row.out_of_order)),
            number(row.throughput_per_s),
            number(row.server_cpu_us_per_message),
            number(row.server_user_us_per_message),
            number(row.server_system_us_per_message),
            number(row.server_grpc_us_per_message),
            number(row.generator_cpu_us_per_message),
            share(row.generator_core_share),
            *_percentiles(row.latency_us),
            *_percentiles(row.receipt_us),
            *(number(row.frames_up), number(row.frames_down)),
            number(wire.up if wire is not None else None),
            number(wire.down if wire is not None else None),
            mebibytes(row.server_rss_bytes),
            _pairs_of(row.extras),
            "; ".join(row.faults),
        ]
        rows.append(Row(cells=cells, is_alarming=not row.valid))
    return Table(
        slug="grid",
        caption="All rows: medians of the valid rounds",
        columns=_GRID,
        rows=rows,
        words=_GRID_WORDS,
    )


def ratio_tables(results: Results) -> list[Table]:
    """One for each comparison, in the order of the run."""
    tables = dict.fromkeys(ratio.table for ratio in results.ratios)
    return [
        Table(
            slug=f"ratios-{place}",
            caption=f"{name}: {TABLES[name]}" if name in TABLES else name,
            columns=names(
                "of|to|workload|measure|ratio|95 % interval|finding|noise|rounds"
            ),
            rows=[
                Row(
                    cells=(
                        *(ratio.of, ratio.to, ratio.label, measure_name(ratio.measure)),
                        exact(ratio.ratio),
                        "counted"
                        if ratio.measure == WIRE_BYTES
                        else interval(ratio.low, ratio.high, exact),
                        ratio.finding,
                        exact(ratio.noise),
                        str(ratio.rounds),
                    )
                )
                for ratio in results.ratios
                if ratio.table == name
            ],
            words=frozenset({1, 2, 3, 6}),
        )
        for place, name in enumerate(tables)
    ]


def peers(results: Results) -> list[Table]:
    """Others' servers: a table for each set of promises, the cheapest first."""
    promises = {peer.name: peer for peer in results.peers}
    groups: dict[tuple[bool, bool, bool], list[Result]] = {}
    for row in results.results:
        if (peer := promises.get(row.contestant)) is not None:
            promise = (peer.acknowledged, peer.stored, peer.synced)
            groups.setdefault(promise, []).append(row)
    for rows in groups.values():
        rows.sort(key=lambda row: row.server_cpu_us_per_message or float("inf"))
    return [
        Table(
            slug="peers-" + "".join("ny"[kept] for kept in promise),
            caption="Peers that promise: "
            + ", ".join(
                f"{'' if kept else 'not '}{word}"
                for kept, word in zip(
                    promise, ("acknowledged", "stored", "synced to disk"), strict=True
                )
            ),
            columns=names(
                "server|version|workload|marks|messages/s|server CPU, µs a message"
                "|delivery, median, µs"
            ),
            rows=[
                Row(
                    cells=(
                        *(row.contestant, promises[row.contestant].version),
                        *(row.label, marks(row, None)),
                        number(row.throughput_per_s),
                        number(row.server_cpu_us_per_message),
                        number(row.latency_us.p50 if row.latency_us else None),
                    ),
                    is_alarming=not row.valid,
                )
                for row in rows
            ],
            words=frozenset({1, 2, 3}),
        )
        for promise, rows in sorted(groups.items())
    ]
