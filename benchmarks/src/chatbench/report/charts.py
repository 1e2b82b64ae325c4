"""All charts that a run has the rows for, in the order of the page."""

from chatbench.report.curves import against_in_flight, latency_against_rate
from chatbench.report.drawing import Chart
from chatbench.report.forest import transports_compared
from chatbench.report.layers import cpu_by_layer
from chatbench.report.percentiles import percentile_curves
from chatbench.report.selection import Selection
from chatbench.report.wire import wire_bytes
from chatbench.results import Results


def all_charts(results: Results) -> list[Chart]:
    """Those that have something to show."""
    selection = Selection(results)
    charts = (
        cpu_by_layer(selection),
        transports_compared(results, selection),
        latency_against_rate(selection),
        percentile_curves(selection),
        wire_bytes(selection),
        against_in_flight(selection),
    )
    return [chart for chart in charts if chart is not None]
