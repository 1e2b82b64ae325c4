"""What a person sees while a plan runs: the round, the cell, and the time left.

On a terminal it is a bar, drawn anew only between cells: a bar that moves by itself
would take time from one of the two cores that are measured. Elsewhere it is one line a
round. Both go to stderr, so that stdout has the results alone.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import fmean

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from chatbench.cells import Cell
from chatbench.plans import Plan
from chatbench.samples import Sample
from chatbench.workloads import expected_s


class TimeLeft:
    """How long the rest of a plan will take, from how long its cells took so far."""

    def __init__(self, plan: Plan) -> None:
        self._workloads = {it.label: it for it in plan.workloads}
        self._wanted: dict[str, int] = defaultdict(int)
        for cell in plan.cells:
            self._wanted[cell.workload.label] += plan.rounds
        for cell in plan.wire_cells:
            self._wanted[cell.workload.label] += 1
        self._took_s: dict[str, list[float]] = defaultdict(list)
        self.total = sum(self._wanted.values())

    def took(self, label: str, seconds: float) -> None:
        """A cell of this workload took so long."""
        self._took_s[label].append(seconds)

    @property
    def seconds(self) -> float:
        """Of all cells that have not run yet."""
        left_s = 0.0
        for label, wanted in self._wanted.items():
            took_s = self._took_s[label]
            each_s = fmean(took_s) if took_s else expected_s(self._workloads[label])
            left_s += (wanted - len(took_s)) * each_s
        return max(left_s, 0.0)


class ProgressShown:
    """See ``rounds.Audience``."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._console = console
        self._left = TimeLeft(plan)
        self._turn = ""
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show it while the block runs."""
        if not self._console.is_terminal:
            yield
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]} left"),
            TextColumn("[dim]{task.fields[last]}"),
        )
        with Progress(*columns, console=self._console, auto_refresh=False) as bar:
            self._bar = bar
            self._task = bar.add_task(
                "", total=self._left.total, left=self._shown_left, last=""
            )
            yield

    def begins(self, turn: str, cells: int) -> None:
        """See ``rounds.Audience``."""
        self._turn = turn
        if self._bar is None:
            self._console.print(
                f"{turn}: {cells} cells; about {self._shown_left} left", soft_wrap=True
            )
        self._update("")

    def ends(self, cell: Cell, sample: Sample, seconds: float) -> None:
        """See ``rounds.Audience``; what went wrong is told at once."""
        self._left.took(cell.workload.label, seconds)
        label = f"{cell.contestant.name} {cell.workload.label}"
        if not sample.is_valid:
            self._console.print(
                f"{self._turn}: {label}: {complaint(sample)}", soft_wrap=True
            )
        self._update(label, advance=1)

    def _update(self, last: str, *, advance: int = 0) -> None:
        if self._bar is None or self._task is None:
            return
        self._bar.update(
            self._task,
            advance=advance,
            description=self._turn,
            left=self._shown_left,
            last=last,
            refresh=True,
        )

    @property
    def _shown_left(self) -> str:
        minutes, seconds = divmod(round(self._left.seconds), 60)
        return f"{minutes}:{seconds:02}"


def complaint(sample: Sample) -> str:
    """What is wrong with a sample that is not valid, in a sentence."""
    if sample.fault is not None:
        return sample.fault
    return (
        f"{sample.lost} lost, {sample.duplicated} duplicated, "
        f"{sample.out_of_order} out of order"
    )
