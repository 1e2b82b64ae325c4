"""Two runs, one over the other: what changed beyond noise, and how well they agree.

Rounds of two runs are not in pairs: both are drawn again on their own (``statistics``),
and the interval is widened by the larger noise of the two. What changed between the
runs as a whole, such as the machine's clock, is in no run's noise: ratios within a run
are free of it, and ``agreement`` compares those.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chatbench.cells import Workload
from chatbench.figures import measure_name, number, percent, times
from chatbench.measures import (
    OF_THE_LIMIT,
    SHORT_NAMES,
    TIMED,
    WIRE_BYTES,
    CellKey,
    measures_of,
    series_of,
    wire_bytes,
)
from chatbench.ratios import finding
from chatbench.results import Ratio, Result, Results
from chatbench.statistics import Bootstrap, Interval, Noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One measure of one cell, new over old; ``ratio.finding`` says what came out."""

    old: float
    new: float
    ratio: Ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How many medians of a second run lie inside a first one's intervals."""

    inside: int
    of: int
    outside: list[Ratio]
    by_table: dict[str, tuple[int, int]]
    by_measure: dict[str, tuple[int, int]]

    @property
    def share(self) -> float | None:
        """Of all that could be compared; None if nothing could."""
        return self.inside / self.of if self.of else None


def agreement(first: Results, second: Results) -> Agreement:
    """Whether the second run says what the first one said.

    Twins are left out, which are equal by what they are, and bytes on the wire, which
    are counted and not sampled; so is what could not be compared in both.
    """
    known = {_key(it): it for it in first.ratios if _is_measured(it)}
    inside: list[Ratio] = []
    outside: list[Ratio] = []
    for it in filter(_is_measured, second.ratios):
        of_first = known.get(_key(it))
        if of_first is not None:
            (inside if _holds(of_first, it) else outside).append(it)
    both = inside + outside
    return Agreement(
        inside=len(inside),
        of=len(both),
        outside=outside,
        by_table=_shares([it.table for it in inside], [it.table for it in both]),
        by_measure=_shares([it.measure for it in inside], [it.measure for it in both]),
    )


def _key(ratio: Ratio) -> tuple[str, ...]:
    return ratio.table, ratio.label, ratio.measure, ratio.of, ratio.to


def _is_measured(ratio: Ratio) -> bool:
    return (
        ratio.table != "twins"
        and ratio.measure != WIRE_BYTES
        and ratio.finding != "not comparable"
    )


def _holds(first: Ratio, second: Ratio) -> bool:
    if first.low is None or first.high is None or second.ratio is None:
        return False
    return first.low <= second.ratio <= first.high


def _shares(
    inside: Sequence[str], everything: Sequence[str]
) -> dict[str, tuple[int, int]]:
    good, total = Counter(inside), Counter(everything)
    return {name: (good[name], count) for name, count in total.items()}


def changes(old: Results, new: Results) -> list[Change]:
    """Each measure of each cell that both runs have, if it can be compared."""
    bootstrap = Bootstrap(new.seed)
    rows = _rows(old), _rows(new)
    workloads = {it.label: it for it in new.workloads}
    found = []
    for measure in TIMED:
        series = [series_of(it.samples, measure) for it in (old, new)]
        noises = [
            Noise(mine, run.contestants, bootstrap)
            for mine, run in zip(series, (old, new), strict=True)
        ]
        for key in rows[0].keys() & rows[1].keys():
            if not _is_comparable(
                rows[0][key], rows[1][key], workloads[key[1]], measure
            ):
                continue
            before, after = (list(it.get(key, {}).values()) for it in series)
            interval = bootstrap.unpaired(after, before)
            if interval is None:
                continue
            known = [noise for it in noises if (noise := it.at(key[1])) is not None]
            noise = max(known, default=None)
            found.append(
                Change(
                    old=median(before),
                    new=median(after),
                    ratio=_ratio(
                        key,
                        measure,
                        interval.widened(noise),
                        rounds=min(len(before), len(after)),
                        noise=noise,
                    ),
                )
            )
    return [*found, *_counted(*rows)]


def _rows(results: Results) -> dict[CellKey, Result]:
    return {(it.contestant, it.label): it for it in results.results}


def _is_comparable(old: Result, new: Result, workload: Workload, measure: str) -> bool:
    is_bound = old.generator_bound or new.generator_bound
    return (
        old.valid
        and new.valid
        and measure in measures_of(workload)
        and not (is_bound and measure in OF_THE_LIMIT)
    )


