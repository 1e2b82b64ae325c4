"""Choose … when …: what a run's ratios mean for somebody who has to choose.

A sentence is given only where the run has figures for it. A transport is called the
cheapest only where each other one is beyond noise; what is within is named beside it.
"""

from collections.abc import Callable, Sequence
from typing import Final

from chatbench.contestants import TRANSPORTS
from chatbench.figures import (
    listed,
    number,
    percent,
    store_name,
    times,
    transport_name,
)
from chatbench.grid import Grid
from chatbench.measures import CPU, P50, THROUGHPUT, wire_bytes
from chatbench.results import Ratio, Results

_CODECS: Final = ("protobuf", "msgpack", "json")
_STORES: Final = ("memory", "sqlite")


def all_advice(results: Results) -> list[str]:
    """One sentence for each thing that a choice may hang on."""
    grid = Grid(results)
    sentences = [
        *(_cheapest(grid, it) for it in _STORES),
        *(_quickest(grid, it) for it in _STORES),
        _smallest(grid),
        _browsers(grid),
        _generated(grid),
        _on_disk(grid),
        _codec(grid),
        _engine(grid),
        _batches(grid),
    ]
    return [it for it in sentences if it is not None]


def lowest(names: Sequence[str], ratios: Sequence[tuple[str, str, Ratio]]) -> list[str]:
    """Those that none of the others is below beyond noise.

    Args:
        names: who takes part.
        ratios: who is above the line, who below it, and what came out.
    """
    beaten = {
        above if it.finding == "higher" else below
        for above, below, it in ratios
        if it.finding in {"higher", "lower"}
    }
    return [it for it in names if it not in beaten]


def _compared(
    grid: Grid, measure: str, store: str, label: str
) -> list[tuple[str, str, Ratio]]:
    return [
        (grid.contestant(it.of).transport, grid.contestant(it.to).transport, it)
        for it in grid.ratios(
            "transports", measure=measure, store=store, labels=[label]
        )
    ]


def _among(
    grid: Grid, store: str, label: str | None, measure: str, when: str
) -> str | None:
    if label is None:
        return None
    compared = _compared(grid, measure, store, label)
    names = [it for it in TRANSPORTS if any(it in pair[:2] for pair in compared)]
    if not names or len(compared) < len(names) * (len(names) - 1) // 2:
        return None  # of two that were not compared, neither can be called better
    best = lowest(names, compared)
    figures = [
        f"{transport_name(above)} {times(it)} times {transport_name(below)}"
        for above, below, it in compared
    ]
    where = f"under {label} on {store_name(store)}"
    if len(best) == len(names):
        return (
            f"Choose by something else than {when}: {where} there is no difference "
            f"({'; '.join(figures)})."
        )
    chosen = listed([transport_name(it) for it in best], "or")
    tie = ", which do not differ," if len(best) > 1 else ""
    return f"Choose {chosen}{tie} when {when} counts: {where}, {'; '.join(figures)}."


def _cheapest(grid: Grid, store: str) -> str | None:
    return _among(grid, store, grid.headline(), CPU, "the server's CPU")


def _quickest(grid: Grid, store: str) -> str | None:
    label = next(iter(grid.loads("rtt")), None)
    return _among(grid, store, label, P50, "the latency of a single message")


def _smallest(grid: Grid) -> str | None:
    label = grid.headline()
    if label is None:
        return None
    for store in reversed(_STORES):
        counted = sorted(
            (taken, f"{codec} on {transport_name(transport)}")
            for transport in TRANSPORTS
            for codec in _CODECS
            if (taken := wire_bytes(grid.row(transport, codec, store, label)))
        )
        if len(counted) > 1:
            (least, best), (most, worst) = counted[0], counted[-1]
            return (
                f"Choose {best} when bytes are dear: {number(least)} a message under "
                f"{label}, both directions together; {worst} takes {number(most)}."
            )
    return None


