"""Chart of ratios: each with its interval and the noise that it must get out of."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from chatbench.figures import measure_name, store_name, transport_name
from chatbench.measures import CPU, P50, P99, THROUGHPUT
from chatbench.report.drawing import INK, Chart, colour, draw
from chatbench.report.selection import Selection
from chatbench.report.wording import interval, number
from chatbench.results import Ratio, Results

_ROW_IN = 0.21
_TITLE_IN = 0.28
_FRAME_IN = 0.75
_LEAST_SPAN = 1.25
"""The axis reaches at least from 1 / this to this: noise must not fill the picture."""
_TICKS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50)
_LOADED = (CPU, THROUGHPUT)
"""Of a closed loop that is full: its latency is its throughput's inverse."""
_ALONE = (CPU, P50, P99)


def _chosen(results: Results, selection: Selection) -> dict[str, list[Ratio]]:
    """By workload and measure, those of the headline's load and of one in flight."""
    lead, rtt = selection.headline_label(), selection.labels("rtt")[:1]
    wanted = [(label, measure) for label in rtt for measure in _ALONE]
    if lead is not None and lead not in rtt:
        wanted = [*((lead, measure) for measure in _LOADED), *wanted]
    return {
        f"{label}: {measure_name(measure)}": rows
        for label, measure in wanted
        if (
            rows := [
                ratio
                for ratio in results.ratios
                if (ratio.table, ratio.label, ratio.measure)
                == ("transports", label, measure)
                and None not in {ratio.ratio, ratio.low, ratio.high}
            ]
        )
    }


def ratio_name(ratio: Ratio, selection: Selection) -> str:
    """What is over what, by transport and store where they are known."""
    above, below = selection.contestant(ratio.of), selection.contestant(ratio.to)
    if above is None or below is None:
        return f"{ratio.of} / {ratio.to}"
    return (
        f"{transport_name(above.transport)} / {transport_name(below.transport)}, "
        f"{store_name(above.store)}"
    )


def _row(axes: Axes, place: int, ratio: Ratio, hue: str) -> None:
    if ratio.ratio is None or ratio.low is None or ratio.high is None:
        return
    if ratio.noise is not None:
        axes.barh(
            place,
            ratio.noise - 1 / ratio.noise,
            left=1 / ratio.noise,
            height=1.0,
            color=colour("other"),
            alpha=0.25,
        )
    axes.plot([ratio.low, ratio.high], [place, place], color=hue, linewidth=2.4)
    axes.plot([ratio.ratio], [place], color=hue, marker="o", linestyle="none")
    says = f"{number(ratio.ratio)} ({interval(ratio.low, ratio.high)})"
    if ratio.finding == "no difference":
        says += " no difference"
    axes.text(
        1.01, place, says, transform=axes.get_yaxis_transform(), va="center", fontsize=8
    )


def _reach(groups: Sequence[Sequence[Ratio]]) -> tuple[float, float]:
    ends = [1 / _LEAST_SPAN, _LEAST_SPAN]
    for ratio in (each for group in groups for each in group):
        noise = ratio.noise or 1.0
        ends += [noise, 1 / noise]
        ends += [end for end in (ratio.low, ratio.high) if end]
    return min(ends) / 1.05, max(ends) * 1.05


def transports_compared(results: Results, selection: Selection) -> Chart | None:
    """The ratios of table ``transports``, a panel for each workload and measure."""
    groups = _chosen(results, selection)
    if not groups:
        return None
    sizes = [len(rows) for rows in groups.values()]
    reach = _reach(list(groups.values()))

    def paint(figure: Figure) -> None:
        grid = figure.subplots(
            len(groups),
            1,
            sharex=True,
            squeeze=False,
            height_ratios=[size * _ROW_IN + _TITLE_IN for size in sizes],
        )[:, 0]
        for axes, (title, rows) in zip(grid, groups.items(), strict=True):
            for place, ratio in enumerate(rows):
                above = selection.contestant(ratio.of)
                hue = colour(above.transport if above is not None else "other")
                _row(axes, place, ratio, hue)
            axes.axvline(1.0, color=INK, linewidth=0.8)
            axes.set_title(title)
            axes.set_xscale("log")
            axes.set_xlim(*reach)
            axes.set_ylim(len(rows) - 0.5, -0.5)
            axes.set_yticks(
                range(len(rows)), [ratio_name(each, selection) for each in rows]
            )
            axes.xaxis.set_major_locator(
                FixedLocator([tick for tick in _TICKS if reach[0] <= tick <= reach[1]])
            )
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.grid(visible=True, axis="x")
            axes.tick_params(axis="y", length=0)
        grid[-1].set_xlabel("ratio (1: the same)")

    return Chart(
        slug="forest",
        title="The transports against each other",
        reading=(
            "A point is the median of the rounds' paired ratios, a line its 95 % "
            "interval widened by the noise, the grey band how far identical twins were "
            "apart. A line that holds 1 is no difference. Ratios that are not "
            "comparable are not drawn; the table “transports” names them."
        ),
        columns=("workload, measure, ratio of", "ratio", "interval", "finding"),
        figures=[
            (
                f"{title}, {ratio_name(ratio, selection)}",
                number(ratio.ratio),
                interval(ratio.low, ratio.high),
                ratio.finding,
            )
            for title, rows in groups.items()
            for ratio in rows
        ],
        svg=draw(
            "forest",
            _FRAME_IN + sum(size * _ROW_IN + _TITLE_IN for size in sizes),
            paint,
        ),
    )
