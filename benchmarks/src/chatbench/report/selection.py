"""Which of a run's rows the charts and the summary take, by what contestants are.

Names are never parsed: a third party's contestant may be called anything.
"""

from chatbench.cells import Contestant, Workload
from chatbench.contestants import TRANSPORTS
from chatbench.results import Result, Results
from chatbench.samples import Percentiles
from chatbench.workloads import CAPACITY

HEADLINE_CODEC = "protobuf"
_STORES = ("sqlite", "memory")


class Selection:
    """The rows of one run, found by what they measure.

    A *plain* row is of ``chatcore serve`` as it comes: frames batched, loaded by a lean
    wire, on asyncio's loop, neither a twin nor with a planted fault. Rows that failed
    are never given: their figures mean nothing.
    """

    def __init__(self, results: Results) -> None:
        self._contestants = {each.name: each for each in results.contestants}
        self._workloads = {each.label: each for each in results.workloads}
        self._valid = [
            row
            for row in results.results
            if row.valid and not self._is_altered(row.contestant)
        ]

    def contestant(self, name: str) -> Contestant | None:
        """The one of that name."""
        return self._contestants.get(name)

    def workload(self, label: str) -> Workload | None:
        """The one of that label."""
        return self._workloads.get(label)

    def _is_altered(self, name: str) -> bool:
        contestant = self._contestants.get(name)
        return contestant is not None and (
            contestant.twin_of is not None or contestant.planted is not None
        )

    def plain(self, codec: str | None = HEADLINE_CODEC) -> list[Result]:
        """Plain rows with this codec, or with any."""
        return [
            row
            for row in self._valid
            if row.server == "chat"
            and row.framing == "batch"
            and row.driver == "lean"
            and row.loop == "asyncio"
            and codec in {None, row.codec}
        ]

    def floors(self) -> list[Result]:
        """Rows of transports that echo, batched, without a chat behind them."""
        return [
            row
            for row in self._valid
            if row.server == "echo"
            and row.framing == "batch"
            and row.driver == "lean"
            and row.loop == "asyncio"
        ]

    def headline_label(self) -> str | None:
        """The workload that the page leads with.

        The one that gives each contestant's capacity; if this run had no such load,
        its first other closed loop; then whatever it had.
        """
        rows = self.plain() or self.plain(codec=None)
        labels = [row.label for row in rows]
        labels.sort(key=lambda label: label != CAPACITY)
        kinds = {row.label: row.workload for row in rows}
        for kind in ("throughput", "rtt"):
            for label in labels:
                if kinds[label] == kind:
                    return label
        return labels[0] if labels else None

    def labels(self, workload: str) -> list[str]:
        """Labels of the plain rows of a kind of workload, in the run's order."""
        return list(
            dict.fromkeys(
                row.label for row in self.plain(codec=None) if row.workload == workload
            )
        )


def transports(rows: list[Result]) -> list[str]:
    """Those in the rows: ours in a fixed order, then others by name."""
    seen = {row.transport for row in rows}
    return [each for each in TRANSPORTS if each in seen] + sorted(
        seen.difference(TRANSPORTS)
    )


def stores(rows: list[Result]) -> list[str]:
    """Those in the rows, the durable one first."""
    seen = {row.store for row in rows}
    return [each for each in _STORES if each in seen] + sorted(seen.difference(_STORES))


def percentile(latency: Percentiles | None, name: str) -> float | None:
    """One of a latency's percentiles, None where it was withheld."""
    if latency is None:
        return None
    value: float | None = getattr(latency, name)
    return value
