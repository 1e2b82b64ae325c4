"""One message a frame outwards, whatever the transport and the codec."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import pytest

from chatbench.floor.changed import changed_url
from chatbench.floor.single import SingleCodec, single
from chatcore import Chat
from chatcore.commands import Login, Request, Send
from chatcore.events import Accepted, Delivered, Event, LoggedIn, LoggedOut
from chatstores import open_store
from chatsystem import HashSettings, system_environment
from transports import connect, serve
from transports.awaited_link import AwaitedLink
from transports.base import LinkSettings, parse_address
from transports.codec import CODECS, codec
from transports.registry import transport_for

CHEAP: Final = HashSettings(memory_kib=8, passes=1)
PASSWORD: Final = "correct horse"
SCHEMES: Final = ("tcp", "ws", "grpc")
MESSAGES: Final = 5


@asynccontextmanager
async def serving_single(scheme: str) -> AsyncIterator[str]:
    url = changed_url(f"{scheme}://127.0.0.1:0", single)
    async with (
        open_store("memory:") as store,
        serve(Chat(store), url, environment=system_environment(CHEAP)) as (served,),
    ):
        yield served


async def read_frames(link: AwaitedLink, last: type[Event]) -> list[Sequence[Event]]:
    """The events of each frame, until one of this kind came."""
    frames: list[Sequence[Event]] = []
    while not any(isinstance(it, last) for frame in frames for it in frame):
        frames += map(codec("protobuf").decode_events, await link.receive())
    return frames


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_frame_holds_one_event(scheme: str) -> None:
    async with serving_single(scheme) as url:
        address = parse_address(url)
        link = AwaitedLink(
            await transport_for(scheme).dial(
                address, codec("protobuf"), LinkSettings(frame_bytes=1 << 20)
            )
        )
        login = Request(1, Login(username="ada", password=PASSWORD, create=True))
        await link.send([codec("protobuf").encode_commands([login])])
        frames = await read_frames(link, LoggedIn)

        # One frame of many commands: a plain server joins the answers.
        sends = [Request(2 + n, Send("ada", f"{n}", b"")) for n in range(MESSAGES)]
        await link.send([codec("protobuf").encode_commands(sends)])
        seen: list[Event] = []
        while sum(isinstance(it, Accepted | Delivered) for it in seen) < 2 * MESSAGES:
            for frame in await link.receive():
                frames.append(codec("protobuf").decode_events(frame))
                seen += frames[-1]

        assert {len(frame) for frame in frames} == {1}
        assert [it.body for it in seen if isinstance(it, Delivered)] == [
            str(n) for n in range(MESSAGES)
        ]
        link.abort()


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_client_is_served_as_ever(scheme: str) -> None:
    async with serving_single(scheme) as url, connect(url) as ada:
        await ada.login("ada", PASSWORD, create=True)
        await ada.send_all([("ada", str(n)) for n in range(MESSAGES)])

        bodies: list[str] = []
        async for message in ada.messages():
            bodies.append(message.body)
            if len(bodies) == MESSAGES:
                break

        assert url.startswith(f"{scheme}://")
        assert bodies == [str(n) for n in range(MESSAGES)]


@pytest.mark.parametrize("name", CODECS)
def test_the_codec_packs_a_frame_for_each_event_and_changes_no_other(name: str) -> None:
    plain = codec(name)
    changed = SingleCodec(plain)
    events: list[Event] = [LoggedOut(1), LoggedOut(2)]

    packed = changed.encode_events(events)

    alone = [plain.encode_events([it]) for it in events]
    assert packed == b"".join(len(it).to_bytes(4) + it for it in alone)
    assert (changed.name, changed.text) == (plain.name, plain.text)
