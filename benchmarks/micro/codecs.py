"""A server's part of each codec: frames of commands read, frames of events written."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from benchmarks.micro.base import BODY, SIZES, Benchmark, Call
from chatcore.commands import Acknowledge, Request, Send
from chatcore.events import Accepted, Delivered, Event, Received
from chatcore.ids import AccountId, Position, Username
from transports.codec import CODECS, codec, split

_FRAME_BYTES: Final = 1024 * 1024
_KEY: Final = bytes(range(16))
_AT_MS: Final = 1_795_000_000_000


def _send(number: int) -> Request:
    return Request(number + 1, Send("bob", BODY, _KEY))


def _acknowledge(number: int) -> Request:
    return Request(0, Acknowledge(1000 + number))


def _delivered(number: int) -> Event:
    return Delivered(
        position=Position(1000 + number),
        follows=Position(999 + number),
        sender=Username("ada"),
        sender_id=AccountId(16),
        sender_deleted=False,
        body=BODY,
        sent_at_ms=_AT_MS,
    )


def _accepted(number: int) -> Event:
    return Accepted(
        id=number + 1,
        recipient_id=AccountId(16),
        position=Position(1000 + number),
        sent_at_ms=_AT_MS,
        durable=True,
    )


def _received(number: int) -> Event:
    return Received(Username("bob"), AccountId(16), (Position(1000 + number),))


def reading(
    name: str, requests: Sequence[Request]
) -> Callable[[], AbstractContextManager[Call]]:
    """One frame of these, read as the driver does."""

    @contextmanager
    def opened() -> Iterator[Call]:
        it = codec(name)
        frame = it.encode_commands(requests)

        def read() -> list[Request]:
            found: list[Request] = []
            for some in it.read_commands(frame):
                found += some
            return found

        assert read() == requests
        yield read

    return opened


def writing(
    name: str, events: Sequence[Event]
) -> Callable[[], AbstractContextManager[Call]]:
    """One frame of these, written as the driver does."""

    @contextmanager
    def opened() -> Iterator[Call]:
        it = codec(name)

        def write() -> list[bytes]:
            return split(events, it.encode_events, _FRAME_BYTES)

        assert list(map(it.decode_events, write())) == [list(events)]
        yield write

    return opened


_READ: Final = {"read-send": _send, "read-acknowledge": _acknowledge}
_WRITTEN: Final = {
    "write-delivered": _delivered,
    "write-accepted": _accepted,
    "write-received": _received,
}

BENCHMARKS: Final = [
    benchmark
    for name in CODECS
    for size in SIZES
    for benchmark in (
        *(
            Benchmark(f"{name}-{path}-{size}", reading(name, [*map(item, range(size))]))
            for path, item in _READ.items()
        ),
        *(
            Benchmark(f"{name}-{path}-{size}", writing(name, [*map(item, range(size))]))
            for path, item in _WRITTEN.items()
        ),
    )
]
