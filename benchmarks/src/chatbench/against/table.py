"""What a person reads at the end of ``--against``, in 100 columns."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chatbench.figures import ABSENT, number, times
from chatbench.measures import CPU, THROUGHPUT, series_of
from chatbench.results import Finding, Ratio
from chatbench.samples import Sample

VERDICTS: Final[dict[Finding, str]] = {
    "higher": "slower",
    "lower": "faster",
    "no difference": "no difference",
    "not comparable": "not comparable",
}
"""By what comes out for CPU; throughput is told, and judges nothing."""


def print_against(
    ratios: Sequence[Ratio], samples: Sequence[Sample], title: str, console: Console
) -> None:
    """A row for each cell, and last what holds over all."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("cell")
    for column in ("old us", "CPU new/old (95 %)", "noise", "messages/s new/old"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    cpu = series_of(samples, CPU)
    throughput = {(it.of, it.label): it for it in ratios if it.measure == THROUGHPUT}
    whole, *cells = (it for it in ratios if it.measure == CPU)
    for it in cells:
        old = cpu.get((it.to, it.label), {}).values()
        table.add_row(
            Text(_short(it)),
            number(median(old)) if old else ABSENT,
            times(it),
            ABSENT if it.noise is None else f"{it.noise - 1:.1%}",
            times(throughput[it.of, it.label]),
            VERDICTS[it.finding],
        )
    console.print(table)
    disturbed = sum(it.is_disturbed for it in samples)
    console.print(
        Text(
            f"{len(samples)} samples of {whole.rounds} rounds, {disturbed} disturbed; "
            f"{sum(it.messages for it in samples):,} messages measured."
        )
    )
    said = f"CPU {times(whole)}, {VERDICTS[whole.finding]}"
    console.print(Text(f"Over all {len(cells)} cells: {said}.", style="bold"))


def _short(ratio: Ratio) -> str:
    """The cell, without what all have in common."""
    name = ratio.of.removesuffix(" new").replace("-protobuf-", " ")
    return f"{name} {ratio.label.removeprefix('throughput-')}"