def _ratio(
    key: CellKey, measure: str, interval: Interval, *, rounds: int, noise: float | None
) -> Ratio:
    return Ratio(
        table="runs",
        label=key[1],
        measure=measure,
        of=key[0],
        to=key[0],
        ratio=interval.ratio,
        low=interval.low,
        high=interval.high,
        rounds=rounds,
        noise=noise,
        finding=finding(interval),
    )


def _counted(old: dict[CellKey, Result], new: dict[CellKey, Result]) -> list[Change]:
    """Bytes are counted once in a run."""
    found = []
    for key in old.keys() & new.keys():
        before, after = wire_bytes(old[key]), wire_bytes(new[key])
        if before and after and old[key].valid and new[key].valid:
            interval = Interval.counted(after / before)
            found.append(
                Change(
                    old=before,
                    new=after,
                    ratio=_ratio(key, WIRE_BYTES, interval, rounds=1, noise=None),
                )
            )
    return found


def compare(old: Results, new: Results, console: Console) -> int:
    """Print what changed from an old run to a new one; 0, whatever it was."""
    for warning in differences(old, new):
        console.print(Text(f"These runs differ in {warning}", style="yellow"))
    found = changes(old, new)
    changed = [it for it in found if it.ratio.finding != "no difference"]
    if changed:
        console.print(_changed(changed))
    console.print(
        Text(f"{len(changed)} changed beyond noise, {len(found) - len(changed)} not.")
    )
    _print_missing(old, new, console)
    _print_agreement(agreement(old, new), console)
    return 0


def differences(old: Results, new: Results) -> list[str]:
    """What makes two runs unlike each other, besides the code."""
    found = [
        f"{name}: {before}, now {after}"
        for name, before, after in (
            ("plan", old.plan, new.plan),
            ("rounds", old.rounds, new.rounds),
            ("system", old.machine.system, new.machine.system),
            ("processor", old.machine.cpu, new.machine.cpu),
            ("cores", old.machine.cores, new.machine.cores),
            ("memory", old.machine.memory_bytes, new.machine.memory_bytes),
            ("pinning", old.machine.pinned, new.machine.pinned),
        )
        if before != after
    ]
    for kind, mine, theirs in (
        ("version", old.machine.versions, new.machine.versions),
        ("setting", old.settings, new.settings),
    ):
        found += [
            f"{kind} of {name}: {mine.get(name, 'none')}, "
            f"now {theirs.get(name, 'none')}"
            for name in sorted(mine.keys() | theirs.keys())
            if mine.get(name) != theirs.get(name)
        ]
    return found


def _changed(changed: list[Change]) -> Table:
    table = Table(
        title="Changed beyond noise, new over old",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for column in ("contestant", "workload", "measure"):
        table.add_column(column, overflow="fold")
    for column in ("old", "new", "new/old (95 %)"):
        table.add_column(column, justify="right", no_wrap=True)
    for it in sorted(changed, key=lambda it: (it.ratio.label, it.ratio.of)):
        table.add_row(
            Text(it.ratio.of),
            Text(it.ratio.label),
            Text(SHORT_NAMES.get(it.ratio.measure, it.ratio.measure)),
            number(it.old),
            number(it.new),
            times(it.ratio),
        )
    return table


def _print_missing(old: Results, new: Results, console: Console) -> None:
    before, after = _rows(old).keys(), _rows(new).keys()
    for name, only in (("old", before - after), ("new", after - before)):
        if only:
            listed = "; ".join(" ".join(key) for key in sorted(only))
            console.print(Text(f"Only in the {name} run: {listed}."))


def _print_agreement(agreed: Agreement, console: Console) -> None:
    if agreed.share is None:
        console.print(Text("The runs have no ratio in common."))
        return
    console.print(
        Text(
            f"{agreed.inside} of {agreed.of} ratios ({percent(agreed.share)}) of the "
            "new run lie inside the old one's intervals."
        )
    )
    by_measure = {measure_name(name): it for name, it in agreed.by_measure.items()}
    for kind, counts in (("table", agreed.by_table), ("measure", by_measure)):
        each = ", ".join(
            f"{name} {inside}/{of}" for name, (inside, of) in counts.items()
        )
        console.print(Text(f"  by {kind}: {each}"))
