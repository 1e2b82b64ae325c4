"""How figures are written in sentences and tables of the terminal."""

from collections.abc import Sequence
from typing import Final

from chatbench.measures import NAMES
from chatbench.results import Ratio

ABSENT: Final = "-"

_TRANSPORTS: Final = {"tcp": "TCP", "websocket": "WebSocket", "grpc": "gRPC"}
_STORES: Final = {"memory": "memory", "sqlite": "SQLite"}


def transport_name(transport: str) -> str:
    """As people write it; of any other protocol, as it is."""
    return _TRANSPORTS.get(transport, transport)


def store_name(store: str) -> str:
    """As people write it; of another one's URL, its scheme."""
    return _STORES.get(store, store.partition(":")[0])


def measure_name(measure: str) -> str:
    """As people say it."""
    return NAMES.get(measure, measure.replace("_", " "))


def number(value: float | None) -> str:
    """With three digits that count, or all before the point."""
    if value is None:
        return ABSENT
    size = abs(value)
    if size >= 100:  # noqa: PLR2004  # three digits stand before the point
        return f"{value:,.0f}"
    if size >= 10:  # noqa: PLR2004  # two digits do
        return f"{value:.1f}"
    if size >= 0.1 or not size:  # noqa: PLR2004  # two digits after the point do
        return f"{value:.2f}"
    return f"{value:.2g}"


def of_one(ratio: float | None) -> str:
    """A ratio, with digits enough to see on which side of 1 it is."""
    if ratio is None:
        return ABSENT
    written = number(ratio)
    return f"{ratio:.4f}" if written == "1.00" and ratio != 1 else written


def percent(share: float) -> str:
    """A part of one."""
    return f"{share:.0%}"


def interval(low: float | None, high: float | None) -> str:
    """Of ratios, from low to high."""
    if low is None or high is None:
        return ABSENT
    return f"{of_one(low)} to {of_one(high)}"


def times(ratio: Ratio) -> str:
    """A ratio with its interval, such as ``1.31 (1.22 to 1.40)``."""
    if ratio.low == ratio.high:
        return of_one(ratio.ratio)
    return f"{of_one(ratio.ratio)} ({interval(ratio.low, ratio.high)})"


def noise_of(ratios: Sequence[Ratio]) -> str:
    """How large the noise was that widened these, in a few words."""
    known = [it.noise for it in ratios if it.noise is not None]
    if not known:
        return "noise not measured"
    return f"noise up to {max(known) - 1:.0%}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """``a, b and c``."""
    if len(words) < 2:  # noqa: PLR2004  # nothing to join
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
