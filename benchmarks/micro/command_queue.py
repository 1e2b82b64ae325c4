"""The queue of a session's commands: put, taken, finished."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from benchmarks.micro.base import BODY, SIZES, Benchmark, Call
from chatcore.commands import Request, Send
from transports.command_queue import CommandQueue

_MOST: Final = 256


def queueing(size: int) -> Callable[[], AbstractContextManager[Call]]:
    """A frame of so many commands on its way through the queue."""

    @contextmanager
    def opened() -> Iterator[Call]:
        queue = CommandQueue()
        requests = [Request(number, Send("bob", BODY)) for number in range(size)]

        def pass_through() -> None:
            queue.put(requests, len(BODY) * size)
            queue.finish(len(queue.take(_MOST)))

        yield pass_through
        assert len(queue) == 0

    return opened


BENCHMARKS: Final = [
    Benchmark(f"command-queue-{size}", queueing(size)) for size in SIZES
]
