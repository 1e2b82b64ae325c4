"""From samples to the row of each cell: medians of its valid rounds.

A row has the latency of all valid rounds together, from their histograms, and not a
median of percentiles. The generator is the limit of a row where it was in more than
half of its rounds. Bytes on the wire come from the pass that counted them.
"""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from chatbench import latencies
from chatbench.cells import Cell
from chatbench.plans import Plan
from chatbench.progress import complaint
from chatbench.results import Result
from chatbench.samples import Percentiles, Sample

_MOST_FAULTS: Final = 10


def summarise(plan: Plan, samples: Iterable[Sample]) -> list[Result]:
    """The rows of a run, in the order of the plan's cells."""
    by_cell: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        by_cell[sample.contestant, sample.workload].append(sample)
    return [_row(it, by_cell[it.key], plan.rounds) for it in plan.cells]


def _row(cell: Cell, samples: Sequence[Sample], rounds: int) -> Result:
    timed = [it for it in samples if it.round < rounds]
    counted = [it for it in samples if it.round >= rounds and it.is_valid]
    valid = [it for it in timed if it.is_valid]
    contestant, workload = cell.contestant, cell.workload
    histogram = _merged(it.latency_histogram for it in valid)

    def middle(figure: Callable[[Sample], float | None]) -> float | None:
        return _median(figure(it) for it in valid)

    return Result(
        contestant=contestant.name,
        transport=contestant.transport,
        codec=contestant.codec,
        store=contestant.store,
        server=contestant.server,
        framing=contestant.framing,
        driver=contestant.driver,
        loop=contestant.loop,
        workload=workload.name,
        label=workload.label,
        in_flight=workload.in_flight,
        pairs=workload.pairs,
        body_bytes=workload.body_bytes,
        rounds=len(timed),
        disturbed_rounds=sum(it.is_disturbed for it in timed),
        messages=sum(it.messages for it in valid),
        lost=sum(it.lost for it in samples),
        duplicated=sum(it.duplicated for it in samples),
        out_of_order=sum(it.out_of_order for it in samples),
        valid=len(timed) == rounds and all(it.is_valid for it in samples),
        generator_bound=2 * sum(it.is_generator_bound for it in timed) > len(timed),
        faults=_faults(samples),
        throughput_per_s=middle(lambda it: it.throughput_per_s),
        server_cpu_us_per_message=middle(lambda it: it.server_cpu_us_per_message),
        server_user_us_per_message=middle(lambda it: it.server_user_us_per_message),
        server_system_us_per_message=middle(lambda it: it.server_system_us_per_message),
        server_grpc_us_per_message=middle(lambda it: it.server_grpc_us_per_message),
        generator_cpu_us_per_message=middle(lambda it: it.generator_cpu_us_per_message),
        generator_core_share=middle(lambda it: it.generator_core_share),
        latency_us=_percentiles(histogram),
        receipt_us=_percentiles(_merged(it.receipt_histogram for it in valid)),
        latency_histogram=histogram,
        frames_up=middle(lambda it: it.frames_up),
        frames_down=middle(lambda it: it.frames_down),
        wire_bytes_per_message=next(
            (it.wire_bytes_per_message for it in counted), None
        ),
        server_rss_bytes=_whole(middle(lambda it: it.server_rss_bytes)),
        extras=_middle_extras(valid),
    )


def _median(figures: Iterable[float | None]) -> float | None:
    measured = [it for it in figures if it is not None]
    return statistics.median(measured) if measured else None


def _whole(figure: float | None) -> int | None:
    return None if figure is None else round(figure)


def _merged(histograms: Iterable[str | None]) -> str | None:
    measured = [it for it in histograms if it is not None]
    return latencies.merge(measured) if measured else None


def _percentiles(histogram: str | None) -> Percentiles | None:
    return None if histogram is None else latencies.percentiles(histogram)


def _middle_extras(samples: Sequence[Sample]) -> dict[str, float]:
    names = list(dict.fromkeys(name for it in samples for name in it.extras))
    return {
        name: statistics.median(it.extras[name] for it in samples if name in it.extras)
        for name in names
    }


def _faults(samples: Iterable[Sample]) -> list[str]:
    """What went wrong, a sentence for each round, the first ones."""
    found = [f"round {it.round}: {complaint(it)}" for it in samples if not it.is_valid]
    return found[:_MOST_FAULTS]
