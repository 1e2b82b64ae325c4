"""A run that nobody ran: results with known costs, drawn from a seed.

What a message costs is the sum of what its transport, codec, store and variant cost;
each round is faster or slower as a whole (``drift``), and each sample on top by a noise
of its own. Thus it is known what the statistics ought to find.
"""

import math
from collections.abc import Iterable
from functools import cache
from random import Random
from statistics import median

from chatbench.advice import all_advice
from chatbench.cells import Cell, Contestant, Workload
from chatbench.latencies import encode, histogram_of
from chatbench.plans import Plan, standard
from chatbench.ratios import all_ratios
from chatbench.results import VERSION, Machine, Peer, Result, Results, SourceLines
from chatbench.samples import Percentiles, Sample, WireBytes
from chatbench.verdicts import all_verdicts

BASE_US = {"tcp": 4.0, "websocket": 6.0, "grpc": 13.0}
CODEC_US = {"protobuf": 3.0, "msgpack": 1.5, "json": 5.0}
STORE_US = {"memory": 1.0, "sqlite": 9.0}
PEER_US = 40.0
FRAME_BYTES = {"tcp": 4, "websocket": 8, "grpc": 20}
CODEC_BYTES = {"protobuf": 60, "msgpack": 75, "json": 150, "none": 0}
IN_SINGLE_FRAMES = 4.0
UNARY = 15.0
UVLOOP = 0.7
IDLE_BYTES = {"tcp": 6_000, "websocket": 17_000, "grpc": 33_000}


def cost_us(contestant: Contestant) -> float:
    """What a message costs its server."""
    us = BASE_US.get(contestant.transport, PEER_US)
    if contestant.framing == "single":
        us *= IN_SINGLE_FRAMES
    if contestant.driver == "unary":
        us *= UNARY
    if contestant.loop == "uvloop":
        us *= UVLOOP
    if contestant.server == "chat":
        us += CODEC_US[contestant.codec] + STORE_US[contestant.store]
    return us


def _percentiles(p50: float, samples: int) -> Percentiles:
    def at(factor: float, needed: int) -> float | None:
        return p50 * factor if samples >= needed else None

    return Percentiles(
        samples=samples,
        p50=at(1.0, 200),
        p90=at(1.4, 1_000),
        p99=at(2.2, 10_000),
        p999=at(4.0, 100_000),
        max=p50 * 7,
    )


def synthetic_sample(cell: Cell, number: int, factor: float) -> Sample:
    """One round of a cell whose costs are ``factor`` times what they should be."""
    contestant, workload = cell.contestant, cell.workload
    us = cost_us(contestant) * factor
    messages = int(workload.measure_s * 1e6 / us)
    if workload.name == "rtt":
        messages = int(workload.measure_s * 1e6 / (us * 5))
    if workload.name == "rate":
        per_s = workload.rate_per_s or (workload.capacity_share or 0.5) * 1e6 / us
        messages = int(workload.measure_s * per_s)
    under_way = max(1, workload.pairs * workload.in_flight)
    latency = _percentiles(us * 5 + us * under_way, messages)
    sample = Sample(
        contestant=contestant.name,
        workload=workload.label,
        round=number,
        messages=messages,
        seconds=workload.measure_s,
        server_cpu_us_per_message=us,
        server_user_us_per_message=us * 0.7,
        server_system_us_per_message=us * 0.3,
        generator_cpu_us_per_message=6.0 if contestant.driver == "library" else 3.0,
        generator_core_share=0.4,
        server_rss_bytes=60 << 20,
        stolen_share=0.0,
        others_share=0.01,
    )
    if contestant.transport == "grpc":
        sample.server_grpc_us_per_message = us * 0.4
    if workload.name == "idle":
        each = IDLE_BYTES.get(contestant.transport, 20_000) * factor
        sample.server_cpu_us_per_message = None
        sample.extras = {
            "server_bytes_per_session": each,
            "kernel_bytes_per_session": 4_000.0,
        }
        return sample
    sample.throughput_per_s = messages / workload.measure_s
    sample.frames_up = sample.frames_down = 1 / max(1, workload.in_flight)
    if workload.name in {"rtt", "throughput", "rate", "replay"}:
        sample.latency_us = latency
        if contestant.server == "chat":
            sample.receipt_us = _percentiles((latency.p50 or us) * 0.9, messages)
    return sample


def synthetic_samples(
    cells: Iterable[Cell],
    *,
    seed: int,
    rounds: int,
    noise: float = 0.03,
    drift: float = 0.1,
) -> list[Sample]:
    """All rounds of these cells; ``noise`` and ``drift`` deviate the logarithms."""
    draw = Random(seed)  # noqa: S311  # a simulation
    cells = list(cells)
    samples = []
    for number in range(rounds):
        slow = draw.gauss(0, drift)
        samples += [
            synthetic_sample(cell, number, math.exp(slow + draw.gauss(0, noise)))
            for cell in cells
        ]
    return samples


def _histogram(workload: Workload, latency: Percentiles | None) -> str | None:
    """Of those rows whose curve the report draws."""
    if workload.name != "rtt" or latency is None or latency.p50 is None:
        return None
    return _histogram_around(workload.label, latency.p50)


@cache
def _histogram_around(label: str, p50: float) -> str:
    middle_ns = p50 * 1_000
    return encode(histogram_of(int(middle_ns * it) for it in _spread(label)))


