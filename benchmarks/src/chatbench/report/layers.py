"""Chart of what a message costs the server: its CPU, layer by layer."""

from dataclasses import dataclass

from matplotlib.figure import Figure

from chatbench.figures import transport_name
from chatbench.report.drawing import Chart, colour, draw, key
from chatbench.report.selection import Selection, transports
from chatbench.report.wording import ABSENT, number

_ROW_IN = 0.42
_FRAME_IN = 1.15
_TIGHT = 1.16
"""How much longer than its longest bar an axis is: room for the total beside it."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What a message costs up to some layer, above the one measured below it.

    Attributes:
        name: of what lies between the two.
        hue: its colour's name.
        cpu_us: the difference; below zero where noise is larger than the layer.
    """

    name: str
    hue: str
    cpu_us: float


_BETWEEN = {
    ("", "echo"): ("transport alone (echo)", "floor"),
    ("echo", "memory"): ("chat", "chat"),
    ("memory", "sqlite"): ("SQLite", "store"),
    ("", "memory"): ("transport and chat", "chat"),
    ("", "sqlite"): ("transport, chat and SQLite", "store"),
    ("echo", "sqlite"): ("chat and SQLite", "store"),
}


_WITH_FLOOR = (
    "Each bar begins with the transport that echoes without a chat behind it; then "
    "what the chat adds when it stores in memory; then what SQLite adds to that."
)
_WITHOUT_FLOOR = (
    "A layer that this run did not measure alone is in one piece with the next one."
)


def layers_of(transport: str, label: str, selection: Selection) -> list[Layer]:
    """From the transport upwards; a layer that was not measured joins the next one."""
    levels: dict[str, float] = {}
    for row in selection.floors() + selection.plain():
        if (row.transport, row.label) == (transport, label):
            level = "echo" if row.server == "echo" else row.store
            cost = row.server_cpu_us_per_message
            if cost is not None and level in {"echo", "memory", "sqlite"}:
                levels[level] = cost
    found: list[Layer] = []
    below, paid = "", 0.0
    for level in ("echo", "memory", "sqlite"):
        if level in levels:
            name, hue = _BETWEEN[below, level]
            found.append(Layer(name, hue, levels[level] - paid))
            below, paid = level, levels[level]
    return found


def cpu_by_layer(selection: Selection) -> Chart | None:
    """CPU a message of each transport, stacked from the transport to the store."""
    label = selection.headline_label()
    if label is None:
        return None
    rows = [row for row in selection.plain() if row.label == label]
    stacks = {each: layers_of(each, label, selection) for each in transports(rows)}
    stacks = {each: stack for each, stack in stacks.items() if stack}
    if not stacks:
        return None
    has_floor = any(stack[0].hue == "floor" for stack in stacks.values())
    pieces = _WITH_FLOOR if has_floor else _WITHOUT_FLOOR
    names = list(
        dict.fromkeys(layer.name for stack in stacks.values() for layer in stack)
    )

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        longest = max(sum(layer.cpu_us for layer in each) for each in stacks.values())
        for place, stack in enumerate(stacks.values()):
            left = 0.0
            for layer in stack:
                width = max(layer.cpu_us, 0.0)
                axes.barh(place, width, left=left, color=colour(layer.hue), height=0.62)
                if width > longest * 0.05:
                    axes.text(
                        left + width / 2,
                        place,
                        number(width),
                        ha="center",
                        va="center",
                        color="#111111",
                    )
                left += width
            total = sum(layer.cpu_us for layer in stack)
            axes.text(
                left + longest * 0.01, place, f"{number(total)} µs", va="center"
            ).set_fontweight("bold")
        hues = {layer.name: layer.hue for each in stacks.values() for layer in each}
        for name in names:
            axes.barh(0, 0, color=colour(hues[name]), label=name)
        axes.set_yticks(range(len(stacks)), [transport_name(each) for each in stacks])
        axes.invert_yaxis()
        axes.set_xlim(0, longest * _TIGHT)
        axes.set_xlabel("µs of server CPU a delivered message")
        axes.grid(visible=True, axis="x")
        axes.tick_params(axis="y", length=0)
        key(figure, [axes])

    return Chart(
        slug="layers",
        title="Server CPU a message, by layer",
        reading=(
            f"Workload {label}, protobuf. {pieces} Parts are differences "
            "of medians, without intervals of their own: the tables of comparisons "
            "have those. Shorter is better."
        ),
        columns=("transport", *(f"{name}, µs" for name in names), "sum, µs"),
        figures=[
            (
                transport_name(each),
                *(
                    next((number(x.cpu_us) for x in stack if x.name == name), ABSENT)
                    for name in names
                ),
                number(sum(layer.cpu_us for layer in stack)),
            )
            for each, stack in stacks.items()
        ],
        svg=draw("layers", _FRAME_IN + _ROW_IN * len(stacks), paint),
    )
