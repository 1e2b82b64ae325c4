"""A run's rows and ratios, found by what they are of, and never by names."""

from collections.abc import Sequence

from chatbench.cells import Contestant, WorkloadName
from chatbench.results import Ratio, Result, Results


class Grid:
    """What verdicts and advice read: the product as it comes, and its ratios.

    A *plain* contestant is ``chatcore serve`` as it comes: frames batched, loaded by a
    lean wire, on asyncio's loop, neither a twin nor with a planted fault.
    """

    def __init__(self, results: Results) -> None:
        self._contestants = {it.name: it for it in results.contestants}
        self._rows = {(it.contestant, it.label): it for it in results.results}
        self._ratios = results.ratios
        self._workloads = {it.label: it for it in results.workloads}
        self.labels = list(self._workloads)

    def loads(self, *names: WorkloadName) -> list[str]:
        """Labels of these kinds, of loads that are the same for all contestants."""
        return [
            label
            for label, it in self._workloads.items()
            if it.name in names and it.capacity_share is None
        ]

    def plain(
        self, transport: str, codec: str = "protobuf", store: str | None = None
    ) -> list[Contestant]:
        """With this transport and codec, on this store or on each."""
        return [
            it
            for it in self._contestants.values()
            if (it.server, it.framing, it.driver, it.loop)
            == ("chat", "batch", "lean", "asyncio")
            and it.twin_of is None
            and it.planted is None
            and (it.transport, it.codec) == (transport, codec)
            and store in {None, it.store}
        ]

    def row(self, transport: str, codec: str, store: str, label: str) -> Result | None:
        """The plain one's row, if it is valid."""
        for it in self.plain(transport, codec, store):
            row = self._rows.get((it.name, label))
            if row is not None and row.valid:
                return row
        return None

    def ratios(
        self,
        table: str,
        *,
        measure: str,
        of: str | None = None,
        to: str | None = None,
        store: str | None = None,
        labels: Sequence[str] | None = None,
    ) -> list[Ratio]:
        """Those of a table that could be compared, by transports above and below."""
        return [
            it
            for it in self._ratios
            if (it.table, it.measure) == (table, measure)
            and it.ratio is not None
            and (labels is None or it.label in labels)
            and of in {None, self._contestants[it.of].transport}
            and to in {None, self._contestants[it.to].transport}
            and store in {None, self._contestants[it.of].store}
        ]

    def store(self, ratio: Ratio) -> str:
        """The store of what is above the line."""
        return self._contestants[ratio.of].store

    def contestant(self, name: str) -> Contestant:
        """The one of that name."""
        return self._contestants[name]

    def headline(self) -> str | None:
        """The load that sentences are about: 8 pairs with 16 in flight each.

        Without it, the closed loop with the most in flight; None without any.
        """
        loads = [it for it in self._workloads.values() if it.name == "throughput"]
        for it in loads:
            if (it.pairs, it.in_flight, it.body_bytes) == (8, 16, 64):
                return it.label
        loads.sort(key=lambda it: it.pairs * it.in_flight)
        return loads[-1].label if loads else None
