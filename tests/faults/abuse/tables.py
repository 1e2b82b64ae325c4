"""Outcomes for people: a line while they come, and a table at the end."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tests.faults.abuse.outcomes import PEAK_MIB, Outcome

_COLUMNS = (
    "attack",
    "on",
    "loop",
    "peak MiB",
    "after",
    "worst ms",
    "before",
    "control",
    "CPU s",
    "starved s",
    "log KiB",
    "",
)


def print_outcome(console: Console, outcome: Outcome) -> None:
    """One line, and one for each failure."""
    verdict = "held" if outcome.passed else "FAILED"
    console.print(
        f"{verdict:6} {outcome.attack} on {outcome.transport}, {outcome.loop}: "
        f"{outcome.peak_mib:.0f} MiB, {outcome.worst_ms:.0f} ms; {_figures(outcome)}"
    )
    for failure in outcome.failures:
        console.print(f"       - {failure}", markup=False)


def print_table(console: Console, outcomes: Sequence[Outcome], took_s: float) -> None:
    """All of them, and how many have failed."""
    table = Table(box=None, header_style="bold")
    for name in _COLUMNS:
        is_text = name in {"attack", "on", "loop", ""}
        table.add_column(name, justify="left" if is_text else "right")
    for it in outcomes:
        table.add_row(
            it.attack,
            it.transport,
            it.loop,
            _marked(it.peak_mib, too_much=it.peak_mib >= PEAK_MIB),
            f"{it.after_mib:.0f}",
            _marked(it.worst_ms, too_much=it.worst_ms >= it.allowed_ms),
            f"{it.baseline_ms:.0f}",
            f"{it.control_ms:.0f}",
            f"{it.server_cpu_s:.1f}",
            f"{it.starved_s:.1f}",
            f"{it.log_kib:.0f}",
            "held" if it.passed else "[red]FAILED[/red]",
        )
    console.print(table)
    failed = sum(not it.passed for it in outcomes)
    console.print(f"{failed} of {len(outcomes)} failed; it took {took_s / 60:.1f} min.")


def _marked(value: float, *, too_much: bool) -> str:
    return f"[red]{value:.0f}[/red]" if too_much else f"{value:.0f}"


def _figures(outcome: Outcome) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in outcome.figures.items())
