"""The delivery window: messages offered, and acknowledged together."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import Final

from benchmarks.micro.base import BODY, SIZES, Benchmark, Call
from chatcore.delivery import Delivery, DeliveryState, DeliveryTrigger
from chatcore.ids import AccountId, Position, Username
from chatcore.limits import Limits
from chatcore.model import Mailbox, Message


def window(size: int) -> Callable[[], AbstractContextManager[Call]]:
    """So many messages on their way, and off it."""

    @contextmanager
    def opened() -> Iterator[Call]:
        empty = Mailbox(acknowledged=Position(0), head=Position(0), queued=0)
        delivery = Delivery(empty, Limits(), pushes=True)
        delivery.change(DeliveryTrigger.ASKED)
        delivery.take((), head=Position(0))
        assert delivery.flow is DeliveryState.LIVE
        positions = count(1)

        def deliver() -> None:
            for _ in range(size):
                message = Message(
                    position=Position(next(positions)),
                    sender=Username("ada"),
                    sender_id=AccountId(1),
                    sender_deleted=False,
                    body=BODY,
                    body_bytes=len(BODY),
                    sent_at_ms=0,
                )
                assert delivery.offer(message) is not None
            delivery.acknowledge(delivery.delivered)

        yield deliver

    return opened


BENCHMARKS: Final = [
    Benchmark(f"delivery-window-{size}", window(size)) for size in SIZES
]
