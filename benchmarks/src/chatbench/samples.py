"""What one round of one cell gave, as the load generator tells it."""

from msgspec import Struct


class Percentiles(Struct, frozen=True, kw_only=True):
    """Of a latency, in microseconds.

    A percentile q is None with fewer than 100 / (1 - q) samples behind it: p99 needs
    10,000 of them, and p99.9 100,000. ``max`` is always the largest seen.
    """

    samples: int
    p50: float | None
    p90: float | None
    p99: float | None
    p999: float | None
    max: float


class WireBytes(Struct, frozen=True, kw_only=True):
    """TCP payload for each message: ``up`` to the server, ``down`` from it."""

    up: float
    down: float


class Sample(Struct, kw_only=True, omit_defaults=True):
    """One round of one cell. What was not measured is None, and left out in JSON.

    Attributes:
        contestant: the cell's contestant, by name.
        workload: its workload, by label.
        round: from 0.
        messages: how many the figures are for: those of the measured window. They are
            operations where the workload has no messages (logins, entries of a list).
        lost: sent and never delivered, by the end of the round.
        duplicated: delivered more than once.
        out_of_order: delivered after a later one of the same pair.
        fault: what made the round fail, in a sentence; None if nothing did.
        seconds: the length of the measured window.
        server_cpu_us_per_message: all threads and children, from the process clock.
        server_user_us_per_message: the part of it in user mode (ticks of 10 ms).
        server_system_us_per_message: the part of it in the kernel.
        server_grpc_us_per_message: the part of it in gRPC's own threads.
        generator_cpu_us_per_message: what the load itself cost, on its own core.
        generator_core_share: how much of its core the generator used, 0 to 1.
        schedule_lag_us: how late an open loop sent, at the 99th percentile.
        latency_us: from (intended) send to delivery.
        receipt_us: from (intended) send to receipt.
        latency_histogram: the same, HDR-encoded; the runner merges and keeps one.
        receipt_histogram: see ``latency_histogram``.
        frames_up: frames to the server for each message.
        frames_down: frames from the server for each message.
        wire_bytes_per_message: None but in a round that counts the wire.
        server_rss_bytes: at the end of the measured window.
        stolen_share: of the machine's CPU time that others took meanwhile, 0 to 1.
        others_share: of the machine's CPU time that processes other than the server
            and the generator used meanwhile, 0 to 1.
        extras: what only this workload measures, by a name with its unit.
    """

    contestant: str
    workload: str
    round: int
    messages: int = 0
    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    fault: str | None = None
    seconds: float = 0.0
    throughput_per_s: float | None = None
    server_cpu_us_per_message: float | None = None
    server_user_us_per_message: float | None = None
    server_system_us_per_message: float | None = None
    server_grpc_us_per_message: float | None = None
    generator_cpu_us_per_message: float | None = None
    generator_core_share: float | None = None
    schedule_lag_us: float | None = None
    latency_us: Percentiles | None = None
    receipt_us: Percentiles | None = None
    latency_histogram: str | None = None
    receipt_histogram: str | None = None
    frames_up: float | None = None
    frames_down: float | None = None
    wire_bytes_per_message: WireBytes | None = None
    server_rss_bytes: int | None = None
    stolen_share: float | None = None
    others_share: float | None = None
    extras: dict[str, float] = {}

    @property
    def is_valid(self) -> bool:
        """Whether every message is accounted for and nothing else failed."""
        return self.fault is None and not (
            self.lost or self.duplicated or self.out_of_order
        )

    @property
    def is_disturbed(self) -> bool:
        """Whether others took a noticeable part of the machine meanwhile."""
        return (self.stolen_share or 0.0) > MOST_STOLEN or (
            self.others_share or 0.0
        ) > MOST_OTHERS

    @property
    def is_generator_bound(self) -> bool:
        """Whether the generator, and not the server, may have been the limit."""
        return (self.generator_core_share or 0.0) > MOST_GENERATOR or (
            self.schedule_lag_us or 0.0
        ) > MOST_LAG_US


MOST_STOLEN = 0.02
MOST_OTHERS = 0.10
MOST_GENERATOR = 0.80
MOST_LAG_US = 2_000.0
