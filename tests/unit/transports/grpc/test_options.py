"""What each option of the server does: gRPC passes over those that it does not know."""

import gzip
from dataclasses import replace
from typing import TypeAlias

import pytest
from grpc import StatusCode
from grpc.aio import AioRpcError, UnaryUnaryMultiCallable, insecure_channel

from tests.unit.transports.grpc.http2 import (
    ACK,
    GOAWAY,
    HEADERS,
    PING,
    PREFACE,
    RESET,
    SETTINGS,
    WITHIN_S,
    connecting,
    message_of,
    settings_of,
)
from tests.unit.transports.grpc.link_collector import (
    CONVERSE,
    conversing,
    listening,
    outcome_of,
    starting,
)
from tests.unit.transports.grpc.link_collector import SETTINGS as LIMITS
from transports.base import LinkSettings
from transports.errors import CannotListen
from transports.grpc import options

Unary: TypeAlias = "UnaryUnaryMultiCallable[bytes, bytes]"

MAX_CONCURRENT_STREAMS, REFUSED_STREAM = 3, 7


@pytest.mark.rule("B3")
@pytest.mark.parametrize("said", [b"", PREFACE[:10]])
async def test_who_does_not_finish_a_handshake_goes(said: bytes) -> None:
    async with (
        listening(replace(LIMITS, handshake_s=0.2)) as chat,
        connecting(chat.port) as known,
        connecting(chat.port, says=said) as connection,
    ):
        await connection.read_to_the_end()

        await known.write(PING, 0, 0, bytes(8))
        pong = await known.read_until(PING)

    assert pong.flags & ACK


@pytest.mark.rule("B3")
async def test_connections_are_limited_in_all_bare_ones_too() -> None:
    async with (
        listening(replace(LIMITS, connections=2)) as chat,
        connecting(chat.port, says=b"") as _,
        connecting(chat.port) as second,
    ):
        await second.read_until(SETTINGS)

        async with connecting(chat.port, says=b"") as third:
            assert await third.read() is None


@pytest.mark.rule("B3")
async def test_a_connection_without_a_call_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(options, "_IDLE_S", 0.2)
    async with listening() as chat, connecting(chat.port) as connection:
        gone = await connection.read_until(GOAWAY)

        assert gone.payload.endswith(b"idle")
        assert await connection.read() is None


@pytest.mark.rule("B3")
async def test_the_calls_of_one_connection_are_limited() -> None:
    async with listening() as chat, connecting(chat.port) as connection:
        settings = settings_of(await connection.read_until(SETTINGS))
        for stream in range(1, 2 * 256 + 1, 2):
            await connection.call(stream, CONVERSE)
        await connection.read_until(HEADERS, 511)
        await connection.call(513, CONVERSE)

        assert settings[MAX_CONCURRENT_STREAMS] == 256
        refused = await connection.read_until(RESET, 513)

        assert int.from_bytes(refused.payload) == REFUSED_STREAM


@pytest.mark.rule("B1")
async def test_metadata_over_the_limit_is_refused() -> None:
    outcomes: list[StatusCode] = []
    async with listening() as chat, insecure_channel(chat.target) as channel:
        for size in (6 * 1024, 9 * 1024):
            dance: Unary = channel.unary_unary("/chat.v1.Chat/Dance")
            with pytest.raises(AioRpcError) as refused:
                await dance(b"", metadata=(("x", "y" * size),), timeout=WITHIN_S)
            outcomes.append(refused.value.code())

    assert outcomes == [StatusCode.UNIMPLEMENTED, StatusCode.RESOURCE_EXHAUSTED]


@pytest.mark.rule("B1", "B2")
async def test_who_floods_with_pings_is_answered() -> None:
    # Sending it away would cost more than its pings do: see the options.
    async with listening() as chat, connecting(chat.port) as connection:
        for number in range(1000):
            await connection.write(PING, 0, 0, number.to_bytes(8))

        answers = [await connection.read_until(PING) for _ in range(1000)]

        assert [it.payload for it in answers] == [n.to_bytes(8) for n in range(1000)]


@pytest.mark.rule("B1", "W6")
async def test_a_message_that_expands_beyond_the_limit_is_not_expanded() -> None:
    packed = gzip.compress(bytes(64 * 1024 * 1024))
    async with listening() as chat, connecting(chat.port) as connection:
        await connection.call(1, CONVERSE, ("grpc-encoding", "gzip"))
        link = await chat.links.get()
        async with starting(outcome_of(link.receive())) as receiving:
            await connection.send(1, message_of(packed, is_compressed=True))
            outcome = await receiving

    assert outcome is not None
    assert len(packed) < 100 * 1024


@pytest.mark.rule("W4")
async def test_a_port_is_taken_by_one_server_alone() -> None:
    async with listening() as chat:
        with pytest.raises(CannotListen):
            async with listening(url=chat.url):
                pass


@pytest.mark.rule("S5", "W4")
async def test_a_peer_that_does_not_answer_pings_of_grpc_goes() -> None:
    lively = LinkSettings(frame_bytes=1024, keepalive_s=0.1)
    async with listening(lively) as chat, connecting(chat.port) as connection:
        await connection.call(1, CONVERSE)

        ping = await connection.read_until(PING)
        gone = await connection.read_until(GOAWAY)

        assert not ping.flags & ACK
        assert gone.payload.endswith(b"ping_timeout")
        await connection.read_to_the_end()


@pytest.mark.rule("W6")
async def test_a_message_over_the_one_limit_is_refused() -> None:
    async with (
        listening() as chat,
        conversing(chat) as (stream, link),
        starting(outcome_of(link.receive())) as receiving,
    ):
        await stream.write(bytes(1024 * 1024 + 1))
        with pytest.raises(AioRpcError) as refused:
            await stream.read()

        assert await receiving is not None
    assert refused.value.code() is StatusCode.RESOURCE_EXHAUSTED
