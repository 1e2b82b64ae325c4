"""Charts over an axis: latency against rate, cost against messages in flight."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chatbench.figures import store_name, transport_name
from chatbench.report.drawing import PLAIN, Chart, colour, draw, key, line, log_us
from chatbench.report.selection import (
    Selection,
    percentile,
    stores,
    transports,
)
from chatbench.report.wording import number
from chatbench.results import Result

_HEIGHT_IN = 3.3
_FEWEST = 2
"""Levels without which there is no line to draw."""


def _rate_of(row: Result, selection: Selection) -> float | None:
    """What was asked for; where that was a share of capacity, what was delivered."""
    workload = selection.workload(row.label)
    if workload is not None and workload.capacity_share is None:
        return workload.rate_per_s or row.throughput_per_s
    return row.throughput_per_s


def _rated(selection: Selection) -> list[tuple[float, Result]]:
    """Rows of open loops that have a latency, by rate."""
    rows = [
        (rate, row)
        for row in selection.plain()
        if row.workload == "rate"
        and percentile(row.latency_us, "p50") is not None
        and (rate := _rate_of(row, selection)) is not None
    ]
    return sorted(rows, key=lambda each: each[0])


def latency_against_rate(selection: Selection) -> Chart | None:
    """Median and 99th percentile of delivery against an open loop's rate."""
    rated = _rated(selection)
    rows = [row for _, row in rated]
    if not rows:
        return None
    dashes = {
        name: dash
        for name, dash in (("p50", "-"), ("p99", "--"))
        if any(percentile(row.latency_us, name) is not None for row in rows)
    }

    def paint(figure: Figure) -> None:
        panels = stores(rows)
        grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, store in zip(grid, panels, strict=True):
            for transport in transports(rows):
                for name, dash in dashes.items():
                    points = [
                        (rate, value, row.generator_bound)
                        for rate, row in rated
                        if (row.store, row.transport) == (store, transport)
                        and (value := percentile(row.latency_us, name)) is not None
                    ]
                    style = line(transport)
                    style["label"] += f" {name}"
                    axes.plot(
                        [point[0] for point in points],
                        [point[1] for point in points],
                        linestyle=dash,
                        **style,
                    )
                    _ring(axes, [point[:2] for point in points if point[2]], transport)
            axes.set_title(store_name(store))
            log_us(axes)
            axes.set_xlim(left=0)
            axes.xaxis.set_major_formatter(PLAIN)
            axes.set_xlabel("messages a second, asked for")
            axes.grid(visible=True)
        grid[0].set_ylabel("latency, µs")
        key(figure, list(grid))

    return Chart(
        slug="rate",
        title="Latency against rate (open loop)",
        reading=(
            "Messages are due at fixed times, whatever the server does, and latency "
            "counts from the time a message was due, so that a stall is not hidden. "
            "Solid: half of the messages were faster. Dashed: 99 of 100 were; it is "
            "absent with too few samples. Where the rate was a share of a contestant's "
            "own capacity, the rate delivered is shown. A ring marks a point where "
            "the generator may have been the limit. Lower is better."
        ),
        columns=("workload, transport, store", "msg/s", "p50, µs", "p99, µs"),
        figures=[
            (
                f"{row.label}, {transport_name(row.transport)}, {store_name(row.store)}"
                + (" (generator-bound)" if row.generator_bound else ""),
                number(rate),
                number(percentile(row.latency_us, "p50")),
                number(percentile(row.latency_us, "p99")),
            )
            for rate, row in rated
        ],
        svg=draw("rate", _HEIGHT_IN, paint),
    )


def _ring(axes: Axes, points: Sequence[tuple[float, float]], transport: str) -> None:
    """Mark the points where the generator may have been the limit."""
    axes.plot(
        [point[0] for point in points],
        [point[1] for point in points],
        linestyle="none",
        marker="o",
        markersize=11,
        markerfacecolor="none",
        markeredgecolor=colour(transport),
    )


def _deepening(selection: Selection) -> list[Result]:
    """Closed loops that differ in nothing but how many are in flight, by that."""
    label = selection.headline_label()
    rows = [row for row in selection.plain() if row.workload == "throughput"]
    lead = next((row for row in rows if row.label == label), None)
    if lead is None:
        return []
    store = stores(rows)[0]
    alike = [
        row
        for row in rows
        if (row.store, row.pairs, row.body_bytes)
        == (store, lead.pairs, lead.body_bytes)
    ]
    if len({row.in_flight for row in alike}) < _FEWEST:
        return []
    return sorted(alike, key=lambda row: row.in_flight)


def against_in_flight(selection: Selection) -> Chart | None:
    """Throughput and CPU a message against the messages that a pair has in flight."""
    rows = _deepening(selection)
    if not rows:
        return None
    levels = sorted({row.in_flight for row in rows})

    def paint(figure: Figure) -> None:
        grid = figure.subplots(1, 2)
        for transport in transports(rows):
            mine = [row for row in rows if row.transport == transport]
            fast = [
                (float(row.in_flight), row.throughput_per_s, row.generator_bound)
                for row in mine
                if row.throughput_per_s is not None
            ]
            cheap = [
                (row.in_flight, row.server_cpu_us_per_message)
                for row in mine
                if row.server_cpu_us_per_message is not None
            ]
            style = line(transport)
            grid[0].plot([x for x, _, _ in fast], [y for _, y, _ in fast], **style)
            _ring(grid[0], [(x, y) for x, y, bound in fast if bound], transport)
            grid[1].plot([x for x, _ in cheap], [y for _, y in cheap], **style)
        for axes, title in zip(
            grid, ("messages a second", "µs of server CPU a message"), strict=True
        ):
            axes.set_title(title)
            axes.set_xscale("log", base=2)
            axes.set_xticks(levels, [str(level) for level in levels])
            axes.set_ylim(bottom=0)
            axes.yaxis.set_major_formatter(PLAIN)
            axes.set_xlabel("in flight, each pair")
            axes.grid(visible=True)
        key(figure, [grid[0]])

    return Chart(
        slug="depth",
        title="Throughput and CPU against messages in flight",
        reading=(
            f"{rows[0].pairs} pairs, {store_name(rows[0].store)}, protobuf. With more "
            "in flight, more messages share a frame, a wake-up and a commit. A ring "
            "marks a throughput where the generator may have been the limit."
        ),
        columns=("transport, in flight", "msg/s", "server CPU, µs a message"),
        figures=[
            (
                f"{transport_name(row.transport)}, {row.in_flight}"
                + (" (generator-bound)" if row.generator_bound else ""),
                number(row.throughput_per_s),
                number(row.server_cpu_us_per_message),
            )
            for row in rows
        ],
        svg=draw("depth", _HEIGHT_IN, paint),
    )
