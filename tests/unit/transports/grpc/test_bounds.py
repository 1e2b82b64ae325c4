"""What calls hold, how many run, and how they end (B1, B3, S5, W4)."""

import asyncio
from dataclasses import replace
from typing import TypeAlias

import pytest
from grpc import StatusCode
from grpc.aio import (
    AioRpcError,
    Channel,
    StreamStreamMultiCallable,
    StreamUnaryCall,
    UnaryStreamCall,
    UnaryStreamMultiCallable,
    UnaryUnaryMultiCallable,
    insecure_channel,
)
from grpc_reflection.v1alpha import reflection_pb2

from chatcore.admission import Admission
from chatcore.errors import CloseCode
from chatcore.limits import Limits
from tests.unit.transports.grpc.http2 import (
    HEADERS,
    PING,
    Http2Connection,
    connecting,
    message_of,
)
from tests.unit.transports.grpc.link_collector import (
    CONVERSE,
    SETTINGS,
    Stream,
    conversing,
    listening,
    outcome_of,
    starting,
    until,
)
from tests.unit.transports.grpc.stub import number_of
from transports.awaited_link import AwaitedLink
from transports.errors import BadUrl, LinkClosed, PeerFinished
from transports.grpc import other_services

Converse: TypeAlias = "StreamStreamMultiCallable[bytes, bytes]"
Unary: TypeAlias = "UnaryUnaryMultiCallable[bytes, bytes]"
KIB, MIB = 1024, 1024 * 1024
WATCH = "/grpc.health.v1.Health/Watch"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


class OneFromEach:
    """Admits one connection of an address, and notes who left."""

    def __init__(self) -> None:
        self.inside: set[str] = set()
        self.left = asyncio.Event()

    def enter(self, address: str) -> bool:
        if address in self.inside:
            return False
        self.inside.add(address)
        return True

    def leave(self, address: str) -> None:
        self.inside.remove(address)
        self.left.set()

    def enter_call(self, address: str) -> bool:
        return self.enter(address)

    def leave_call(self, address: str) -> None:
        self.leave(address)


# ---- the link of a stream