def _price(grid: Grid, transport: str) -> str | None:
    """Its CPU over raw TCP, on each store."""
    label = grid.headline()
    if label is None:
        return None
    found = grid.ratios(
        "transports", measure=CPU, of=transport, to="tcp", labels=[label]
    )
    each = [f"{times(it)} on {store_name(grid.store(it))}" for it in found]
    return f"{' and '.join(each)} under {label}" if each else None


def _browsers(grid: Grid) -> str | None:
    price = _price(grid, "websocket")
    if price is None:
        return None
    return (
        "Choose WebSocket when browsers are to connect, whatever the figures: they "
        "speak neither raw TCP nor gRPC's stream. It takes this many times TCP's CPU a "
        f"message: {price}."
    )


def _generated(grid: Grid) -> str | None:
    price = _price(grid, "grpc")
    if price is None:
        return None
    return (
        "Choose gRPC when others write clients in other languages, from the schema "
        "alone. It takes this many times TCP's CPU a message: "
        f"{price}."
    )


def _on_disk(grid: Grid) -> str | None:
    """How much of a message's CPU the store is, by the rows with it and without it."""
    label = grid.headline()
    if label is None:
        return None
    shares = []
    for transport in TRANSPORTS:
        on_disk = grid.row(transport, "protobuf", "sqlite", label)
        in_memory = grid.row(transport, "protobuf", "memory", label)
        if on_disk is None or in_memory is None:
            continue
        whole, rest = (
            on_disk.server_cpu_us_per_message,
            in_memory.server_cpu_us_per_message,
        )
        if whole and rest and rest < whole:
            shares.append(f"{percent(1 - rest / whole)} on {transport_name(transport)}")
    if not shares:
        return None
    return (
        "Choose the transport by what else it gives you when messages are kept on "
        "disk: SQLite is this share of a message's CPU: "
        f"{listed(shares)} (under {label})."
    )


def _tuned(
    grid: Grid, table: str, measure: str, told: Callable[[Ratio], str]
) -> list[tuple[Ratio, str]]:
    label = grid.headline()
    if label is None:
        return []
    return [
        (it, told(it)) for it in grid.ratios(table, measure=measure, labels=[label])
    ]


def _where(grid: Grid, ratio: Ratio) -> str:
    contestant = grid.contestant(ratio.of)
    return (
        f"{times(ratio)} on {transport_name(contestant.transport)} with "
        f"{store_name(contestant.store)}"
    )


def _codec(grid: Grid) -> str | None:
    found = [
        (it, f"{grid.contestant(it.of).codec} {where}")
        for it, where in _tuned(grid, "codecs", CPU, lambda it: _where(grid, it))
    ]
    cheaper = [where for it, where in found if it.finding == "lower"]
    dearer = [where for it, where in found if it.finding == "higher"]
    if not cheaper and not dearer:
        return None
    parts = []
    if cheaper:
        parts.append(f"cheaper than protobuf is {'; '.join(cheaper)}")
    if dearer:
        parts.append(f"dearer is {'; '.join(dearer)}")
    return (
        "Choose the codec by who has to read it; in times of protobuf's CPU a message, "
        f"{', '.join(parts)}."
    )


def _engine(grid: Grid) -> str | None:
    found = _tuned(grid, "engines", CPU, lambda it: _where(grid, it))
    cheaper = [where for it, where in found if it.finding == "lower"]
    if not cheaper:
        return None
    return (
        "Choose uvloop when you can install it: it takes this many times asyncio's CPU "
        f"a message: {'; '.join(cheaper)}."
    )


def _batches(grid: Grid) -> str | None:
    found = [
        (it, where)
        for it, where in _tuned(grid, "frames", THROUGHPUT, lambda it: _where(grid, it))
        if grid.contestant(it.of).server == "chat"
    ]
    slower = [where for it, where in found if it.finding == "lower"]
    if not slower:
        return None
    return (
        "Choose batches when you write a client of your own: with one message a frame "
        f"throughput is this many times that of batches: {'; '.join(slower)}."
    )
