"""How the page writes figures; ``figures`` has what the terminal shares with it."""

from collections.abc import Callable

ABSENT = "\N{EN DASH}"


def number(value: float | None) -> str:
    """With three digits that count, or all before the point."""
    if value is None:
        return ABSENT
    size = abs(value)
    if size >= 100:  # noqa: PLR2004  three digits stand before the point
        return f"{value:,.0f}"
    if size >= 10:  # noqa: PLR2004  two digits do
        return f"{value:.1f}"
    if size >= 1:
        return f"{value:.2f}"
    return f"{value:#.3g}" if size else "0"


def exact(value: float | None) -> str:
    """A ratio with a digit more, by which a reader sees on which side of 1 it is."""
    return ABSENT if value is None else f"{value:,.3f}"


def share(value: float | None) -> str:
    """A part of one, in percent."""
    return ABSENT if value is None else f"{value * 100:.0f} %"


def mebibytes(value: int | None) -> str:
    """Bytes of memory, in MiB."""
    return ABSENT if value is None else f"{value / 2**20:,.1f}"


def interval(
    low: float | None,
    high: float | None,
    written: Callable[[float | None], str] = number,
) -> str:
    """From low to high."""
    if low is None or high is None:
        return ABSENT
    return f"{written(low)}\N{EN DASH}{written(high)}"
