"""A transport with no chat behind it, on each of ours."""

import asyncio
from typing import Final

import pytest
from grpc.aio import StreamStreamCall, insecure_channel

from chatbench.floor.echo import echoing
from transports.awaited_link import AwaitedLink
from transports.base import LinkSettings, parse_address
from transports.codec import codec
from transports.errors import LinkClosed
from transports.grpc.options import CONVERSE
from transports.registry import transport_for

FRAMES: Final = [b"one", b"two", b"no protobuf at all \xff"]
SETTINGS: Final = LinkSettings(frame_bytes=1 << 20)


async def dialled(scheme: str, url: str) -> AwaitedLink:
    return AwaitedLink(
        await transport_for(scheme).dial(
            parse_address(url), codec("protobuf"), SETTINGS
        )
    )


@pytest.mark.parametrize("scheme", ["tcp", "ws"])
async def test_frames_come_back_in_order_and_unread(scheme: str) -> None:
    async with echoing(f"{scheme}://127.0.0.1:0") as url:
        link = await dialled(scheme, url)

        await link.send(FRAMES)
        back: list[bytes] = []
        while len(back) < len(FRAMES):
            back += await link.receive()

        assert back == FRAMES
        link.abort()


async def test_a_grpc_stream_comes_back_though_the_server_never_spoke() -> None:
    async with (
        echoing("grpc://127.0.0.1:0") as url,
        insecure_channel(url.removeprefix("grpc://")) as channel,
    ):
        call: StreamStreamCall[bytes, bytes] = channel.stream_stream(CONVERSE)(None)

        back: list[object] = []
        for frame in FRAMES:
            await call.write(frame)
            back.append(await call.read())

        assert back == FRAMES
        call.cancel()


@pytest.mark.parametrize("scheme", ["tcp", "ws"])
async def test_leaving_the_block_ends_the_links(scheme: str) -> None:
    async with echoing(f"{scheme}://127.0.0.1:0") as url:
        link = await dialled(scheme, url)
        await link.send(FRAMES[:1])
        await link.receive()

    async with asyncio.timeout(5):
        with pytest.raises(LinkClosed):
            await link.receive()
    link.abort()
