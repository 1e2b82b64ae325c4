"""Taking the requests of calls, in bounded room, and what they say.

gRPC would read the whole request of a unary call before its handler is asked: up to
1 MiB for each of a connection's streams, as slowly as the peer likes. So the handlers
read it themselves. Until then gRPC holds 64 KiB of it; and while more are being read
than there is room for, the one that takes longest is given up, which is never one that
has sent all it has to say (B1).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeAlias, TypeVar

from google.protobuf.message import DecodeError, Message
from grpc.aio import AbortError, ServicerContext

from chatcore.errors import CloseCode, MalformedCommand, Refusal
from chatcore.limits import MIB
from transports.base import Spawn
from transports.codec._generated import chat_pb2 as pb
from transports.codec.protobuf_events import message_of
from transports.errors import LinkClosed
from transports.grpc.answers import CommandRefused
from transports.grpc.status import end_call

_Context: TypeAlias = "ServicerContext[Any, Any]"  # whatever its method takes
_Asked = TypeVar("_Asked", bound=Message)

_MOST_READ: Final = 64
_MOST_BYTES: Final = 32 * MIB
"""What requests that were read may hold until their calls end, all together."""


class Requests:
    """Reads the requests of one listener's calls."""

    def __init__(self, spawn: Spawn, *, within_s: float) -> None:
        self._spawn = spawn
        self._within_s = within_s
        self._loop = asyncio.get_running_loop()
        self._reading: dict[_Context, asyncio.TimerHandle] = {}
        self._held_bytes = 0

    @asynccontextmanager
    async def one(self, context: _Context) -> AsyncIterator[bytes]:
        """The request of a call that has one.

        Raises:
            CommandRefused: there was none.
            LinkClosed: there is no room for it.
            AbortError: it took too long, and the call has ended.
        """
        request = await self._read(context, self._within_s)
        if request is None:
            raise refused(MalformedCommand(reason="the call has no request"))
        if self._held_bytes + len(request) > _MOST_BYTES:
            raise LinkClosed(CloseCode.OVERLOADED, "The server holds too much; wait.")
        self._held_bytes += len(request)
        try:
            yield request
        finally:
            self._held_bytes -= len(request)

    async def all(self, context: _Context, *, within_s: float) -> AsyncIterator[bytes]:
        """Each request of a call that may have many, all of them within a time."""
        ends_s = self._loop.time() + within_s
        left_s = within_s
        while (request := await self._read(context, left_s)) is not None:
            yield request
            left_s = ends_s - self._loop.time()

    async def _read(self, context: _Context, within_s: float) -> bytes | None:
        if len(self._reading) >= _MOST_READ:
            self._give_up(next(iter(self._reading)))
        timer = self._loop.call_later(within_s, self._give_up, context)
        self._reading[context] = timer
        try:
            request = await context.read()
        finally:
            timer.cancel()
            was_given_up = self._reading.pop(context, None) is None
        if was_given_up:
            raise AbortError
        return request if isinstance(request, bytes) else None

    def _give_up(self, context: _Context) -> None:
        """End a call that is read. Its reading then ends by itself: gRPC writes to the
        memory of a read that was cancelled, so none may ever be.
        """
        self._reading.pop(context).cancel()
        self._spawn(_end_slow(context))


async def _end_slow(context: _Context) -> None:
    slow = LinkClosed(CloseCode.OVERLOADED, "The request took too long to arrive.")
    with suppress(AbortError):  # so it says that it was done
        await end_call(context, slow)


def refused(refusal: Refusal) -> CommandRefused:
    """A refusal of ours, as one that came over the session's link."""
    return CommandRefused(message_of(refusal))


def read_request(kind: type[_Asked], request: bytes) -> _Asked:
    """A request of this kind; raises ``CommandRefused`` when it is none."""
    try:
        return kind.FromString(request)
    except DecodeError as error:
        reason = f"it is not a {kind.DESCRIPTOR.full_name}"
        raise refused(MalformedCommand(reason=reason)) from error


def command_of(name: str, request: Message) -> pb.Command:
    """The command of this name with the fields of a request."""
    command = pb.Command()
    getattr(command, name).CopyFrom(request)
    getattr(command, name).SetInParent()  # also when it has no field set
    return command
