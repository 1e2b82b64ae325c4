"""A run of sends through the chat on the memory store, delivered and acknowledged.

There is no event loop in it: the tests' scheduler runs the chat's coroutines.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import Final

from benchmarks.micro.base import BODY, SIZES, Benchmark, Call
from chatcore.commands import Send
from tests.unit.chatcore.chat_fixture import ChatFixture
from tests.unit.chatcore.key_times import key_of


def sending(size: int) -> Callable[[], AbstractContextManager[Call]]:
    """So many sends executed as one run, and their acknowledgement."""

    @contextmanager
    def opened() -> Iterator[Call]:
        fixture = ChatFixture()
        ada, bob = fixture.user("ada"), fixture.user("bob")
        numbers = count(1)

        def send() -> None:
            ada.do(*[Send("bob", BODY, key_of(next(numbers))) for _ in range(size)])
            bob.acknowledge(bob.mail[-1].position)
            ada.events.clear()
            bob.events.clear()

        send()
        yield send

    return opened


BENCHMARKS: Final = [Benchmark(f"chat-send-{size}", sending(size)) for size in SIZES]
