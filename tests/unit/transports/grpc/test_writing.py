"""How a server's link writes: a frame at a time, and all is out before the end."""

import pytest
from grpc import StatusCode
from grpc.aio import EOF, AioRpcError

from chatcore.errors import CloseCode
from tests.unit.transports.grpc.link_collector import (
    Stream,
    conversing,
    listening,
    starting,
)

KIB = 1024


async def frames_of(stream: Stream) -> list[bytes]:
    """All that is still to be read."""
    frames: list[bytes] = []
    while isinstance(frame := await stream.read(), bytes):
        frames.append(frame)
    assert frame is EOF
    return frames


@pytest.mark.rule("W4", "W6")
async def test_what_is_written_while_a_frame_goes_out_follows_frame_by_frame() -> None:
    async with listening() as chat, conversing(chat) as (stream, link):
        for frame in (b"first", b"second", b"third"):
            link.link.write([frame])
        clogged = link.link.is_clogged

        read = [await stream.read() for _ in range(3)]

    assert read == [b"first", b"second", b"third"]
    assert clogged


@pytest.mark.rule("W4")
async def test_a_link_that_is_closed_has_written_all_before() -> None:
    frames = [bytes([number]) * 32 * KIB for number in range(8)]
    async with listening() as chat, conversing(chat) as (stream, link):
        link.link.write(frames)

        async with starting(link.close(CloseCode.SHUTTING_DOWN, "bye")):
            read = [await stream.read() for _ in frames]
            with pytest.raises(AioRpcError) as ended:
                await stream.read()

    assert read == frames
    assert ended.value.code() is StatusCode.UNAVAILABLE


@pytest.mark.rule("B1")
async def test_a_link_is_clogged_until_what_was_written_is_taken() -> None:
    async with listening() as chat, conversing(chat) as (stream, link):
        before = link.link.is_clogged
        link.link.write([b"x"])
        clogged = link.link.is_clogged

        await link.send([b"more"])
        after = link.link.is_clogged
        read = [await stream.read(), await stream.read()]

    assert not before
    assert clogged
    assert not after
    assert read == [b"x", b"more"]


@pytest.mark.rule("B1")
async def test_what_is_written_to_a_link_that_is_cut_is_lost() -> None:
    async with listening() as chat, conversing(chat) as (stream, link):
        link.abort()
        link.link.write([b"late"])

        read = await frames_of(stream)

    assert read == []