@pytest.mark.rule("B3")
@pytest.mark.parametrize(
    ("host", "address"), [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1")]
)
async def test_a_link_names_the_address_of_its_peer(host: str, address: str) -> None:
    async with (
        listening(url=f"grpc://{host}:0") as chat,
        conversing(chat) as (_, link),
    ):
        assert link.link.address == address
        assert link.link.opened_s <= link.link.active_s


@pytest.mark.rule("B1", "B3", "W6")
async def test_a_frame_that_is_not_allowed_ends_the_link_when_it_is_there() -> None:
    async with listening() as chat, conversing(chat) as (stream, link):
        link.link.allow(MIB)
        async with starting(link.receive()) as receiving:
            await stream.write(bytes(MIB))
            allowed = await receiving
        link.link.allow(32 * KIB)
        await stream.write(bytes(32 * KIB + 1))
        with pytest.raises(LinkClosed) as refused:
            await link.receive()

    assert [len(it) for it in allowed] == [MIB]
    assert refused.value.code is CloseCode.FRAME_TOO_LARGE


@pytest.mark.rule("B1")
async def test_of_a_stream_that_is_not_received_from_little_is_read() -> None:
    told: list[int] = []
    frame = message_of(bytes(MIB))
    async with listening() as chat, connecting(chat.port) as connection:
        await connection.call(1, CONVERSE)
        link = await chat.links.get()
        link.link.report_held(told.append)
        link.link.allow(MIB)
        async with starting(connection.send(1, frame * 4)) as sending:
            stuck_at = 0
            async with asyncio.timeout(10):
                # A window that is used up, and about to be renewed, looks alike.
                while stuck_at <= len(frame):
                    stuck_at = await until_stuck(connection)
            received = [await link.receive() for _ in range(4)]
            await sending

    assert len(frame) < stuck_at <= len(frame) + 128 * KIB
    assert [len(it) for (it,) in received] == [MIB] * 4
    assert told == []


@pytest.mark.rule("B1", "S5")
async def test_what_a_peer_does_not_take_is_told_and_lets_go_when_the_link_ends() -> (
    None
):
    loop = asyncio.get_running_loop()
    told: list[int] = []
    async with listening() as chat, connecting(chat.port) as connection:
        await connection.call(1, CONVERSE)
        link = await chat.links.get()
        link.link.report_held(told.append)
        async with (
            starting(outcome_of(link.send([bytes(MIB), b"more"]))) as sending,
            starting(outcome_of(link.receive())) as receiving,
        ):
            await until(lambda: bool(told))
            written_s = link.link.taken_s
            await until(lambda: loop.time() > written_s)
            stands_still = link.link.taken_s == written_s
            was_done = sending.done() or receiving.done()

            link.abort()
            outcomes = [await sending, await receiving]

    assert stands_still
    assert not was_done
    assert told == [MIB + 4, 0]
    assert outcomes == [LinkClosed, LinkClosed]
    assert link.link.taken_s > written_s


@pytest.mark.rule("B1")
async def test_no_frame_is_lost_or_read_too_many_when_holding_goes_on_and_off() -> None:
    frames = [str(number).encode() for number in range(200)]
    received: list[bytes] = []

    async def write_all(stream: Stream) -> None:
        for frame in frames:
            await stream.write(frame)
        await stream.done_writing()

    async def receive_all(link: AwaitedLink) -> None:
        while True:
            received.extend(await link.receive())

    async with (
        listening() as chat,
        conversing(chat) as (stream, link),
        starting(write_all(stream)),
        starting(outcome_of(receive_all(link))) as receiving,
    ):
        while not receiving.done():
            link.link.hold_reading(on=True)
            await asyncio.sleep(0)
            link.link.hold_reading(on=False)
            await asyncio.sleep(0)

        assert await receiving is PeerFinished
    assert received == frames


# ---- how many calls


@pytest.mark.rule("B3")
async def test_a_stream_is_admitted_by_its_address_and_leaves_when_it_is_gone() -> None:
    admission = OneFromEach()
    async with (
        listening(replace(SETTINGS, admission=admission)) as chat,
        insecure_channel(chat.target) as channel,
    ):
        converse: Converse = channel.stream_stream(CONVERSE)
        login: Unary = channel.unary_unary("/chat.v1.Chat/Login")
        first = converse()
        await first.read()
        with pytest.raises(AioRpcError) as refused:
            await converse().read()
        with pytest.raises(AioRpcError) as refused_unary:
            await login(b"")
        first.cancel()
        await admission.left.wait()
        again = converse()

        assert await again.read() == b"welcome"
        again.cancel()

    for error in (refused.value, refused_unary.value):
        assert error.code() is StatusCode.RESOURCE_EXHAUSTED
        assert number_of(error) == CloseCode.TOO_MANY_CONNECTIONS


@pytest.mark.rule("B3", "B1")
async def test_a_stream_counts_as_long_as_its_peer_keeps_what_it_does_not_take() -> (
    None
):
    admission = OneFromEach()
    told: list[int] = []
    async with listening(replace(SETTINGS, admission=admission)) as chat:
        async with connecting(chat.port) as connection:
            await connection.call(1, CONVERSE)
            link = await chat.links.get()
            link.link.report_held(told.append)
            async with starting(outcome_of(link.send([bytes(MIB)]))) as sending:
                await until(lambda: bool(told))
                link.abort()
                assert await sending is LinkClosed

            await connection.call(3, CONVERSE)
            answer = await connection.read_until(HEADERS, 3)
            assert b"grpc-status" in answer.payload
            assert not admission.left.is_set()
        await admission.left.wait()

    assert not admission.inside


@pytest.mark.rule("B3", "W4")
async def test_who_watches_health_has_so_many_places_and_is_sent_back_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(other_services, "_OF_ADDRESS", 2)
    monkeypatch.setattr(other_services, "_LONGEST_S", 0.3)
    async with listening() as chat, insecure_channel(chat.target) as channel:
        watching = [watch(channel) for _ in range(2)]
        seen = [await it.read() for it in watching]
        with pytest.raises(AioRpcError) as refused:
            await watch(channel).read()
        with pytest.raises(AioRpcError) as ended:
            await watching[0].read()
        with pytest.raises(AioRpcError):
            await watching[1].read()

        assert await watch(channel).read()

    assert all(seen)
    assert refused.value.code() is StatusCode.RESOURCE_EXHAUSTED
    assert number_of(refused.value) == CloseCode.TOO_MANY_CONNECTIONS
    assert ended.value.code() is StatusCode.UNAVAILABLE


@pytest.mark.rule("B3")
def test_places_count_loopback_only_in_all_and_ipv6_by_its_network() -> None:
    limits = Limits(connections=4, address_connections=1)
    places = Admission(limits, known=lambda _: 0)

    entered = [places.enter_call(it) for it in ("127.0.0.1", "::1", "2001:db8::1")]
    same_network = places.enter_call("2001:db8::2")
    fourth, fifth = places.enter_call("192.0.2.1"), places.enter_call("192.0.2.2")
    places.leave_call("192.0.2.1")
    places.leave_call("2001:db8::1")

    assert entered == [True, True, True]
    assert not same_network
    assert (fourth, fifth) == (True, False)
    assert places.enter_call("2001:db8::2")


# ---- requests


@pytest.mark.rule("B1", "B3")
@pytest.mark.parametrize("path", ["/chat.v1.Chat/Login", WATCH, REFLECTION])
async def test_a_request_that_does_not_arrive_ends_its_call(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(other_services, "_LONGEST_S", 0.2)
    quick = replace(SETTINGS, handshake_s=0.2)
    async with listening(quick) as chat, connecting(chat.port) as connection:
        await connection.call(1, path)
        await connection.send(1, message_of(bytes(MIB))[:-1])

        answer = await connection.read_until(HEADERS, 1)

        assert b"too long to arrive" in answer.payload


@pytest.mark.rule("B1", "B2")
async def test_slow_requests_are_given_up_for_others_the_slowest_first() -> None:
    async with (
        listening() as chat,
        connecting(chat.port) as connection,
        insecure_channel(chat.target) as channel,
    ):
        for stream in range(1, 2 * 64 + 1, 2):
            await connection.call(stream, "/chat.v1.Chat/Login")
            await connection.send(stream, message_of(bytes(200))[:-1])
        await connection.write(PING, 0, 0, bytes(8))
        await connection.read_until(PING)
        check: Unary = channel.unary_unary("/grpc.health.v1.Health/Check")
        answers = [await check(b"") for _ in range(2)]
        given_up = await connection.read_until(HEADERS, 1)

        assert all(answers)
        assert b"too long to arrive" in given_up.payload


@pytest.mark.rule("B1", "S3")
@pytest.mark.parametrize("size", [1, 31, 33, 4096])
async def test_a_token_that_can_be_none_is_refused_as_one_that_is_unknown(
    size: int,
) -> None:
    async with listening() as chat, insecure_channel(chat.target) as channel:
        send: Unary = channel.unary_unary("/chat.v1.Chat/Send")
        with pytest.raises(AioRpcError) as refused:
            await send(b"", metadata=(("chat-session-bin", bytes(size)),))

        assert chat.links.empty()

    assert refused.value.code() is StatusCode.UNAUTHENTICATED
    assert number_of(refused.value) == 205


@pytest.mark.rule("E1")
async def test_a_call_without_a_request_is_refused() -> None:
    async with listening() as chat, insecure_channel(chat.target) as channel:
        login: StreamUnaryCall[bytes, bytes] = channel.stream_unary(
            "/chat.v1.Chat/Login"
        )()
        await login.done_writing()
        with pytest.raises(AioRpcError) as refused:
            await login

    assert refused.value.code() is StatusCode.INVALID_ARGUMENT
    assert number_of(refused.value) == 100


# ---- reflection


@pytest.mark.rule("W4")
async def test_reflection_can_be_switched_off() -> None:
    asked = reflection_pb2.ServerReflectionRequest(list_services="*")
    outcomes: list[object] = []
    for option in ("", "?reflection=on", "?reflection=off"):
        async with (
            listening(url=f"grpc://127.0.0.1:0{option}") as chat,
            insecure_channel(chat.target) as channel,
        ):
            call = channel.stream_stream(
                REFLECTION,
                reflection_pb2.ServerReflectionRequest.SerializeToString,
                reflection_pb2.ServerReflectionResponse.FromString,
            )()
            try:
                await call.write(asked)
                answer = await call.read()
                assert isinstance(answer, reflection_pb2.ServerReflectionResponse)
                names = answer.list_services_response.service
                outcomes.append({it.name for it in names} >= {"chat.v1.Chat"})
            except AioRpcError as error:
                outcomes.append(error.code())
            call.cancel()

    assert outcomes == [True, True, StatusCode.UNIMPLEMENTED]


@pytest.mark.rule("W4")
async def test_reflection_is_on_or_off_and_nothing_else() -> None:
    with pytest.raises(BadUrl, match="reflection is on or off"):
        async with listening(url="grpc://127.0.0.1:0?reflection=maybe"):
            pass


# ---- what tests share


async def until_stuck(connection: Http2Connection) -> int:
    """Return once a server reads no more of what is being sent; how much it has."""
    sent_bytes = -1
    while sent_bytes != connection.sent_bytes:
        sent_bytes = connection.sent_bytes
        await pinged(connection, connection.pongs)
    return sent_bytes


async def pinged(connection: Http2Connection, pongs: int) -> None:
    """Return once the server has read what was sent before, and told how much more."""
    await connection.write(PING, 0, 0, bytes(8))
    await until(lambda: connection.pongs > pongs)


def watch(channel: Channel) -> "UnaryStreamCall[bytes, bytes]":
    """Watch the health of the whole server."""
    method: UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(WATCH)
    return method(b"")
