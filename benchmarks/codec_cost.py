# a program, which talks to people
"""What each codec costs a message: µs of one CPU, in frames of a batch.

Run it as ``PYTHONPATH=src python benchmarks/codec_cost.py``. It takes the best of some
rounds, since others' work on the machine only ever adds.
"""

import argparse
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from timeit import Timer
from typing import Final

from chatcore.commands import Acknowledge, Request, Send
from chatcore.events import Accepted, Delivered, Event
from chatcore.ids import AccountId, Position, Username
from transports.codec import CODECS, Codec, codec

_ROUND_FRAMES: Final = 500
_BODY: Final = "x" * 64
_KEY: Final = bytes(range(16))
_AT_MS: Final = 1_795_000_000_000


def frames_of(size: int) -> tuple[list[Request], list[Event], list[Event]]:
    """Sends, and the receipts and deliveries that they lead to."""
    numbers = range(1, size + 1)
    sends = [Request(n, Send("bob", _BODY, _KEY)) for n in numbers]
    receipts: list[Event] = [
        Accepted(n, AccountId(17), Position(1000 + n), _AT_MS, durable=True)
        for n in numbers
    ]
    deliveries: list[Event] = [
        Delivered(
            position=Position(1000 + n),
            follows=Position(999 + n),
            sender=Username("ada"),
            sender_id=AccountId(16),
            sender_deleted=False,
            body=_BODY,
            sent_at_ms=_AT_MS,
        )
        for n in numbers
    ]
    return sends, receipts, deliveries


def operations(it: Codec, size: int) -> dict[str, Callable[[], object]]:
    """What is measured, by its title: first the server's side, then the client's."""
    sends, receipts, deliveries = frames_of(size)
    acknowledges = [Request(0, Acknowledge(1000 + n)) for n in range(size)]
    sent = it.encode_commands(sends)
    acknowledged = it.encode_commands(acknowledges)
    accepted = it.encode_events(receipts)
    delivered = it.encode_events(deliveries)
    return {
        "read Send": lambda: it.decode_commands(sent),
        "read Acknowledge": lambda: it.decode_commands(acknowledged),
        "write Accepted": lambda: it.encode_events(receipts),
        "write Delivered": lambda: it.encode_events(deliveries),
        "client: write Send": lambda: it.encode_commands(sends),
        "client: read Accepted": lambda: it.decode_events(accepted),
        "client: read Delivered": lambda: it.decode_events(delivered),
    }


def cost_us(operation: Callable[[], object], *, size: int, rounds: int) -> float:
    """Microseconds a message."""
    best_s = min(Timer(operation).repeat(rounds, _ROUND_FRAMES))
    return best_s / _ROUND_FRAMES / size * 1e6


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--batch", type=int, default=16, help="messages in a frame")
    parser.add_argument("--rounds", type=int, default=7, help="the best one counts")
    options = parser.parse_args()
    rows = {
        name: {
            title: cost_us(run, size=options.batch, rounds=options.rounds)
            for title, run in operations(codec(name), options.batch).items()
        }
        for name in CODECS
    }
    libraries = ", ".join(f"{it} {version(it)}" for it in ("protobuf", "msgspec"))
    print(f"Python {platform.python_version()}, {libraries}")
    print(f"µs a message of {len(_BODY)} bytes, {options.batch} in a frame")
    print(f"{'':24}" + "".join(f"{name:>10}" for name in rows))
    for title in next(iter(rows.values())):
        costs = "".join(f"{costs[title]:10.2f}" for costs in rows.values())
        print(f"{title:24}{costs}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
