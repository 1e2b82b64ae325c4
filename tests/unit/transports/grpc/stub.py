"""The unary side of ``chat.v1.Chat`` as a client of another kind calls it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc.aio import AioRpcError, Channel, UnaryStreamCall, insecure_channel

from tests.interop.servers import PASSWORD, Server
from transports.codec._generated import chat_pb2 as pb

URL: Final = "grpc://127.0.0.1:0"
WITHIN_S: Final = 10.0

_Answer = TypeVar("_Answer", bound=Message)
_Detail = TypeVar("_Detail", bound=Message)


class Stub:
    """Calls on one channel. ``token`` names the session of a call, ``proof`` shows who
    makes it.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    async def call(
        self,
        method: str,
        request: Message | bytes,
        answer: type[_Answer],
        *,
        token: bytes = b"",
        proof: str = "",
        timeout: float = WITHIN_S,  # noqa: ASYNC109  # the call's own, which is tested
    ) -> _Answer:
        """A unary call, of a method of the chat or of a whole path."""
        path = method if method.startswith("/") else f"/chat.v1.Chat/{method}"
        callable_ = self.channel.unary_unary(path, _bytes_of, answer.FromString)
        metadata = _naming(token)
        if proof:
            metadata.append(("authorization", f"Bearer {proof}"))
        return await callable_(request, metadata=metadata, timeout=timeout)

    def stream(
        self,
        method: str,
        request: Message,
        answer: type[_Answer],
        *,
        token: bytes = b"",
        timeout: float = WITHIN_S,
    ) -> UnaryStreamCall[Message | bytes, _Answer]:
        """A call with a stream of answers."""
        callable_ = self.channel.unary_stream(
            f"/chat.v1.Chat/{method}", _bytes_of, answer.FromString
        )
        return callable_(request, metadata=_naming(token), timeout=timeout)

    async def login(self, username: str) -> pb.LoggedIn:
        """Open a session; its account is made when there is none."""
        request = pb.Login(username=username, password=PASSWORD, create=True)
        return await self.call("Login", request, pb.LoggedIn)

    async def send(self, token: bytes, recipient: str, *bodies: str) -> None:
        """Have messages stored, one after the other."""
        for body in bodies:
            request = pb.Send(recipient=recipient, body=body)
            await self.call("Send", request, pb.Accepted, token=token)

    async def acknowledge(self, token: bytes, position: int) -> None:
        """Acknowledge everything up to a position."""
        request = pb.Acknowledge(position=position)
        await self.call("Acknowledge", request, pb.AcknowledgeResponse, token=token)

    def deliver(
        self, token: bytes, *, timeout: float = WITHIN_S
    ) -> UnaryStreamCall[Message | bytes, pb.Event]:
        """The mail that is queued now, as it comes."""
        return self.stream(
            "Deliver", pb.Deliver(), pb.Event, token=token, timeout=timeout
        )

    async def names(
        self, token: bytes, request: pb.List | None = None
    ) -> dict[str, bool]:
        """Accounts, and whether each is online."""
        pages = self.stream(
            "ListAccounts", request or pb.List(), pb.Listed, token=token
        )
        return {it.username: it.online async for page in pages for it in page.entries}


@asynccontextmanager
async def calling(server: Server, *, window_bytes: int = 0) -> AsyncIterator[Stub]:
    """A channel to the server's first URL while the block runs.

    With a window, a stream that is not read is given only so many bytes ahead.
    """
    target = server.url.removeprefix("grpc://")
    options = [("grpc.use_local_subchannel_pool", 1)]
    if window_bytes:
        options.append(("grpc.http2.bdp_probe", 0))
        options.append(("grpc.http2.lookahead_bytes", window_bytes))
    async with insecure_channel(target, options=options) as channel:
        yield Stub(channel)


async def read_mail(
    call: UnaryStreamCall[Message | bytes, pb.Event], count: int
) -> list[pb.Delivered]:
    """The next messages of a call; nothing else may come between."""
    mail: list[pb.Delivered] = []
    while len(mail) < count:
        event = await call.read()
        assert isinstance(event, pb.Event)
        assert event.WhichOneof("event") == "delivered", event
        mail.append(event.delivered)
    return mail


async def read_rest(call: UnaryStreamCall[Message | bytes, pb.Event]) -> list[pb.Event]:
    """What comes until a call ends; what ends it is raised unless it is OK."""
    events: list[pb.Event] = []
    while isinstance(event := await call.read(), pb.Event):
        events.append(event)
    return events


def detail_of(error: AioRpcError, kind: type[_Detail]) -> _Detail | None:
    """The rich detail of this kind in a status, if it has one."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            assert isinstance(value, bytes)
            status = status_pb2.Status.FromString(value)
            assert status.message == error.details()
            assert (status.code, *error.code().value[1:]) == error.code().value
            return _unpacked(status.details, kind)
    return None


def number_of(error: AioRpcError) -> int:
    """The number of the refusal or close code in a status."""
    info = detail_of(error, error_details_pb2.ErrorInfo)
    assert info is not None, error
    return int(info.metadata["code"])


async def until_offline(stub: Stub, username: str) -> None:
    """Return once an account has no attached session; asks as ``watcher``."""
    watcher = await stub.login("watcher")
    async with asyncio.timeout(WITHIN_S):
        while (await stub.names(watcher.token))[username]:
            pass


def _unpacked(details: "list[AnyMessage]", kind: type[_Detail]) -> _Detail | None:
    for packed in details:
        detail = kind()
        if packed.Unpack(detail):
            return detail
    return None


def _bytes_of(request: Message | bytes) -> bytes:
    return request if isinstance(request, bytes) else request.SerializeToString()


def _naming(token: bytes) -> list[tuple[str, str | bytes]]:
    return [("chat-session-bin", token)] if token else []
