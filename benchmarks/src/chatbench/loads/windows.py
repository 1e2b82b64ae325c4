"""The measured window of a round: all clocks at its start and at its end.

One ``ClockReading`` is taken at either end; what is told of the window is their
difference,
divided by the messages in between. Reading costs about a millisecond, in which the
server goes on; it is the same at both ends.
"""

import time
from dataclasses import dataclass
from typing import Final

from chatbench.cpu import (
    CannotMeasure,
    MachineTime,
    ProcessTime,
    grpc_between_ns,
    machine_time,
    process_time,
)
from chatbench.latencies import encode, histogram_of, percentiles
from chatbench.loads.tallies import RoundTally
from chatbench.samples import Sample, WireBytes

_NS: Final = 1_000_000_000
_NS_PER_US: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """What all counters show at one moment.

    Attributes:
        at_ns: the monotonic clock.
        messages: delivered so far, or what else the workload counts.
        own_ns: CPU time of this process.
        frames_out: of all sessions.
        frames_in: of all sessions.
        bytes_up: through the relay.
        bytes_down: through the relay.
    """

    at_ns: int
    messages: int
    server: ProcessTime
    own_ns: int
    machine: MachineTime
    frames_out: int = 0
    frames_in: int = 0
    bytes_up: int = 0
    bytes_down: int = 0


def read_clocks(pid: int, messages: int) -> ClockReading:
    """All counters of the machine; those of a load are for its round to add.

    Raises:
        CannotMeasure: the server is gone, or this is not Linux.
    """
    return ClockReading(
        machine=machine_time(),
        server=process_time(pid),
        own_ns=time.process_time_ns(),
        at_ns=time.monotonic_ns(),
        messages=messages,
    )


def tell_window(sample: Sample, before: ClockReading, after: ClockReading) -> None:
    """Fill in what the counters say of the window between two readings.

    Raises:
        CannotMeasure: nothing was delivered in it.
    """
    messages = after.messages - before.messages
    elapsed_ns = after.at_ns - before.at_ns
    if messages <= 0:
        raise CannotMeasure("Nothing was delivered in the measured window.")

    def us_each(used_ns: int) -> float:
        return used_ns / _NS_PER_US / messages

    server_ns = after.server.total_ns - before.server.total_ns
    own_ns = after.own_ns - before.own_ns
    grpc_ns = grpc_between_ns(before.server, after.server)
    sample.messages = messages
    sample.seconds = elapsed_ns / _NS
    sample.throughput_per_s = messages / sample.seconds
    sample.server_cpu_us_per_message = us_each(server_ns)
    sample.server_user_us_per_message = us_each(
        after.server.user_ns - before.server.user_ns
    )
    sample.server_system_us_per_message = us_each(
        after.server.system_ns - before.server.system_ns
    )
    sample.server_grpc_us_per_message = None if grpc_ns is None else us_each(grpc_ns)
    sample.generator_cpu_us_per_message = us_each(own_ns)
    sample.generator_core_share = own_ns / elapsed_ns
    if after.frames_out or after.frames_in:
        sample.frames_up = (after.frames_out - before.frames_out) / messages
        sample.frames_down = (after.frames_in - before.frames_in) / messages
    tell_disturbance(sample, before, after)


def tell_disturbance(sample: Sample, before: ClockReading, after: ClockReading) -> None:
    """How much of the machine others had meanwhile."""
    cores_s = after.machine.total_s - before.machine.total_s
    if cores_s <= 0:
        return  # less than a tick
    server_ns = after.server.total_ns - before.server.total_ns
    ours_s = (server_ns + after.own_ns - before.own_ns) / _NS
    busy_s = after.machine.busy_s - before.machine.busy_s
    stolen_s = after.machine.stolen_s - before.machine.stolen_s
    sample.stolen_share = stolen_s / cores_s
    # Ticks and nanoseconds are not counted at the same moments: below 0 means 0.
    sample.others_share = max(busy_s - ours_s, 0.0) / cores_s


def tell_wire(sample: Sample, before: ClockReading, after: ClockReading) -> None:
    """Fill in what the relay counted in the window; its times mean nothing.

    Raises:
        CannotMeasure: nothing was delivered in it.
    """
    messages = after.messages - before.messages
    if messages <= 0:
        raise CannotMeasure("Nothing was delivered in the measured window.")
    sample.messages = messages
    sample.seconds = (after.at_ns - before.at_ns) / _NS
    sample.wire_bytes_per_message = WireBytes(
        up=(after.bytes_up - before.bytes_up) / messages,
        down=(after.bytes_down - before.bytes_down) / messages,
    )
    sample.frames_up = (after.frames_out - before.frames_out) / messages
    sample.frames_down = (after.frames_in - before.frames_in) / messages


def tell_latencies(sample: Sample, tally: RoundTally) -> None:
    """Fill in the latencies of what was sent in the window."""
    if tally.latencies:
        sample.latency_histogram = encode(histogram_of(tally.latencies))
        sample.latency_us = percentiles(sample.latency_histogram)
    if tally.receipts:
        sample.receipt_histogram = encode(histogram_of(tally.receipts))
        sample.receipt_us = percentiles(sample.receipt_histogram)
