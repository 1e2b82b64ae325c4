"""The stream of frames: how it begins, and with which status it ends (W4, W9)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from grpc import StatusCode
from grpc.aio import AioRpcError, StreamStreamCall
from grpc_health.v1 import health_pb2

from chatcore.errors import CloseCode
from chatcore.limits import MIB
from tests.interop.servers import PASSWORD, Server, serving
from tests.unit.transports.grpc.stub import (
    URL,
    WITHIN_S,
    Stub,
    calling,
    number_of,
    read_mail,
)
from transports.codec._generated import chat_pb2 as pb

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
LOGIN = pb.Command(id=1, login=pb.Login(username="ada", password=PASSWORD, create=True))


@pytest.mark.rule("W4", "W7")
async def test_a_stream_carries_frames_each_way() -> None:
    async with serving(URL) as server, calling(server) as stub:
        stream = converse(stub)
        welcome = await read_events(stream)
        await write(stream, LOGIN, pb.Command(id=2, list=pb.List()))
        events = await read_events(stream)
        while not events[-1].HasField("listed"):
            events += await read_events(stream)
        stream.cancel()

    assert [it.WhichOneof("event") for it in welcome] == ["welcome"]
    kinds = [(it.id, it.WhichOneof("event")) for it in events]
    assert kinds == [(1, "logged_in"), (2, "started"), (2, "listed")]


@pytest.mark.rule("W4")
async def test_a_peer_that_says_no_more_is_answered_and_its_call_ends_well() -> None:
    send = pb.Command(id=2, send=pb.Send(recipient="ada", body="hello"))
    async with serving(URL) as server, calling(server) as stub:
        stream = converse(stub)
        await write(stream, LOGIN, send)
        await stream.done_writing()
        events = await read_rest(stream)

        assert {1, 2} <= {it.id for it in events}
        assert await stream.code() is StatusCode.OK


@pytest.mark.rule("E2", "W4")
async def test_a_broken_frame_ends_its_stream_with_a_status_and_a_code() -> None:
    async with serving(URL) as server, calling(server) as stub:
        stream = converse(stub)
        await stream.write(b"\xff\xff")
        events, error = await read_to_the_end(stream)

    assert events[-1].closing.code == CloseCode.BROKEN_FRAME
    assert error.code() is StatusCode.INVALID_ARGUMENT
    assert close_code_of(error) == CloseCode.BROKEN_FRAME


@pytest.mark.rule("W6", "W4")
async def test_a_frame_over_the_limit_ends_its_stream() -> None:
    async with serving(URL) as server, calling(server) as stub:
        stream = converse(stub)
        await stream.write(bytes(MIB + 1))
        _, error = await read_to_the_end(stream)

    assert error.code() is StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.rule("S1", "E2")
async def test_a_session_that_is_replaced_ends_its_stream_for_good() -> None:
    async with serving(URL) as server, calling(server) as stub:
        stream = converse(stub)
        await write(stream, LOGIN)
        events = await read_events(stream) + await read_events(stream)
        async with server.peer() as peer:
            await peer.resume(events[-1].logged_in.token)
            _, error = await read_to_the_end(stream)

    assert error.code() is StatusCode.FAILED_PRECONDITION
    assert close_code_of(error) == CloseCode.RESUMED_ELSEWHERE


# ---- the end of a server (W9)


@pytest.mark.rule("W9", "W4")
async def test_a_server_that_stops_ends_streams_with_its_last_event() -> None:
    async with stopping() as (stub, stop):
        stream = converse(stub)
        await read_events(stream)
        stop.set()
        events, error = await read_to_the_end(stream)

    assert [it.closing.code for it in events] == [CloseCode.SHUTTING_DOWN]
    assert error.code() is StatusCode.UNAVAILABLE
    assert close_code_of(error) == CloseCode.SHUTTING_DOWN


@pytest.mark.rule("W9", "W4")
async def test_a_server_that_stops_ends_calls_that_run() -> None:
    async with stopping() as (stub, stop):
        token = (await stub.login("ada")).token
        await stub.send(token, "ada", "hello")
        call = stub.deliver(token)
        await read_mail(call, 1)
        stop.set()
        with pytest.raises(AioRpcError) as ended:
            await call.read()

    assert ended.value.code() is StatusCode.UNAVAILABLE
    assert number_of(ended.value) == CloseCode.SHUTTING_DOWN


@pytest.mark.rule("W9", "W4")
async def test_a_server_that_stops_takes_no_more_calls() -> None:
    async with serving(URL) as server, calling(server) as stub:
        await stub.login("ada")

        await server.chat.stop()
        with pytest.raises(AioRpcError) as refused:
            await stub.login("bob")

    assert refused.value.code() is StatusCode.UNAVAILABLE
    assert number_of(refused.value) == CloseCode.SHUTTING_DOWN


@pytest.mark.rule("W9", "W4")
async def test_a_server_that_stops_does_not_wait_for_who_watches_its_health() -> None:
    loop = asyncio.get_running_loop()
    request = health_pb2.HealthCheckRequest(service="chat.v1.Chat")
    async with stopping() as (stub, stop):
        watch = stub.channel.unary_stream(
            "/grpc.health.v1.Health/Watch",
            health_pb2.HealthCheckRequest.SerializeToString,
            health_pb2.HealthCheckResponse.FromString,
        )(request)
        seen = [await watch.read()]
        stop.set()
        began_s = loop.time()
        seen.append(await watch.read())
        with pytest.raises(AioRpcError) as ended:
            await watch.read()

    assert [getattr(it, "status", None) for it in seen] == [SERVING, NOT_SERVING]
    assert ended.value.code() is StatusCode.UNAVAILABLE
    assert loop.time() - began_s < 3


# ---- streams


def converse(stub: Stub) -> "StreamStreamCall[bytes, bytes]":
    return stub.channel.stream_stream("/chat.v1.Chat/Converse")(timeout=WITHIN_S)


async def write(
    stream: "StreamStreamCall[bytes, bytes]", *commands: pb.Command
) -> None:
    """Write commands, in one frame."""
    await stream.write(pb.ClientFrame(commands=commands).SerializeToString())


async def read_events(stream: "StreamStreamCall[bytes, bytes]") -> list[pb.Event]:
    """The events of the next frame; none at the end."""
    frame = await stream.read()
    if not isinstance(frame, bytes):
        return []
    return list(pb.ServerFrame.FromString(frame).events)


async def read_rest(stream: "StreamStreamCall[bytes, bytes]") -> Sequence[pb.Event]:
    """All events until the stream ends well."""
    events: list[pb.Event] = []
    while more := await read_events(stream):
        events += more
    return events


async def read_to_the_end(
    stream: "StreamStreamCall[bytes, bytes]",
) -> tuple[Sequence[pb.Event], AioRpcError]:
    """All events until the stream fails, and how."""
    events: list[pb.Event] = []
    try:
        while True:
            more = await read_events(stream)
            assert more, await stream.code()
            events += more
    except AioRpcError as error:
        return events, error


def close_code_of(error: AioRpcError) -> int:
    trailers = error.trailing_metadata() or ()
    (code,) = [value for key, value in trailers if key == "chat-close-code"]
    return int(code)


@asynccontextmanager
async def stopping() -> AsyncIterator[tuple[Stub, asyncio.Event]]:
    """Calls to a server that stops when the event is set."""
    stop = asyncio.Event()
    ready: asyncio.Future[Server] = asyncio.get_running_loop().create_future()

    async def serve_until_told() -> None:
        async with serving(URL) as server:
            ready.set_result(server)
            await stop.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve_until_told())
        async with calling(await ready) as stub:
            try:
                yield stub, stop
            finally:
                stop.set()
