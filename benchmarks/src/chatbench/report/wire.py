"""Chart of what a message takes on the wire, up and down."""

from matplotlib.figure import Figure

from chatbench.figures import transport_name
from chatbench.report.drawing import Chart, colour, draw
from chatbench.report.selection import Selection, stores, transports
from chatbench.report.wording import number
from chatbench.results import Result


def _counted(selection: Selection, label: str) -> list[Result]:
    """Rows with counted bytes, each transport and codec once."""
    rows = [
        row
        for row in selection.plain(codec=None)
        if row.label == label and row.wire_bytes_per_message is not None
    ]
    first: dict[tuple[str, str], Result] = {}
    for store in stores(rows):
        for row in rows:
            if row.store == store:
                first.setdefault((row.transport, row.codec), row)
    order = transports(rows)
    return sorted(first.values(), key=lambda row: order.index(row.transport))


def wire_bytes(selection: Selection) -> Chart | None:
    """Bytes a message up and down, for each transport and codec."""
    wanted = [selection.headline_label(), *selection.labels("rtt")[:1]]
    panels = {
        label: rows
        for label in dict.fromkeys(wanted)
        if label is not None and (rows := _counted(selection, label))
    }
    if not panels:
        return None

    def paint(figure: Figure) -> None:
        tallest = max(len(rows) for rows in panels.values())
        grid = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, (label, rows) in zip(grid, panels.items(), strict=True):
            totals = []
            for place, row in enumerate(rows):
                wire = row.wire_bytes_per_message
                if wire is None:
                    continue
                hue = colour(row.transport)
                totals.append(wire.up + wire.down)
                axes.barh(place, wire.up, color=hue, height=0.62)
                axes.barh(
                    place, wire.down, left=wire.up, color=hue, height=0.62, alpha=0.5
                )
                axes.text(
                    totals[-1] * 1.03,
                    place,
                    f"{number(wire.up)} + {number(wire.down)}",
                    va="center",
                    fontsize=8,
                )
            axes.set_title(label)
            axes.set_yticks(
                range(len(rows)),
                [f"{transport_name(row.transport)} {row.codec}" for row in rows],
            )
            axes.set_ylim(tallest - 0.5, -0.5)
            axes.set_xlim(0, max(totals) * 1.5)
            axes.set_xlabel("bytes a message: up + down")
            axes.grid(visible=True, axis="x")
            axes.tick_params(axis="y", length=0)

    return Chart(
        slug="wire",
        title="Bytes on the wire a message",
        reading=(
            "TCP payload without the handshake, counted by a relay in a pass of its "
            "own. Up (solid) is to the server: the send and the acknowledgement. Down "
            "(pale) is from it: the delivery, the receipt and the notice to the "
            "sender. Under load a frame carries several messages, which share its "
            "overhead; with one in flight they do not. The table of workloads says how "
            "long the bodies are."
        ),
        columns=("workload, transport, codec", "up, bytes", "down, bytes"),
        figures=[
            (
                f"{label}, {transport_name(row.transport)}, {row.codec}",
                number(wire.up),
                number(wire.down),
            )
            for label, rows in panels.items()
            for row in rows
            if (wire := row.wire_bytes_per_message) is not None
        ],
        svg=draw("wire", 0.9 + 0.3 * max(len(rows) for rows in panels.values()), paint),
    )
