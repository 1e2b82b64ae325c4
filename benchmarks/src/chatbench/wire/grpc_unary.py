"""gRPC's unary calls as a session: every message a call of its own.

gRPC promises no order between calls, and keeps none: of messages called for at once,
some overtake others. So a sender that needs the order (M3), as every load here does,
calls for the next message when the last is answered; what is in flight beyond that
waits here. Its latency counts from when it was given to ``send``.

A unary call has no push: mail would have to be asked for. So a session begins as the
lean stream, on which a recipient stays; what is told apart is the cost of sending. With
its first send it moves to unary calls under the same token (W4), and its stream is
dropped. Between two calls the server has it detached, and attaches it for the next:
that is a part of what a message costs this way.

The calls are made by gRPC's own client, with bytes in and out; it costs this process
more than a lean wire, and the server as much as any client that calls like this.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from grpc.aio import (
    AioRpcError,
    Channel,
    UnaryUnaryMultiCallable,
    insecure_channel,
)

from chatbench.wire.base import Arrival, OnArrival, OnFault
from chatbench.wire.keys import KeySeries
from chatbench.wire.lean import LeanSession
from chatbench.wire.protobuf import recipient_field, write_send
from chatcore.limits import MIB
from transports.base import Address, LinkSettings
from transports.grpc.options import SERVICE, client_options
from transports.grpc.service import SESSION_KEY

_SEND: Final = f"/{SERVICE}/Send"


class UnarySession(LeanSession):
    """See ``base.Session``; a call's request and its answer count as a frame each."""

    def __init__(
        self,
        address: Address,
        codec_name: str,
        on_arrival: OnArrival,
        on_fault: OnFault,
    ) -> None:
        super().__init__(codec_name, "single", on_arrival, on_fault)
        self._address = address
        self._calls: UnaryCalls | None = None

    def send(self, recipient: str, bodies: Sequence[str]) -> None:
        """See ``base.Session``."""
        if self._calls is None:
            super().close()
            self._calls = UnaryCalls(
                self._address, self.token, self._take_receipts, self._on_fault
            )
        self._calls.send(recipient, bodies)
        self.frames_out += len(bodies)

    def _take_receipts(self, receipts: int) -> None:
        self.frames_in += receipts
        self._on_arrival(Arrival(receipts, (), 0))

    def close(self) -> None:
        """See ``base.Session``."""
        super().close()
        if self._calls is not None:
            self._calls.close()


class UnaryCalls:
    """The unary sends of one session."""

    def __init__(
        self,
        address: Address,
        token: bytes,
        on_receipts: Callable[[int], None],
        on_fault: OnFault,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        host = f"[{address.host}]" if ":" in address.host else address.host
        options = client_options(LinkSettings(frame_bytes=MIB))
        self._channel: Channel = insecure_channel(
            f"{host}:{address.port}", options=options
        )
        self._call: UnaryUnaryMultiCallable[bytes, bytes]
        self._call = self._channel.unary_unary(_SEND)
        self._metadata = ((SESSION_KEY, token),)
        self._on_receipts = on_receipts
        self._on_fault = on_fault
        self._keys = KeySeries()
        self._waiting: deque[bytes] = deque()
        self._calling: asyncio.Task[None] | None = None
        self._is_over = False

    def send(self, recipient: str, bodies: Sequence[str]) -> None:
        """Have these messages called for, each after the one before is answered."""
        if self._is_over:
            return
        to = recipient_field(recipient)
        for body, key in zip(bodies, self._keys.take(len(bodies)), strict=True):
            self._waiting.append(write_send(to, body, key))
        if self._calling is None or self._calling.done():
            # It belongs to the session, which ends it with ``close``.
            self._calling = self._loop.create_task(self._call_for_all())

    async def _call_for_all(self) -> None:
        try:
            while self._waiting:
                await self._call(self._waiting.popleft(), metadata=self._metadata)
                self._on_receipts(1)
        except AioRpcError as error:
            self._is_over = True
            self._on_fault(f"A call failed: {error.code().name}: {error.details()}")

    def close(self) -> None:
        """End all calls, and the channel as soon as the loop turns."""
        self._is_over = True
        self._waiting.clear()
        if self._calling is not None:
            self._calling.cancel()
        self._calling = self._loop.create_task(self._channel.close(None))
