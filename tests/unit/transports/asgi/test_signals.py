"""A chat is stopped before its server hears of the signal that ends it (W9)."""

import asyncio
import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from transports.asgi.signals import stopping_first


class Order:
    """What happened, in its order."""

    def __init__(self) -> None:
        self.happened: list[str] = []
        self.is_told = asyncio.Event()
        self.may_stop = asyncio.Event()

    def tell_server(self, _number: int, _frame: FrameType | None) -> None:
        """The handler of an ASGI server."""
        self.happened.append("server told")
        self.is_told.set()

    async def stop_chat(self) -> None:
        await self.may_stop.wait()
        self.happened.append("chat stopped")


@pytest.fixture
async def order() -> Order:
    return Order()


@pytest.fixture(autouse=True)
def _handlers_are_put_back() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.rule("W9")
async def test_the_chat_is_stopped_before_the_server_is_told(order: Order) -> None:
    signal.signal(signal.SIGTERM, order.tell_server)
    with stopping_first(order.stop_chat):
        signal.raise_signal(signal.SIGTERM)
        order.may_stop.set()
        await order.is_told.wait()

    assert order.happened == ["chat stopped", "server told"]
    assert signal.getsignal(signal.SIGTERM) == order.tell_server


@pytest.mark.rule("W9")
async def test_a_second_signal_waits_for_nothing(order: Order) -> None:
    signal.signal(signal.SIGTERM, order.tell_server)
    with stopping_first(order.stop_chat):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        at_once = list(order.happened)
        order.may_stop.set()
        while len(order.happened) < 3:  # noqa: ASYNC110  # turns, of which a few
            await asyncio.sleep(0)

    assert at_once == ["server told"]


@pytest.mark.rule("W9")
async def test_a_chat_that_cannot_be_stopped_holds_up_no_server(order: Order) -> None:
    async def fail() -> None:
        raise OSError

    signal.signal(signal.SIGTERM, order.tell_server)
    with stopping_first(fail):
        signal.raise_signal(signal.SIGTERM)
        await order.is_told.wait()

    assert order.happened == ["server told"]


@pytest.mark.rule("W9")
async def test_a_signal_that_no_handler_waits_for_keeps_what_it_does(
    order: Order,
) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    with stopping_first(order.stop_chat):
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
