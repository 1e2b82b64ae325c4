"""Bytes from TCP cut into frames, as many of them in one read as there are items."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Final

from benchmarks.micro.base import BODY, SIZES, Benchmark, Call
from transports.framing import Framing, LengthFraming, LineFraming

_LIMIT: Final = 1024 * 1024


def splitting(
    make: Callable[[int], Framing], size: int
) -> Callable[[], AbstractContextManager[Call]]:
    """One read of so many frames."""

    @contextmanager
    def opened() -> Iterator[Call]:
        framing = make(_LIMIT)
        frames = [f"{BODY}{number}".encode() for number in range(size)]
        stream = framing.join(frames)
        assert framing.feed(stream) == frames
        yield partial(framing.feed, stream)

    return opened


BENCHMARKS: Final = [
    Benchmark(f"tcp-split-{kind}-{size}", splitting(make, size))
    for kind, make in (("lengths", LengthFraming), ("lines", LineFraming))
    for size in SIZES
]
