"""All benchmarks, the calibration first."""

from collections.abc import Sequence
from typing import Final

from benchmarks.micro import (
    codecs,
    command_queue,
    delivery,
    framing,
    lone_grpc,
    lone_message,
    lone_websocket,
    sending,
    sqlite_deposit,
)
from benchmarks.micro.base import Benchmark
from benchmarks.micro.calibration import CALIBRATION

BENCHMARKS: Final[Sequence[Benchmark]] = (
    CALIBRATION,
    *codecs.BENCHMARKS,
    *framing.BENCHMARKS,
    *command_queue.BENCHMARKS,
    *delivery.BENCHMARKS,
    *sending.BENCHMARKS,
    *sqlite_deposit.BENCHMARKS,
    *lone_message.BENCHMARKS,
    *lone_websocket.BENCHMARKS,
    *lone_grpc.BENCHMARKS,
)


def chosen(parts: Sequence[str]) -> list[Benchmark]:
    """Those whose name has one of these in it, all without any; calibration always."""
    return [
        it
        for it in BENCHMARKS
        if it is CALIBRATION or not parts or any(part in it.name for part in parts)
    ]
