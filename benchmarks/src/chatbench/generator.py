"""The load generator: ``python -m chatbench.generator`` runs one round of one cell.

It reads one ``Order`` as a line of JSON, and writes one ``Sample`` as the last line. A
round that fails is a sample with a fault, and the exit status is still 0.

It is a process of its own, on a core of its own where the runner gives it one. Its own
cost is measured and told, and it may save where the server may not: it runs on uvloop
where that is installed, and without Python's garbage collector, which would stop all
sessions at once. Neither changes what the server has to do.
"""

import asyncio
import gc
import sys
import traceback
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import TypeVar

import msgspec

from chatbench.cells import Order
from chatbench.cpu import CannotMeasure, need_linux
from chatbench.errors import BenchError
from chatbench.loads import LOADS
from chatbench.loads.rounds import Round, RoundFailed
from chatbench.relay import Relay, relaying
from chatbench.samples import Sample
from chatbench.wire.sessions import CannotOpen
from chatcore.errors import ChatError
from chatsystem import allow_many_sockets, loop_factory

T = TypeVar("T")

_EXPECTED = (
    BenchError,
    CannotMeasure,
    CannotOpen,
    ChatError,
    OSError,
    RoundFailed,
)
"""What a server or a machine may do to a round; anything else is a fault of ours."""


async def run_round(order: Order) -> Sample:
    """Run the round; what makes it fail is the sample's fault."""
    sample = Sample(
        contestant=order.cell.contestant.name,
        workload=order.cell.workload.label,
        round=order.round,
    )
    try:
        need_linux()
        async with AsyncExitStack() as opened:
            relay = await _relay(order, opened)
            round_ = Round(order, relay)
            opened.callback(round_.close)
            sample = round_.sample
            await LOADS[order.cell.workload.name](round_)
    except Exception as error:  # noqa: BLE001  # a round that fails is a result
        sample.fault = fault_of(error)
    return sample


async def _relay(order: Order, opened: AsyncExitStack) -> Relay | None:
    """The relay that the order asks for, if it does."""
    if not (order.counts_wire or order.relay_delay_s or order.relay_drops):
        return None
    contestant = order.cell.contestant
    if order.relay_drops and (contestant.transport, contestant.codec) != (
        "tcp",
        "protobuf",
    ):
        raise RoundFailed("A planted loss needs tcp with protobuf.")
    planted = relaying(
        order.url, delay_s=order.relay_delay_s, loses_every=order.relay_drops
    )
    return await opened.enter_async_context(planted)


def _first(error: BaseException) -> BaseException:
    """What went wrong first, of what went wrong together."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def fault_of(error: BaseException) -> str:
    """What made a round fail, in a sentence."""
    error = _first(error)
    if isinstance(error, _EXPECTED):
        return str(error) or type(error).__name__
    # For whoever looks into the generator's log.
    traceback.print_exception(error)
    return f"The load generator failed: {type(error).__name__}: {error}"


def main() -> int:
    """See the module; 2 where the order cannot be read."""
    return answer(Order, run_round)


def answer(kind: type[T], run: Callable[[T], Coroutine[None, None, object]]) -> int:
    """Read one order of this kind, and write what comes of it; the exit status."""
    line = sys.stdin.buffer.readline()
    try:
        order = msgspec.json.decode(line, type=kind)
    except msgspec.DecodeError as error:
        sys.stderr.write(f"This is no order: {error}\n")
        return 2
    gc.freeze()
    gc.disable()
    allow_many_sockets()
    with asyncio.Runner(loop_factory=loop_factory("auto")) as runner:
        answered = runner.run(run(order))
    sys.stdout.write(msgspec.json.encode(answered).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
