"""What each server costs beside one of others: a table with a column for each load.

Servers are set beside each other here whatever they promise for a message, which the
table of ``ratios`` does not do: a row says what a server costs, and ``peers`` tells
what it does for that.
"""

from collections.abc import Mapping
from statistics import median
from typing import Final

from rich.console import Console
from rich.text import Text

from chatbench.figures import ABSENT, number
from chatbench.measures import CPU, series_of
from chatbench.results import Results
from chatbench.statistics import Bootstrap, paired

BESIDE: Final = "mosquitto"
"""The contestant that all are told in: a broker in C, which people know."""


def ratios_beside(
    results: Results, beside: str = BESIDE
) -> Mapping[str, Mapping[str, list[float]]]:
    """Server CPU a message over that of ``beside`` in each round that both have, by
    contestant and load.
    """
    series = series_of(results.samples, CPU)
    return {
        contestant.name: {
            load.label: paired(
                series.get((contestant.name, load.label), {}),
                series.get((beside, load.label), {}),
            )
            for load in results.workloads
        }
        for contestant in results.contestants
        if contestant.name != beside
    }


def print_beside(results: Results, console: Console) -> None:
    """The table, in Markdown, whose lines are not broken to fit the console; nothing
    where the run had no ``BESIDE``.
    """
    costs_us = {
        row.label: row.server_cpu_us_per_message
        for row in results.results
        if row.contestant == BESIDE
    }
    if not costs_us:
        return
    bootstrap = Bootstrap(results.seed)
    labels = [it.label for it in results.workloads]
    rows = [
        ["contestant", *(it.removeprefix("throughput-") for it in labels)],
        *(
            [name, *(_written(ratios[label], bootstrap) for label in labels)]
            for name, ratios in ratios_beside(results).items()
        ),
        [f"{BESIDE}, µs", *(number(costs_us.get(label)) for label in labels)],
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    console.print(f"\nServer CPU a message, in times {BESIDE}'s (95 %)\n", style="bold")
    for row in rows:
        cells = (it.ljust(width) for it, width in zip(row, widths, strict=True))
        console.print(Text(f"| {' | '.join(cells)} |"), soft_wrap=True)


def _written(ratios: list[float], bootstrap: Bootstrap) -> str:
    """The median and its interval, where there are rounds enough for one."""
    if not ratios:
        return ABSENT
    interval = bootstrap.of_ratios(ratios)
    if interval is None:
        return number(median(ratios))
    low, high = number(interval.low), number(interval.high)
    return f"{number(interval.ratio)} ({low} to {high})"
