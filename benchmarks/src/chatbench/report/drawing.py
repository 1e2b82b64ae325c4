"""Figures become SVG that lives in a page: text stays text, colours follow its theme.

Matplotlib draws; what it writes is then made fit for a page that has several of them,
in light and in dark: ids get a prefix, the ink becomes ``currentColor``, each colour a
CSS variable. Nothing of matplotlib's global state is changed for good.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from chatbench.figures import transport_name

INK = "#123456"
"""Stands for the page's own text colour while matplotlib draws."""

# Okabe and Ito's colours, which colour-blind people tell apart; for the dark page their
# lighter blue stands for the darker one.
_THEMES: Mapping[str, tuple[str, str]] = {
    "tcp": ("#0072b2", "#56b4e9"),
    "websocket": ("#e69f00", "#e69f00"),
    "grpc": ("#009e73", "#00b384"),
    "other": ("#7f7f7f", "#a6a6a6"),
    "floor": ("#999999", "#8c8c8c"),
    "chat": ("#cc79a7", "#cc79a7"),
    "store": ("#d55e00", "#e06a0a"),
}
_MARKERS: Mapping[str, str] = {"tcp": "o", "websocket": "s", "grpc": "^"}
WIDTH_IN = 7.4
PLAIN = FuncFormatter(lambda value, _: f"{value:,.6g}")
"""Writes an axis's figures without powers of ten."""
# Any: the stubs spell out every setting by its name.
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "chatbench",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "grid.linewidth": 0.6,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart with the words and the figures that say the same.

    Attributes:
        slug: unique in the page.
        reading: how to read it, and what it leaves out.
        columns: of ``figures``; the first names the row.
        figures: every figure that the chart shows, as text.
    """

    slug: str
    title: str
    reading: str
    columns: Sequence[str]
    figures: Sequence[Sequence[str]]
    svg: str


def colour(name: str) -> str:
    """Of a transport or a layer, the same in each chart."""
    return _THEMES.get(name, _THEMES["other"])[0]


def variables(*, dark: bool) -> str:
    """The colours as CSS variables."""
    return "".join(f"--c-{name}:{pair[dark]};" for name, pair in _THEMES.items())


def draw(slug: str, height_in: float, paint: Callable[[Figure], None]) -> str:
    """What ``paint`` puts on a figure of the page's width, as an ``svg`` element."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
        paint(figure)
        written = StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(written, format="svg", metadata=nothing)
    return _for_page(written.getvalue(), slug)


def _for_page(svg: str, slug: str) -> str:
    svg = svg[svg.index("<svg") :].rstrip()
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style[^>]*>.*?</style>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{slug}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{slug}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{slug}-\1)", svg)
    # A hundredth of a point is finer than any screen.
    svg = re.sub(r' (d|x|y|transform)="[^"]*"', _coarse, svg)
    # The page's font: narrower than the one that matplotlib measured, so nothing clips.
    svg = re.sub(r"\bfont-family: [^;\"]+;? ?", "", svg)
    svg = re.sub(r"(font: (?:[^;\"]*? )?[\d.]+px) [^;\"]+", r"\1 sans-serif", svg)
    svg = svg.replace(INK, "currentColor")
    for name, (light, _) in _THEMES.items():
        svg = svg.replace(light, f"var(--c-{name})")
    svg = re.sub(r'(<svg[^>]*?) (?:width="[^"]*"|height="[^"]*")', r"\1", svg)
    svg = re.sub(r'(<svg[^>]*?) (?:width="[^"]*"|height="[^"]*")', r"\1", svg)
    label = f'role="img" aria-labelledby="{slug}-title" aria-describedby="{slug}-says"'
    return re.sub(r"\s*\n\s*", "\n", svg.replace("<svg ", f"<svg {label} ", 1))


def _coarse(coordinates: re.Match[str]) -> str:
    return re.sub(r"(\.\d\d)\d+", r"\1", coordinates[0])


def key(figure: Figure, panels: Sequence[Axes], columns: int = 3) -> None:
    """One legend for all panels, above them; what several show is in it once."""
    shown: dict[str, Artist] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            shown.setdefault(label, handle)
    figure.legend(
        list(shown.values()), list(shown), loc="outside upper left", ncols=columns
    )


def log_us(axes: Axes) -> None:
    """A logarithmic axis of latencies, with as many figures as can be read."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(PLAIN)
    axes.yaxis.set_minor_locator(NullLocator())


def line(transport: str) -> dict[str, str]:
    """How a transport's line is drawn and named."""
    return {
        "color": colour(transport),
        "marker": _MARKERS.get(transport, "D"),
        "label": transport_name(transport),
    }
