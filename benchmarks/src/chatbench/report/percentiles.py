"""Chart of a latency's whole distribution: percentile curves."""

from itertools import count, takewhile

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from chatbench.figures import store_name, transport_name
from chatbench.latencies import decode, values_us
from chatbench.report.drawing import Chart, draw, key, line, log_us
from chatbench.report.markup import names
from chatbench.report.selection import Selection, percentile, stores
from chatbench.report.wording import ABSENT, number
from chatbench.results import Result

_HEIGHT_IN = 3.3
_STEPS_A_DECADE = 24
_MEDIAN = 2
"""1 / (1 - q) of the median, without which there is no curve."""
_DECADES = {2: "50", 10: "90", 100: "99", 1000: "99.9", 10_000: "99.99"}
"""The axis: percentiles by 1 / (1 - q)."""
_SAMPLES_BEHIND = 100
"""How many samples 1 in a chance of 1 asks for: 100 / (1 - q), as the tables do."""


def curve(encoded: str) -> list[tuple[float, float]]:
    """Points (1 / (1 - q), µs) up to the last percentile with enough samples."""
    histogram = decode(encoded)
    last = histogram.get_total_count() / _SAMPLES_BEHIND
    if last < _MEDIAN:
        return []
    steps = (10 ** (it / _STEPS_A_DECADE) for it in count(1))
    rarities = list(takewhile(lambda it: it <= last, steps))
    return list(zip(rarities, values_us(histogram, rarities), strict=True))


def _scale(axes: Axes, rarest: float) -> None:
    axes.set_xscale("log")
    log_us(axes)
    shown = {rarity: name for rarity, name in _DECADES.items() if rarity <= rarest}
    axes.set_xticks(list(shown), list(shown.values()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("percentile")
    axes.grid(visible=True)


def _drawn(
    selection: Selection,
) -> list[tuple[Result, list[tuple[float, float]]]]:
    """Rows with one in flight, each with its curve."""
    label = next(iter(selection.labels("rtt")), None)
    return [
        (row, points)
        for row in selection.plain()
        if row.label == label
        and row.latency_histogram is not None
        and not row.generator_bound
        and (points := curve(row.latency_histogram))
    ]


def percentile_curves(selection: Selection) -> Chart | None:
    """Delivery by percentile with one message in flight, a panel for each store."""
    drawn = _drawn(selection)
    rows = [row for row, _ in drawn]
    if not rows:
        return None

    def paint(figure: Figure) -> None:
        panels = stores(rows)
        grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, store in zip(grid, panels, strict=True):
            for row, points in drawn:
                if row.store == store:
                    axes.plot(
                        [rarity for rarity, _ in points],
                        [value for _, value in points],
                        **line(row.transport),
                        markevery=(_STEPS_A_DECADE - 1, _STEPS_A_DECADE),
                    )
            axes.set_title(store_name(store))
            _scale(axes, max(points[-1][0] for _, points in drawn))
        grid[0].set_ylabel("latency, µs")
        key(figure, list(grid))

    return Chart(
        slug="percentiles",
        title="Latency by percentile, one message in flight",
        reading=(
            f"Workload {rows[0].label}, protobuf, all valid rounds together. To the "
            "right are the rare slow messages: each step is ten times rarer. A curve "
            "ends at the last percentile that has enough samples behind it. Lower is "
            "better."
        ),
        columns=names("transport, store|samples|p50, µs|p90, µs|p99, µs|p99.9, µs"),
        figures=[
            (
                f"{transport_name(row.transport)}, {store_name(row.store)}",
                f"{row.latency_us.samples:,}" if row.latency_us else ABSENT,
                *(
                    number(percentile(row.latency_us, name))
                    for name in ("p50", "p90", "p99", "p999")
                ),
            )
            for row in rows
        ],
        svg=draw("percentiles", _HEIGHT_IN, paint),
    )