@cache
def _spread(label: str) -> list[float]:
    draw = Random(label)  # noqa: S311  # a simulation
    return [draw.lognormvariate(0, 0.3) for _ in range(12_000)]


def synthetic_wire(contestant: Contestant, body_bytes: int) -> WireBytes:
    """What a message takes on the wire."""
    overhead = FRAME_BYTES.get(contestant.transport, 40)
    overhead += CODEC_BYTES.get(contestant.codec, 0)
    return WireBytes(up=body_bytes + overhead, down=body_bytes + overhead * 0.8)


def summarised(
    contestant: Contestant,
    workload: Workload,
    samples: list[Sample],
    *,
    has_wire: bool = False,
) -> Result:
    """The row of a cell."""
    valid = [it for it in samples if it.is_valid]

    def middle(field: str) -> float | None:
        values = [getattr(it, field) for it in valid]
        found = [it for it in values if it is not None]
        return median(found) if found else None

    def over_all(field: str) -> Percentiles | None:
        parts = [it for it in (getattr(each, field) for each in valid) if it]
        p50s = [it.p50 for it in parts if it.p50 is not None]
        if not p50s:
            return None
        return _percentiles(median(p50s), sum(it.samples for it in parts))

    rss = middle("server_rss_bytes")
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
        rounds=len(samples),
        disturbed_rounds=sum(it.is_disturbed for it in samples),
        messages=sum(it.messages for it in valid),
        lost=sum(it.lost for it in samples),
        duplicated=sum(it.duplicated for it in samples),
        out_of_order=sum(it.out_of_order for it in samples),
        valid=bool(samples) and len(valid) == len(samples),
        generator_bound=sum(it.is_generator_bound for it in samples) * 2 > len(samples),
        faults=[it.fault for it in samples if it.fault],
        throughput_per_s=middle("throughput_per_s"),
        server_cpu_us_per_message=middle("server_cpu_us_per_message"),
        server_user_us_per_message=middle("server_user_us_per_message"),
        server_system_us_per_message=middle("server_system_us_per_message"),
        server_grpc_us_per_message=middle("server_grpc_us_per_message"),
        generator_cpu_us_per_message=middle("generator_cpu_us_per_message"),
        generator_core_share=middle("generator_core_share"),
        latency_us=over_all("latency_us"),
        receipt_us=over_all("receipt_us"),
        latency_histogram=_histogram(workload, over_all("latency_us")),
        frames_up=middle("frames_up"),
        frames_down=middle("frames_down"),
        wire_bytes_per_message=(
            synthetic_wire(contestant, workload.body_bytes) if has_wire else None
        ),
        server_rss_bytes=None if rss is None else int(rss),
        extras={
            name: median(it.extras[name] for it in valid)
            for name in (valid[0].extras if valid else {})
        },
    )


def results_of(
    plan: Plan, samples: list[Sample], *, seed: int = 1, peers: list[Peer] | None = None
) -> Results:
    """All of a run that gave these samples."""
    wire = {it.key for it in plan.wire_cells}
    by_cell: dict[tuple[str, str], list[Sample]] = {}
    for it in samples:
        by_cell.setdefault((it.contestant, it.workload), []).append(it)
    rows = [
        summarised(
            it.contestant,
            it.workload,
            by_cell.get(it.key, []),
            has_wire=it.key in wire,
        )
        for it in plan.cells
    ]
    results = Results(
        version=VERSION,
        plan=plan.name,
        is_result=plan.is_result,
        command="chatcore bench",
        commit="0123456789",
        began_at="2026-11-22T20:00:00+00:00",
        seconds=plan.expected_s,
        seed=seed,
        rounds=plan.rounds,
        machine=Machine(
            system="Linux 6.1 (x86_64)",
            cpu="A Processor @ 3.00 GHz",
            cores=2,
            memory_bytes=8 << 30,
            pinned=True,
            versions={"python": "3.11.7", "grpcio": "1.85.0", "protobuf": "6.33.0"},
        ),
        settings={"tcp nodelay": "on", "websocket compression": "off"},
        contestants=plan.contestants,
        workloads=plan.workloads,
        results=rows,
        ratios=all_ratios(
            rows,
            samples,
            plan.contestants,
            plan.workloads,
            seed=seed,
            peers=peers or [],
        ),
        verdicts=[],
        advice=[],
        source_lines={
            "tcp": SourceLines(transport=120, framing=60, schema=0, generated=0),
            "websocket": SourceLines(transport=150, framing=0, schema=0, generated=0),
            "grpc": SourceLines(transport=400, framing=0, schema=14, generated=300),
        },
        codec_us_per_message={
            codec: {"encode_send": us, "decode_send": us / 2}
            for codec, us in CODEC_US.items()
        },
        store_us_per_message={
            store: {"batch_1": us * 4, "batch_16": us} for store, us in STORE_US.items()
        },
        peers=peers or [],
        samples=samples,
    )
    results.verdicts = all_verdicts(results)
    results.advice = all_advice(results)
    return results


def synthetic_results(
    plan: Plan | None = None,
    *,
    seed: int = 1,
    noise: float = 0.03,
    drift: float = 0.1,
) -> Results:
    """A run of ``plan`` (the standard one without it), by chance as its seed wants."""
    plan = plan or standard()
    samples = synthetic_samples(
        plan.cells, seed=seed, rounds=plan.rounds, noise=noise, drift=drift
    )
    return results_of(plan, samples, seed=seed)
