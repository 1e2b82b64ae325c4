"""The protocol without sockets, as an application mounts it."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
import pytest

from chatcore.errors import CloseCode
from transports.awaited_link import AwaitedLink
from transports.base import Link, LinkSettings
from transports.codec import Codec
from transports.errors import LinkClosed, PeerFinished
from transports.http.endpoints import HttpEndpoints
from transports.http_messages import HttpRequest, HttpResponse, ResponseStream
from transports.origins import AllowedOrigins
from transports.proxies import Proxies

OFFER: Final = ("chat-protocol", "chat.v1.json")
SETTINGS: Final = LinkSettings(frame_bytes=1024)


class Body:
    """A body that is there already, in pieces; ``breaks`` where its peer then goes."""

    def __init__(self, *pieces: bytes, breaks: bool = False) -> None:
        self._pieces = list(pieces)
        self._breaks = breaks

    async def read(self) -> bytes:
        """See ``transports.http_messages.RequestBody``."""
        if self._pieces:
            return self._pieces.pop(0)
        if self._breaks:
            raise ConnectionResetError
        return b""


class Mount:
    """Endpoints, and the links that they have opened."""

    def __init__(self, settings: LinkSettings = SETTINGS) -> None:
        self.links: list[AwaitedLink] = []
        self.peers: list[tuple[str, str]] = []
        self.endpoints = HttpEndpoints(
            self._serve,
            settings,
            lambda work: self.tasks.append(
                asyncio.get_running_loop().create_task(work)
            ),
            AllowedOrigins(),
        )
        self.tasks: list[asyncio.Task[None]] = []

    async def _serve(self, link: Link, codec: Codec) -> None:
        assert codec.name == "json"
        self.peers.append((link.address, link.peer))
        self.links.append(AwaitedLink(link))

    async def ask(
        self,
        method: str,
        path: str,
        *headers: tuple[str, str],
        body: Sequence[bytes] = (),
        query: str = "",
        address: str = "192.0.2.7",
    ) -> HttpResponse:
        """The answer to a request."""
        return await self.endpoints.handle(
            HttpRequest(
                method=method,
                path=path,
                query=query,
                headers=headers,
                body=Body(*body),
                address=address,
                peer=f"{address}:5",
            )
        )

    async def open(self, *headers: tuple[str, str]) -> tuple[str, str]:
        """Open a link; the header that names it."""
        answer = await self.ask("POST", "/links", OFFER, *headers)
        assert answer.status is HTTPStatus.CREATED
        await asyncio.wait(self.tasks)
        return "chat-link", said(answer)["link"]


def said(answer: HttpResponse) -> dict[str, Any]:
    """The body of an answer, of JSON."""
    assert isinstance(answer.body, bytes)
    return dict(msgspec.json.decode(answer.body))


def stream(answer: HttpResponse) -> ResponseStream:
    """The body of an answer that goes on."""
    assert answer.status is HTTPStatus.OK
    assert not isinstance(answer.body, bytes)
    return answer.body


async def test_frames_go_both_ways() -> None:
    mount = Mount()
    name = await mount.open()
    events = stream(await mount.ask("GET", "/events", name))

    answer = await mount.ask("POST", "/frames", name, body=[b'{"a":1}\n{"b"', b":2}"])
    received = [*await mount.links[0].receive()]
    while len(received) < 2:
        received += await mount.links[0].receive()
    mount.links[0].link.write([b'{"c":3}', b'{"d":4}'])
    written = await anext(events)

    assert answer.status is HTTPStatus.NO_CONTENT
    assert received == [b'{"a":1}', b'{"b":2}']
    assert written == b'data: {"c":3}\n\ndata: {"d":4}\n\n'
    mount.links[0].abort()


async def test_what_is_written_waits_until_it_is_asked_for() -> None:
    mount = Mount()
    name = await mount.open()
    link = mount.links[0].link
    link.write([b"{}"])
    events = stream(await mount.ask("GET", "/events", name))

    before = link.is_clogged
    await anext(events)
    given = link.is_clogged
    asking = asyncio.get_running_loop().create_task(mount.links[0].send([b"[]"]))
    await anext(events)
    last = asyncio.get_running_loop().create_task(after(events))
    await asking

    assert (before, given) == (True, True)
    assert not link.is_clogged
    mount.links[0].abort()
    await asyncio.wait([last])


async def after(events: ResponseStream) -> bytes:
    """What comes next."""
    return await anext(events)


async def test_the_last_event_says_why_a_link_ends() -> None:
    mount = Mount()
    name = await mount.open()
    events = stream(await mount.ask("GET", "/events", name))
    closing = asyncio.get_running_loop().create_task(
        mount.links[0].close(CloseCode.REPLACED, "Elsewhere.")
    )

    pieces = [piece async for piece in events]
    await closing

    assert pieces == [b'event: close\ndata: {"code":4503,"text":"Elsewhere."}\n\n']
    gone = await mount.ask("POST", "/frames", name)
    assert (gone.status, said(gone)["code"]) == (HTTPStatus.GONE, 4003)


async def test_a_stream_that_is_left_ends_its_link() -> None:
    mount = Mount()
    name = await mount.open()
    events = stream(await mount.ask("GET", "/events", name))

    await events.aclose()

    with pytest.raises(LinkClosed):
        await mount.links[0].receive()


async def test_whoever_writes_is_told_when_nothing_more_is_to_be_written() -> None:
    mount = Mount()
    name = await mount.open()
    events = stream(await mount.ask("GET", "/events", name))
    cuts: list[str] = []
    events.on_cut = lambda: cuts.append("cut")

    mount.links[0].abort()

    assert cuts == ["cut"]
    with pytest.raises(ConnectionError):
        await anext(events)


@pytest.mark.rule("W6")
async def test_a_body_that_breaks_off_ends_its_link() -> None:
    mount = Mount()
    name = await mount.open()
    body = Body(b'{"a":1}\n{"b', breaks=True)

    with pytest.raises(ConnectionError):
        await mount.endpoints.handle(
            HttpRequest(method="POST", path="/frames", headers=[name], body=body)
        )

    assert await mount.links[0].receive() == [b'{"a":1}']
    with pytest.raises(LinkClosed):
        await mount.links[0].receive()


async def test_a_client_that_has_finished_may_still_read() -> None:
    mount = Mount()
    name = await mount.open()
    events = stream(await mount.ask("GET", "/events", name))

    ended = await mount.ask("DELETE", "/links", name)

    assert ended.status is HTTPStatus.NO_CONTENT
    with pytest.raises(PeerFinished):
        await mount.links[0].receive()
    mount.links[0].link.write([b"{}"])
    assert await anext(events) == b"data: {}\n\n"
    mount.links[0].abort()


@pytest.mark.rule("B1", "W8")
async def test_a_link_that_is_not_read_takes_little_more() -> None:
    mount = Mount(LinkSettings(frame_bytes=8192))
    name = await mount.open()
    frame = b"x" * 7000
    mount.links[0].link.hold_reading(on=True)

    answers = [await mount.ask("POST", "/frames", name, body=[frame]) for _ in range(2)]
    waiting = asyncio.get_running_loop().create_task(
        mount.ask("POST", "/frames", name, body=[frame])
    )
    done, _ = await asyncio.wait([waiting], timeout=0.05)
    mount.links[0].link.hold_reading(on=False)
    answers.append(await waiting)

    assert not done
    assert {it.status for it in answers} == {HTTPStatus.NO_CONTENT}
    mount.links[0].abort()


@pytest.mark.rule("W9")
async def test_once_it_accepts_no_more_open_links_are_still_answered() -> None:
    mount = Mount()
    early, name = await mount.open(), await mount.open()
    stream(await mount.ask("GET", "/events", name))
    mount.endpoints.stop_accepting()

    refused = await mount.ask("POST", "/links", OFFER)
    answer = await mount.ask("POST", "/frames", name, body=[b"{}"])
    gone = await mount.ask("POST", "/frames", early, body=[b"{}"])

    assert (refused.status, said(refused)["code"]) == (503, 4000)
    assert answer.status is HTTPStatus.NO_CONTENT
    assert gone.status is HTTPStatus.GONE
    mount.links[1].abort()


@pytest.mark.rule("B3")
async def test_a_trusted_proxy_says_whose_link_it_is_and_nobody_else_does() -> None:
    mount = Mount(LinkSettings(frame_bytes=1024, proxies=Proxies.of(["192.0.2.7"])))
    forwarded = ("x-forwarded-for", "203.0.113.5, 198.51.100.9")

    await mount.ask("POST", "/links", OFFER, forwarded)
    await mount.ask("POST", "/links", OFFER, forwarded, address="198.51.100.1")
    await asyncio.wait(mount.tasks)

    assert mount.peers == [
        ("198.51.100.9", "198.51.100.9 by 192.0.2.7:5"),
        ("198.51.100.1", "198.51.100.1:5"),
    ]
    for link in mount.links:
        link.abort()
