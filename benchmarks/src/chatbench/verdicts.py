"""What a run says of the claims of a course report that measured nothing.

What the report calls WebSocket was raw TCP, so each claim is judged against both. A
verdict counts what was compared beyond noise, and begins with "holds", "does not hold",
"depends on" or "not settled by this"; its figures are the run's own.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from chatbench.cells import WorkloadName
from chatbench.figures import (
    listed,
    measure_name,
    noise_of,
    number,
    store_name,
    times,
    transport_name,
)
from chatbench.grid import Grid
from chatbench.measures import (
    CPU,
    MORE_IS_BETTER,
    P50,
    SESSION_BYTES,
    THROUGHPUT,
    wire_bytes,
)
from chatbench.results import Ratio, Results, SourceLines, Verdict

FASTER: Final = "gRPC outperforms the socket version"
FEWER: Final = "HTTP/2 needs few connections"
SMALLER: Final = "protobuf messages are smaller than text"
SIMPLER: Final = "gRPC is less complex to write"
SAFER: Final = "doing it by hand is more prone to error"

ABSENT: Final = "not settled by this run"
_SOCKETS: Final = ("tcp", "websocket")
_STORES: Final = ("memory", "sqlite")

_LOADS: Final[Mapping[str, tuple[WorkloadName, ...]]] = {
    THROUGHPUT: ("throughput", "offline", "replay"),
    CPU: ("rtt", "throughput", "rate", "offline", "replay"),
    # In a closed loop with many in flight, latency is throughput once more (Little).
    P50: ("rtt", "rate"),
}
"""Under which loads each measure judges the first claim."""

_MOST_SHOWN: Final = 4


def all_verdicts(results: Results) -> list[Verdict]:
    """Of each claim, in its readings."""
    grid = Grid(results)
    verdicts = [
        _faster(grid, socket, measure, what)
        for socket in _SOCKETS
        for measure, what in (
            (THROUGHPUT, "more messages a second"),
            (CPU, "less server CPU a message"),
            (P50, "a lower median latency"),
        )
    ]
    verdicts += [_fewer(grid, it) for it in _SOCKETS]
    verdicts += [_smaller(grid, it, it) for it in _SOCKETS]
    verdicts += [_smaller(grid, "grpc", it) for it in _SOCKETS]
    verdicts += [_simpler(results.source_lines, it) for it in _SOCKETS]
    verdicts.append(_safer(results))
    if results.plan == "own":
        # Somebody's own question is not the report's.
        return []
    if results.is_result:
        return verdicts
    look = f" (a look at {results.rounds} rounds, not a result)"
    return [replace(it, verdict=it.verdict + look) for it in verdicts]


def judged(outcomes: Sequence[tuple[str, str, bool]]) -> str:
    """Of many outcomes, each with its store, its load, and whether the claim held."""
    if not outcomes:
        return ABSENT
    if all(held for _, _, held in outcomes):
        return "holds"
    if not any(held for _, _, held in outcomes):
        return "does not hold"
    held_by_store = _decided((store, held) for store, _, held in outcomes)
    if held_by_store is not None:
        names = [store_name(it) for it in held_by_store]
        return f"depends on the store: holds with {listed(names)}"
    held_by_load = _decided((load, held) for _, load, held in outcomes)
    if held_by_load is not None:
        return f"depends on the load: holds under {listed(held_by_load)}"
    return "depends on the store and the load"


def _decided(outcomes: Iterable[tuple[str, bool]]) -> list[str] | None:
    """Where it held, if each of these things decides it alone; None if one does not."""
    seen: dict[str, set[bool]] = {}
    for what, held in outcomes:
        seen.setdefault(what, set()).add(held)
    if any(len(it) > 1 for it in seen.values()):
        return None
    return [what for what, it in seen.items() if True in it]


def _faster(grid: Grid, socket: str, measure: str, what: str) -> Verdict:
    ratios = grid.ratios(
        "transports",
        measure=measure,
        of="grpc",
        to=socket,
        labels=grid.loads(*_LOADS[measure]),
    )
    better = "higher" if measure in MORE_IS_BETTER else "lower"
    return Verdict(
        claim=FASTER,
        reading=f"{what} than {transport_name(socket)}",
        verdict=judged(
            [(grid.store(it), it.label, it.finding == better) for it in ratios]
        ),
        figures=_shown(grid, ratios, socket, better),
    )


def _shown(grid: Grid, ratios: Sequence[Ratio], socket: str, better: str) -> str:
    if not ratios:
        return "Nothing was measured that could be compared."
    first = grid.headline()
    chosen = sorted(
        ratios,
        key=lambda it: (it.label != first, grid.labels.index(it.label)),
    )[:_MOST_SHOWN]
    examples = [
        f"{it.label} on {store_name(grid.store(it))} {times(it)}" for it in chosen
    ]
    same = sum(it.finding == "no difference" for it in ratios)
    right = sum(it.finding == better for it in ratios)
    return (
        f"{measure_name(ratios[0].measure)}, gRPC over {transport_name(socket)}: "
        f"{'; '.join(examples)}. Better in {right}, no difference in {same}, worse in "
        f"{len(ratios) - right - same} of {len(ratios)}; {noise_of(ratios)}."
    )


def _fewer(grid: Grid, socket: str) -> Verdict:
    ratios = grid.ratios("transports", measure=SESSION_BYTES, of="grpc", to=socket)
    said = (
        "Here every session has a connection of its own on each transport, since each "
        "is a user of its own; several sessions of one program could share one of "
        "HTTP/2, which was not measured."
    )
    name = transport_name(socket)
    if not ratios:
        return Verdict(
            claim=FEWER, reading=f"than {name}", verdict=ABSENT, figures=said
        )
    figures = [f"{times(it)} on {store_name(grid.store(it))}" for it in ratios]
    return Verdict(
        claim=FEWER,
        reading=f"than {name}",
        verdict="not settled by this",
        figures=(
            f"{said} A silent session's memory in the server, gRPC over {name}: "
            f"{'; '.join(figures)}; {noise_of(ratios)}."
        ),
    )


def _smaller(grid: Grid, binary: str, text: str) -> Verdict:
    """Bytes of protobuf on one transport, and of JSON on the same one or another."""
    outcomes: list[tuple[str, str, bool]] = []
    figures: list[str] = []
    for label in grid.labels:
        for store in _STORES:
            less = wire_bytes(grid.row(binary, "protobuf", store, label))
            more = wire_bytes(grid.row(text, "json", store, label))
            if less is None or more is None:
                continue
            outcomes.append((store, label, less < more))
            figures.append(
                f"{label} on {store_name(store)} {number(less)} against {number(more)}"
                f" ({number(less / more)})"
            )
    return Verdict(
        claim=SMALLER,
        reading=(
            f"protobuf on {transport_name(binary)}, JSON on {transport_name(text)}"
        ),
        verdict=judged(outcomes),
        figures=(
            "Bytes of TCP payload a message, both directions and all its answers, "
            f"bodies included: {'; '.join(figures[:_MOST_SHOWN])}."
            if figures
            else "Bytes were not counted for both."
        ),
    )


def _by_hand(lines: SourceLines) -> int:
    return lines.transport + lines.framing + lines.schema


def _told(name: str, lines: SourceLines) -> str:
    unary = f", {lines.unary} of it for unary calls" if lines.unary else ""
    return (
        f"{transport_name(name)} {_by_hand(lines)} "
        f"(transport {lines.transport}{unary}, framing {lines.framing}, "
        f"schema {lines.schema}) and {lines.generated} generated"
    )


def _fewer_lines(grpc: SourceLines, socket: SourceLines) -> str:
    """The sockets have no unary calls: judged with what those need and without."""
    most, limit = _by_hand(grpc), _by_hand(socket)
    if most < limit:
        return "holds, as far as lines tell"
    if most - grpc.unary < limit:
        return "depends on whether unary calls count, as far as lines tell"
    return "does not hold, as far as lines tell"


def _simpler(lines: dict[str, SourceLines], socket: str) -> Verdict:
    reading = f"fewer lines by hand than {transport_name(socket)}"
    if "grpc" not in lines or socket not in lines:
        return Verdict(
            claim=SIMPLER,
            reading=reading,
            verdict=ABSENT,
            figures="Source lines were not counted.",
        )
    return Verdict(
        claim=SIMPLER,
        reading=reading,
        verdict=_fewer_lines(lines["grpc"], lines[socket]),
        figures=(
            f"Lines of code: {_told('grpc', lines['grpc'])}; "
            f"{_told(socket, lines[socket])}. Each does the same for the same chat; "
            "what the libraries below do is not counted."
        ),
    )


def _safer(results: Results) -> Verdict:
    transports = {it.name: it.transport for it in results.contestants}
    figures = []
    for transport in (*_SOCKETS, "grpc"):
        rows = [
            it for it in results.results if transports.get(it.contestant) == transport
        ]
        if rows:
            wrong = sum(it.lost + it.duplicated + it.out_of_order for it in rows)
            figures.append(
                f"{transport_name(transport)} {sum(it.messages for it in rows):,} "
                f"messages, {wrong:,} lost, doubled or out of order"
            )
    return Verdict(
        claim=SAFER,
        reading="errors in what was written",
        verdict="not settled by this",
        figures=(
            "Nobody's errors were counted while they wrote it. All three pass the same "
            "conformance suite, which is what can be shown of code that is finished; "
            "what would settle it is the count of faults that each had on the way. "
            f"In this run: {'; '.join(figures) or 'nothing'}."
        ),
    )
