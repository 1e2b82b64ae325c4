"""The service ``chat.v1.Chat``: what each of its methods asks of the session driver."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final, NoReturn, TypeAlias

import grpc
from google.protobuf.message import Message
from grpc.aio import ServicerContext

from chatcore.errors import Refusal
from transports.base import LinkClosed, ServeLink, Spawn
from transports.codec import codec
from transports.codec._generated import chat_pb2 as pb
from transports.grpc.calls import Sessions
from transports.grpc.link import ServerLink
from transports.grpc.options import SERVICE
from transports.grpc.status import (
    CLOSE_KEY,
    DETAILS_KEY,
    details_of,
    status_of,
    status_of_closing,
)

SESSION_KEY: Final = "chat-session-bin"
"""The metadata that names a unary call's session: the token that its Login gave."""

_Context: TypeAlias = "ServicerContext[Message, Message]"

_ANSWERS: Final[Mapping[str, tuple[type[Message], str, str]]] = {
    "CreateAccount": (pb.Create, "create", "created"),
    "Login": (pb.Login, "login", "logged_in"),
    "Logout": (pb.Logout, "logout", "logged_out"),
    "Send": (pb.Send, "send", "accepted"),
    "ChangePassword": (pb.ChangePassword, "change_password", "password_changed"),
}
"""Unary methods: what is asked, as which command, and which event answers it."""


class ChatService:
    """The methods of ``chat.v1.Chat``."""

    def __init__(self, serve_link: ServeLink, spawn: Spawn, frame_bytes: int) -> None:
        self._serve_link = serve_link
        self._spawn = spawn
        self._sessions = Sessions(serve_link, spawn, frame_bytes)

    def handlers(self) -> "grpc.GenericRpcHandler[Message, Message]":
        """The methods by their names on the wire."""
        methods: dict[str, grpc.RpcMethodHandler[Message, Message]] = {
            name: grpc.unary_unary_rpc_method_handler(
                self._answer_with(command, event),
                request_deserializer=request.FromString,
                response_serializer=_serialise,
            )
            for name, (request, command, event) in _ANSWERS.items()
        }
        methods["Acknowledge"] = grpc.unary_unary_rpc_method_handler(
            self._acknowledge, pb.Acknowledge.FromString, _serialise
        )
        methods["ListAccounts"] = grpc.unary_stream_rpc_method_handler(
            self._list, pb.List.FromString, _serialise
        )
        methods["Deliver"] = grpc.unary_stream_rpc_method_handler(
            self._deliver, pb.Deliver.FromString, _serialise
        )
        methods["DeleteAccount"] = grpc.unary_stream_rpc_method_handler(
            self._delete, pb.Delete.FromString, _serialise
        )
        methods["Converse"] = grpc.stream_stream_rpc_method_handler(self._converse)
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    def _answer_with(
        self, command: str, event: str
    ) -> Callable[[Message, _Context], Awaitable[Message]]:
        """A unary method: one command, one event."""

        async def call(request: Message, context: _Context) -> Message:
            if isinstance(request, pb.Login):
                # Without a stream there is nobody to push to.
                request.delivery = pb.DELIVERY_MODE_MANUAL
            try:
                async with (
                    self._sessions.use(_token(context), context.peer()) as calls,
                    calls.ask(_command(command, request)) as answered,
                ):
                    answer: Message = getattr(await answered(), event)
                    return answer
            except (Refusal, LinkClosed) as error:
                await _abort(context, error)

        return call

    async def _acknowledge(self, request: pb.Acknowledge, context: _Context) -> Message:
        try:
            async with self._sessions.use(_token(context), context.peer()) as calls:
                await calls.acknowledge(_command("acknowledge", request))
        except (Refusal, LinkClosed) as error:
            await _abort(context, error)
        return pb.AcknowledgeResponse()

    async def _list(
        self, request: pb.List, context: _Context
    ) -> AsyncIterator[Message]:
        command = _command("list", request)
        async for event in self._events(command, "listed", context):
            yield event.listed
            if event.listed.complete:
                return

    async def _deliver(
        self, request: pb.Deliver, context: _Context
    ) -> AsyncIterator[Message]:
        command = _command("deliver", request)
        async for event in self._events(command, "delivery_finished", context):
            yield event
            if event.WhichOneof("event") == "delivery_finished":
                return

    async def _delete(
        self, request: pb.Delete, context: _Context
    ) -> AsyncIterator[Message]:
        command = _command("delete", request)
        async for event in self._events(command, "deleted", context):
            yield event
            if event.WhichOneof("event") == "deleted":
                return

    async def _events(
        self, command: pb.Command, answer: str, context: _Context
    ) -> AsyncIterator[pb.Event]:
        """What a streaming method tells: its own events, and mail meanwhile."""
        try:
            async with (
                self._sessions.use(_token(context), context.peer()) as calls,
                calls.ask(command, mail=answer != "listed") as answered,
            ):
                while True:
                    event = await answered()
                    if event.WhichOneof("event") != "started":
                        yield event
        except (Refusal, LinkClosed) as error:
            await _abort(context, error)

    async def _converse(
        self, _frames: object, context: "ServicerContext[bytes, bytes]"
    ) -> None:
        """Frames each way, until either side has had enough."""
        link = ServerLink(context)
        self._spawn(self._drive(link))
        await link.wait_ended()

    async def _drive(self, link: ServerLink) -> None:
        await self._serve_link(link, codec("protobuf"))


class OtherVersions(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic for a checker only
    """Refuses the methods of every other version of the chat (W1)."""

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        """A refusal for ``chat.v…``; None for what is no chat at all."""
        method = str(handler_call_details.method)
        if not method.startswith("/chat.v") or method.startswith(f"/{SERVICE}/"):
            return None
        return grpc.stream_stream_rpc_method_handler(self._refuse)

    async def _refuse(
        self, _requests: object, context: "ServicerContext[bytes, bytes]"
    ) -> NoReturn:
        await context.abort(
            grpc.StatusCode.FAILED_PRECONDITION, f"This server speaks {SERVICE}."
        )


def _command(name: str, request: Message) -> pb.Command:
    command = pb.Command()
    getattr(command, name).CopyFrom(request)
    getattr(command, name).SetInParent()  # also when it has no field set
    return command


def _token(context: _Context) -> bytes:
    for key, value in context.invocation_metadata() or ():
        if key == SESSION_KEY:
            return value if isinstance(value, bytes) else value.encode()
    return b""


async def _abort(context: _Context, error: Refusal | LinkClosed) -> NoReturn:
    if isinstance(error, Refusal):
        trailer: tuple[str, str | bytes] = (DETAILS_KEY, details_of(error))
        await context.abort(status_of(error), error.text, (trailer,))
    trailer = (CLOSE_KEY, str(int(error.code)))
    await context.abort(status_of_closing(error.code), error.text, (trailer,))


def _serialise(message: Message) -> bytes:
    return bytes(message.SerializeToString())
