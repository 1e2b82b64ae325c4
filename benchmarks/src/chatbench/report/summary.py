"""What a person reads first: the headline, what to distrust, the run at a glance."""

from chatbench.figures import listed, store_name, transport_name
from chatbench.measures import CPU, THROUGHPUT
from chatbench.report.markup import Row, Table
from chatbench.report.selection import (
    HEADLINE_CODEC,
    Selection,
    percentile,
    stores,
    transports,
)
from chatbench.report.wording import interval, number
from chatbench.results import Ratio, Result, Results


def headline(results: Results) -> str:
    """One sentence: the same codec on all transports, CPU a message and throughput."""
    selection = Selection(results)
    label = selection.headline_label()
    rows = [row for row in selection.plain() if row.label == label]
    if label is None or len(transports(rows)) < 2:  # noqa: PLR2004  nothing to compare
        return (
            "This run does not compare transports with the same codec: it has fewer "
            "than two of them under the same load."
        )
    store = stores(rows)[0]
    base, *others = [
        next(row for row in rows if (row.store, row.transport) == (store, each))
        for each in transports([row for row in rows if row.store == store])
    ]
    name = transport_name(base.transport)
    parts = [f"a message costs the server {number(_figure(base, CPU))} µs of CPU "]
    parts[0] += f"on {name}"
    parts += [_against(row, base, CPU, results) for row in others]
    fast = [f"{name} delivers {number(_figure(base, THROUGHPUT))} messages a second"]
    if base.generator_bound:
        fast[0] += " (limited by the generator)"
    fast += [_against(row, base, THROUGHPUT, results) for row in others]
    return (
        f"With the same codec ({HEADLINE_CODEC}) on all, stored in "
        f"{store_name(store)}, {_load(base)}: {', '.join(parts)}; {', '.join(fast)}."
    )


def _load(row: Result) -> str:
    pairs = f"{row.pairs} pairs" if row.pairs > 1 else "one pair"
    return f"{pairs} with {row.in_flight} in flight each, {row.body_bytes}-byte bodies"


def _figure(row: Result, measure: str) -> float | None:
    return row.server_cpu_us_per_message if measure == CPU else row.throughput_per_s


def _ratio(row: Result, base: Result, measure: str, results: Results) -> Ratio | None:
    for each in results.ratios:
        if (each.of, each.to, each.label, each.measure) == (
            row.contestant,
            base.contestant,
            base.label,
            measure,
        ):
            return each
    return None


def _against(row: Result, base: Result, measure: str, results: Results) -> str:
    """``WebSocket 1.12 times that (95 % interval …)``, or no difference."""
    name = transport_name(row.transport)
    found = _ratio(row, base, measure, results)
    if found is None or found.ratio is None or found.finding == "not comparable":
        return f"{name} cannot be compared"
    spread = f"95 % interval {interval(found.low, found.high)}"
    if found.finding == "no difference":
        return f"no difference on {name} ({number(found.ratio)} times, {spread})"
    return f"{name} {number(found.ratio)} times that ({spread})"


def not_a_result(results: Results) -> str | None:
    """Why nobody should cite this run, where that is so."""
    if results.is_result:
        return None
    reasons = [f"{results.rounds} round{'s' if results.rounds != 1 else ''}"]
    if all(each.twin_of is None for each in results.contestants):
        reasons.append("no twins")
    if all(ratio.noise is None for ratio in results.ratios):
        reasons.append("no noise floor")
    return (
        f"A look, not a result: {', '.join(reasons)}. What looks like a difference may "
        "be chance: run the standard plan before you cite anything."
    )


def cautions(results: Results) -> list[str]:
    """What a reader should know before believing the rest."""
    rows = results.results
    said = []
    if failed := [row for row in rows if not row.valid]:
        said.append(
            f"{len(failed)} of {len(rows)} rows FAILED (a loss, a duplicate, a "
            "reordering or a fault). They are red in the grid, and compared with "
            "nothing."
        )
    if bound := sum(row.generator_bound for row in rows):
        said.append(
            f"In {bound} of {len(rows)} rows the load generator may have been the "
            "limit. Their throughput and latency are marked and not compared; their "
            "CPU a message stays valid."
        )
    if disturbed := sum(row.disturbed_rounds for row in rows):
        said.append(
            f"{disturbed} of {sum(row.rounds for row in rows)} measured rounds were "
            "disturbed by others on the machine; the grid says in which rows."
        )
    if planted := [each.name for each in results.contestants if each.planted]:
        said.append(f"Faults were planted on purpose in {listed(planted)}.")
    if not results.machine.pinned:
        said.append(
            "Server and generator shared cores: they had none of their own, so each "
            "may have slowed the other."
        )
    if results.commit.endswith("+"):
        said.append("The tree had changes that are in no commit.")
    return said


def glance(results: Results) -> Table | None:
    """The headline's figures: a row for each transport and store."""
    selection = Selection(results)
    label = selection.headline_label()
    rows = [row for row in selection.plain() if row.label == label]
    if not rows:
        return None
    alone = {
        row.contestant: percentile(row.latency_us, "p50")
        for row in selection.plain()
        if row.label in selection.labels("rtt")[:1]
    }
    order = [(store, each) for store in stores(rows) for each in transports(rows)]
    rows = sorted(rows, key=lambda row: order.index((row.store, row.transport)))
    return Table(
        slug="glance",
        caption=f"At a glance: protobuf on all, workload {label} ({_load(rows[0])})",
        columns=(
            "transport, store",
            "server CPU, µs a message",
            "messages a second",
            "delivery, median, µs",
            "one in flight: delivery, median, µs",
        ),
        rows=[
            Row(
                cells=(
                    f"{transport_name(row.transport)}, {store_name(row.store)}",
                    number(row.server_cpu_us_per_message),
                    number(row.throughput_per_s)
                    + (" (generator-bound)" if row.generator_bound else ""),
                    number(percentile(row.latency_us, "p50")),
                    number(alone.get(row.contestant)),
                )
            )
            for row in rows
        ],
    )
