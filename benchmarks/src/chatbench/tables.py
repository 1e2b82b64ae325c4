"""What a person reads in the terminal at the end of a run, in 100 columns.

The rows of each workload, the comparisons table by table, and last what they mean:
verdicts and advice, which are then on the screen.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chatbench.figures import ABSENT, noise_of, number, times
from chatbench.measures import SHORT_NAMES
from chatbench.results import Peer, Ratio, Result, Results
from chatbench.samples import Percentiles

TITLES: Final = {
    "transports": "Transport against transport, all with protobuf",
    "codecs": "Codec against codec, on one transport",
    "stores": "Store against store",
    "floor": "The chat against an echo on the same transport",
    "calls": "gRPC's unary calls against its stream",
    "frames": "One message a frame against batches",
    "engines": "Event loop against event loop",
    "clients": "Our client library against a bare wire",
    "peers": "Servers of others against ours on raw TCP",
    "twins": "Twins: the same against itself",
}
_STYLES: Final = {"higher": "yellow", "lower": "cyan", "not comparable": "dim"}


def print_results(results: Results, console: Console) -> None:
    """All of a run.

    In the rows, CPU is a message's, user and system apart (u+s) as far as ticks tell,
    and bytes are those up and down.
    """
    for label, rows in _grouped(results.results):
        console.print(_measured(label, rows))
    for row in results.results:
        for fault in row.faults[:1]:
            console.print(
                Text(f"INVALID {row.contestant} {row.label}: {fault}", style="red")
            )
    for peer in results.peers:
        console.print(Text(_promise(peer)))
    for table, ratios in groupby(results.ratios, key=lambda it: it.table):
        console.print(_compared(table, list(ratios)))
    _print_meaning(results, console)
    if not results.is_result:
        console.print(Text(look(results), style="bold yellow"))


def look(results: Results) -> str:
    """What to say of a run that is too small to be cited."""
    has_twins = any(it.twin_of is not None for it in results.contestants)
    twins = "" if has_twins else ", no twins (the noise was not measured)"
    return f"A look, not a result: {results.rounds} rounds{twins}."


def _grouped(rows: Iterable[Result]) -> list[tuple[str, list[Result]]]:
    by_label: dict[str, list[Result]] = {}
    for row in rows:
        by_label.setdefault(row.label, []).append(row)
    return list(by_label.items())


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for column in columns:
        is_text = column in {"contestant", "marks", "workload", "measure", "finding"}
        table.add_column(
            column,
            justify="left" if is_text else "right",
            no_wrap=not is_text,
            overflow="fold",
        )
    return table


def _measured(label: str, rows: Sequence[Result]) -> Table:
    table = _table(
        label,
        "contestant",
        "CPU us (u+s)",
        "a second",
        "p50 us",
        "p99 us",
        "bytes",
        "marks",
    )
    for row in rows:
        table.add_row(
            Text(row.contestant),
            _cpu(row),
            number(row.throughput_per_s),
            _percentile(row.latency_us, "p50"),
            _percentile(row.latency_us, "p99"),
            _wire(row),
            Text(_marks(row)),
            style=None if row.valid else "red",
        )
    return table


def _cpu(row: Result) -> str:
    whole = number(row.server_cpu_us_per_message)
    user, system = row.server_user_us_per_message, row.server_system_us_per_message
    if user is None or system is None:
        return whole
    return f"{whole} ({number(user)}+{number(system)})"


def _percentile(latency: Percentiles | None, name: str) -> str:
    return ABSENT if latency is None else number(getattr(latency, name))


def _wire(row: Result) -> str:
    wire = row.wire_bytes_per_message
    return ABSENT if wire is None else f"{wire.up:.0f}/{wire.down:.0f}"


def _marks(row: Result) -> str:
    marks = []
    if not row.valid:
        marks.append("INVALID")
    if row.generator_bound:
        marks.append("generator-bound")
    if row.disturbed_rounds:
        marks.append(f"{row.disturbed_rounds} disturbed")
    return ", ".join(marks)


def _promise(peer: Peer) -> str:
    promised = [
        word
        for word, is_promised in (
            ("acknowledged", peer.acknowledged),
            ("stored", peer.stored),
            ("synced to disk", peer.synced),
        )
        if is_promised
    ]
    return f"{peer.name} {peer.version} promises: {', '.join(promised) or 'nothing'}"


def _compared(name: str, ratios: Sequence[Ratio]) -> Table:
    table = _table(
        f"{TITLES.get(name, name)} ({noise_of(ratios)})",
        "contestant",
        "workload",
        "measure",
        "ratio (95 %)",
        "finding",
    )
    for (of, to), rows in groupby(ratios, key=lambda it: (it.of, it.to)):
        pair = f"{of}\n/ {to}"
        for row in rows:
            table.add_row(
                Text(pair),
                Text(row.label),
                Text(SHORT_NAMES.get(row.measure, row.measure)),
                ABSENT if row.ratio is None else times(row),
                Text(row.finding, style=_STYLES.get(row.finding, "")),
            )
            pair = ""
        table.add_section()
    return table


def _print_meaning(results: Results, console: Console) -> None:
    claim = ""
    for verdict in results.verdicts:
        if verdict.claim != claim:
            claim = verdict.claim
            console.print()
            console.print(Text(f'Claim: "{claim}"', style="bold"))
        console.print(Text.assemble((verdict.verdict, "bold"), f": {verdict.reading}"))
        console.print(Text(f"  {verdict.figures}", style="dim"))
    console.print()
    for sentence in results.advice:
        console.print(Text(f"- {sentence}"))
