"""The service ``chat.v1.Chat``: what each of its methods asks of the session driver."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, TypeAlias, cast

import grpc
from google.protobuf.message import Message
from grpc.aio import ServicerContext

from chatcore.errors import CloseCode, SessionGone
from transports.base import LinkSettings, ServeLink, Spawn
from transports.codec import codec
from transports.codec._generated import chat_pb2 as pb
from transports.errors import LinkClosed
from transports.grpc.answers import CommandRefused, ListCut
from transports.grpc.calls import Calls
from transports.grpc.link import ServerLink
from transports.grpc.options import SERVICE
from transports.grpc.peers import Caller, client_of, metadata_of, spelled
from transports.grpc.requests import Requests, command_of, read_request, refused
from transports.grpc.session_calls import SessionCalls
from transports.grpc.status import end_call
from transports.served_link import see_served

SESSION_KEY: Final = "chat-session-bin"
"""The metadata that names a unary call's session: the token that its Login gave."""

_Context: TypeAlias = "ServicerContext[bytes, bytes]"
_Method: TypeAlias = Callable[[bytes, _Context], Awaitable[bytes | None]]
_TOKEN_BYTES: Final = 32
_SILENCE: Final = 2
"""In keep-alive times: how long a peer may take nothing of what is written (S5)."""

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

    def __init__(
        self,
        serve_link: ServeLink,
        spawn: Spawn,
        requests: Requests,
        settings: LinkSettings,
    ) -> None:
        self._serve_link = serve_link
        self._spawn = spawn
        self._requests = requests
        self._settings = settings
        self._sessions = SessionCalls(serve_link, spawn, settings)
        self._accepts = True
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def stop_accepting(self) -> None:
        """Open no new link; what is asked on those that are open is answered."""
        self._accepts = False
        self._sessions.stop_accepting()

    async def idle(self) -> None:
        """Return once no call runs."""
        await self._idle.wait()

    def handlers(self) -> grpc.GenericRpcHandler:
        """The methods by their names on the wire.

        To gRPC each has a stream of requests, so that it reads none by itself.
        """
        unary = grpc.stream_unary_rpc_method_handler
        stream = grpc.stream_stream_rpc_method_handler
        methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            name: unary(self._ending(self._answer_with(*answer)))
            for name, answer in _ANSWERS.items()
        }
        methods["Acknowledge"] = unary(self._ending(self._acknowledge))
        methods["ListAccounts"] = stream(self._ending(self._list))
        methods["Deliver"] = stream(self._ending(self._deliver))
        methods["DeleteAccount"] = stream(self._ending(self._delete))
        methods["Converse"] = grpc.stream_stream_rpc_method_handler(self._converse)
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    def _ending(
        self, method: _Method
    ) -> Callable[[object, _Context], Awaitable[bytes | None]]:
        """A method that reads its request, and whose refusals end its call."""

        async def call(_requests: object, context: _Context) -> bytes | None:
            async with self._counted():
                try:
                    admission = self._settings.admission
                    self._enter(context, admission.enter_call, admission.leave_call)
                    async with self._requests.one(context) as request:
                        return await method(request, context)
                except (CommandRefused, LinkClosed) as error:
                    await end_call(context, error)

        return call

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        self._running += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    def _calls(self, context: _Context) -> AbstractAsyncContextManager[Calls]:
        """What a call asks on; see ``SessionCalls.use``."""
        address = client_of(context, self._settings.proxies)
        peer = spelled(context.peer(), address)
        caller = Caller(peer, address, metadata_of(context))
        return self._sessions.use(_token(context), caller)

    def _answer_with(self, kind: type[Message], command: str, event: str) -> _Method:
        """A unary method: one command, one event."""

        async def call(request: bytes, context: _Context) -> bytes:
            asked = command_of(command, read_request(kind, request))
            if asked.HasField("login"):
                # Between the calls there is nobody to push to.
                asked.login.delivery = pb.DELIVERY_MODE_MANUAL
            async with (
                self._calls(context) as calls,
                calls.ask(asked) as answers,
            ):
                answer: Message = getattr(await answers.next(), event)
                if isinstance(answer, pb.PasswordChanged) and answer.token:
                    self._sessions.rename(calls, answer.token)
                return answer.SerializeToString()

        return call

    async def _acknowledge(self, request: bytes, context: _Context) -> bytes:
        asked = read_request(pb.Acknowledge, request)
        async with self._calls(context) as calls:
            await calls.acknowledge(asked)
        return pb.AcknowledgeResponse().SerializeToString()

    async def _list(self, request: bytes, context: _Context) -> None:
        asked = command_of("list", read_request(pb.List, request))
        async with self._calls(context) as calls:
            while not await self._write_pages(calls, asked, context):
                pass  # it was cut off, and goes on after what was written

    async def _write_pages(
        self, calls: Calls, asked: pb.Command, context: _Context
    ) -> bool:
        """Write pages of a list; whether the last was among them.

        ``asked`` moves on behind what was written.
        """
        async with calls.ask(asked) as answers:
            try:
                while True:
                    page = (await answers.next()).listed
                    await self._write(page, context)
                    if page.complete:
                        return True
                    asked.list.after = page.entries[-1].username
            except ListCut:
                return False

    async def _write(self, message: Message, context: _Context) -> None:
        """Write a part of an answer; raises ``LinkClosed`` when nobody takes it."""
        try:
            async with asyncio.timeout(self._settings.keepalive_s * _SILENCE):
                await context.write(message.SerializeToString())
        except TimeoutError as error:
            text = "The peer did not take what was written."
            raise LinkClosed(CloseCode.UNRESPONSIVE, text) from error

    async def _deliver(self, request: bytes, context: _Context) -> None:
        asked = command_of("deliver", read_request(pb.Deliver, request))
        await self._write_events(asked, "delivery_finished", context)

    async def _delete(self, request: bytes, context: _Context) -> None:
        asked = command_of("delete", read_request(pb.Delete, request))
        await self._write_events(asked, "deleted", context)

    async def _write_events(
        self, asked: pb.Command, last: str, context: _Context
    ) -> None:
        """Write mail as it comes, until the event that ends the call."""
        async with (
            self._calls(context) as calls,
            calls.ask(asked, mail=True) as answers,
        ):
            kind: str | None = None
            while kind != last:
                event = await answers.next()
                kind = event.WhichOneof("event")
                event.ClearField("id")  # a number of ours; the call names itself
                await self._write(event, context)

    async def _converse(self, _frames: object, context: _Context) -> None:
        """Frames each way, until either side has had enough."""
        if not self._accepts:
            await end_call(context, LinkClosed(CloseCode.SHUTTING_DOWN))
        try:
            admission = self._settings.admission
            self._enter(context, admission.enter, admission.leave)
        except LinkClosed as closed:
            await end_call(context, closed)
        link = ServerLink(context, self._settings)
        async with self._counted():
            serving = self._serve_link(link, codec("protobuf"))
            see_served(serving, self._spawn)
            self._spawn(link.read_on())
            await link.wait_ended()

    def _enter(
        self,
        context: _Context,
        enter: Callable[[str], bool],
        leave: Callable[[str], None],
    ) -> None:
        """Count a call until gRPC has done with it, which may be long after we have:
        what its peer does not take stays in memory until then.

        Raises:
            LinkClosed: there are too many.
        """
        address = client_of(context, self._settings.proxies)
        if not enter(address):
            raise LinkClosed(CloseCode.TOO_MANY_CONNECTIONS)
        # Whatever it is called with; its type in the stubs has no instance.
        context.add_done_callback(cast("Any", lambda _: leave(address)))


def _token(context: _Context) -> bytes:
    """The token that a call names, if any.

    Raises:
        CommandRefused: what it names can be none, and is not kept to look it up.
    """
    for key, value in context.invocation_metadata() or ():
        if key == SESSION_KEY:
            token = value if isinstance(value, bytes) else value.encode()
            if len(token) != _TOKEN_BYTES:
                raise refused(SessionGone())
            return token
    return b""
