"""What is served beside the chat: health, reflection unless it is off (W4), and a
refusal of other versions of the chat (W1).

Nobody logs in to these, so they have places of their own, few for each address, and a
stream of theirs ends after ten minutes: who watches comes back.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, NoReturn, TypeAlias, cast

import grpc
from google.protobuf.message import Message
from grpc.aio import ServicerContext
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

from chatcore.admission import Admission
from chatcore.errors import CloseCode
from chatcore.limits import Limits
from transports.base import LinkSettings
from transports.errors import LinkClosed
from transports.grpc.answers import CommandRefused
from transports.grpc.options import SERVICE
from transports.grpc.peers import client_of
from transports.grpc.requests import Requests, read_request
from transports.grpc.status import end_call

_Context: TypeAlias = "ServicerContext[Any, Any]"  # health and reflection have theirs
_Method: TypeAlias = Callable[[_Context], Awaitable[bytes | None]]
_Answers: TypeAlias = AsyncIterator[reflection_pb2.ServerReflectionResponse]
_Handler: TypeAlias = "grpc.RpcMethodHandler[bytes, bytes]"

_MOST: Final = 1024
_OF_ADDRESS: Final = 32
_LONGEST_S: Final = 600.0
_NO_PLACE: Final = LinkClosed(
    CloseCode.TOO_MANY_CONNECTIONS,
    f"At most {_OF_ADDRESS} such calls run for an address, and {_MOST} in all; try "
    "again later.",
)
_ANY_VERSION: Final = "/chat.v"


class HealthAndReflection:
    """The methods of the standard health service, and of reflection."""

    def __init__(self, requests: Requests, settings: LinkSettings) -> None:
        self._requests = requests
        self._proxies = settings.proxies
        self._longest_s = _LONGEST_S
        limits = Limits(
            connections=_MOST,
            address_connections=_OF_ADDRESS,
            loopback_counts=settings.loopback_counts,
        )
        self._places = Admission(limits, known=lambda _: 0)
        self._checks = health.aio.HealthServicer()
        self._reflection = reflection.aio.ReflectionServicer(
            (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
        )

    async def begin(self) -> None:
        """Say from now on that the chat is served."""
        for name in ("", SERVICE):
            await self._checks.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def stop(self) -> None:
        """Tell who watches that it is no more."""
        await self._checks.enter_graceful_shutdown()

    def handlers(self, *, reflects: bool) -> tuple[grpc.GenericRpcHandler, ...]:
        """The methods by their names on the wire."""
        unary = grpc.stream_unary_rpc_method_handler
        stream = grpc.stream_stream_rpc_method_handler
        checks: dict[str, _Handler] = {
            "Check": unary(self._bounded(self._check)),
            "Watch": stream(self._bounded(self._watch)),
        }
        reflecting: dict[str, _Handler] = {
            "ServerReflectionInfo": stream(self._bounded(self._reflect)),
        }
        handlers = [grpc.method_handlers_generic_handler(health.SERVICE_NAME, checks)]
        if reflects:
            handlers.append(
                grpc.method_handlers_generic_handler(
                    reflection.SERVICE_NAME, reflecting
                )
            )
        return tuple(handlers)

    def _bounded(
        self, method: _Method
    ) -> Callable[[object, _Context], Awaitable[bytes | None]]:
        async def call(_requests: object, context: _Context) -> bytes | None:
            address = client_of(context, self._proxies)
            if not self._places.enter_call(address):
                await end_call(context, _NO_PLACE)
            try:
                return await method(context)
            except (CommandRefused, LinkClosed) as error:
                await end_call(context, error)
            finally:
                self._places.leave_call(address)

        return call

    async def _check(self, context: _Context) -> bytes:
        async with self._requests.one(context) as request:
            asked = read_request(health_pb2.HealthCheckRequest, request)
            answer: Message = await self._checks.Check(asked, context)
            return answer.SerializeToString()

    async def _watch(self, context: _Context) -> None:
        async with self._requests.one(context) as request:
            asked = read_request(health_pb2.HealthCheckRequest, request)
        try:
            async with asyncio.timeout(self._longest_s):
                await self._checks.Watch(asked, cast("_Context", _Written(context)))
        except TimeoutError as error:
            text = "The call was long enough; come back."
            raise LinkClosed(CloseCode.LINK_LOST, text) from error

    async def _reflect(self, context: _Context) -> None:
        answers = self._reflection.ServerReflectionInfo(self._asked(context), context)
        # It is a generator, whatever its types say.
        async for answer in cast("_Answers", answers):
            await context.write(answer.SerializeToString())

    async def _asked(
        self, context: _Context
    ) -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
        async for request in self._requests.all(context, within_s=self._longest_s):
            yield read_request(reflection_pb2.ServerReflectionRequest, request)


class _Written:
    """A call whose answers are messages, as a service made by others writes them."""

    def __init__(self, context: _Context) -> None:
        self._context = context

    async def write(self, answer: Message) -> None:
        await self._context.write(answer.SerializeToString())


class UnsupportedVersions(grpc.GenericRpcHandler):
    """Answers the methods of every other version with what is spoken here."""

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        """A refusal for ``chat.v…``; None for what is no chat at all."""
        method = str(handler_call_details.method)
        if not method.startswith(_ANY_VERSION) or method.startswith(f"/{SERVICE}/"):
            return None
        return grpc.stream_stream_rpc_method_handler(self._refuse)

    async def _refuse(
        self, _requests: object, context: "ServicerContext[bytes, bytes]"
    ) -> NoReturn:
        await end_call(
            context,
            LinkClosed(CloseCode.WRONG_VERSION, f"This server speaks {SERVICE}."),
        )
