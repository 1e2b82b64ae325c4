"""What ``--against`` says: new over old, cell by cell and over all cells.

A round's figure of the new version is the geometric mean of its two twins', and a
round's figure over all cells that of the cells'. Intervals and noise are those of the
whole comparison (``statistics``): of a cell, the noise is that of the twins under the
same load that came out farthest apart.
"""

import statistics
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from chatbench.against.blocks import versions
from chatbench.cells import Cell
from chatbench.measures import CPU, THROUGHPUT, CellKey, Series, series_of
from chatbench.ratios import finding
from chatbench.results import Ratio
from chatbench.samples import Sample
from chatbench.statistics import Bootstrap, Noise, paired

MEASURES: Final = (CPU, THROUGHPUT)
ALL: Final = "all cells"


def judge(
    cells: Sequence[Cell], samples: Sequence[Sample], *, seed: int
) -> list[Ratio]:
    """A ratio of each measure over all cells, and of each cell."""
    bootstrap = Bootstrap(seed)
    return [
        ratio
        for measure in MEASURES
        for ratio in _ratios(cells, series_of(samples, measure), measure, bootstrap)
    ]


def _ratios(
    cells: Sequence[Cell],
    series: dict[CellKey, Series],
    measure: str,
    bootstrap: Bootstrap,
) -> list[Ratio]:
    whole = Cell(
        contestant=replace(cells[0].contestant, name=ALL),
        workload=replace(cells[0].workload, label=ALL),
    )
    of_cells = zip(*(_keys(it) for it in cells), strict=True)
    for key, keys in zip(_keys(whole), of_cells, strict=True):
        series[key] = middle([series.get(it, {}) for it in keys])
    contestants = [it for cell in (whole, *cells) for it in versions(cell.contestant)]
    noise = Noise(series, contestants, bootstrap)
    found = []
    for cell in (whole, *cells):
        new, twin, old = (series.get(it, {}) for it in _keys(cell))
        ratios = paired(middle([new, twin]), old)
        interval = bootstrap.of_ratios(ratios)
        widening = noise.at(cell.workload.label)
        sure = None if interval is None else interval.widened(widening)
        found.append(
            Ratio(
                table="against",
                label=cell.workload.label,
                measure=measure,
                of=_keys(cell)[0][0],
                to=_keys(cell)[2][0],
                ratio=None if sure is None else sure.ratio,
                low=None if sure is None else sure.low,
                high=None if sure is None else sure.high,
                rounds=len(ratios),
                noise=widening,
                finding=finding(sure),
            )
        )
    return found


def _keys(cell: Cell) -> list[CellKey]:
    """Of the new version, its twin and the old one."""
    return [(it.name, cell.workload.label) for it in versions(cell.contestant)]


def middle(series: Sequence[Series]) -> Series:
    """The geometric mean of these, of the rounds that all have."""
    shared = set.intersection(*(set(it) for it in series))
    return {
        number: statistics.geometric_mean([it[number] for it in series])
        for number in sorted(shared)
    }


def is_worse(ratios: Iterable[Ratio]) -> bool:
    """Whether the new server needs more CPU beyond noise, in all or in any cell."""
    return any(it.measure == CPU and it.finding == "higher" for it in ratios)
