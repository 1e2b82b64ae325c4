"""A client of HTTP, and servers that do not do as they should."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import pytest

from chatcore.errors import CloseCode
from tests.interop.servers import serving
from tests.unit.transports.http.asking import URL
from transports import connect
from transports.awaited_link import AwaitedLink
from transports.base import LinkSettings, parse_address
from transports.codec import codec
from transports.errors import BadUrl, CannotConnect, LinkClosed
from transports.http.client import HttpClientLink, dial

SETTINGS: Final = LinkSettings(frame_bytes=1024, handshake_s=5, close_s=0.2)
OURS: Final = b"Chat-Protocol: chat.v1.json\r\n"
OPENED: Final = b'{"link":"secret","once":"once","eventsWithinMs":10000}'
STREAM: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    + OURS
    + b"Connection: close\r\n\r\n"
)


def answer(status: str, body: bytes = b"", headers: bytes = OURS) -> bytes:
    """A response as bytes."""
    length = b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 %s\r\n%s%s\r\n%s" % (status.encode(), headers, length, body)


@asynccontextmanager
async def scripted(*answers: bytes) -> AsyncIterator[str]:
    """A server that answers the requests on its first connection with these, one after
    another, and ends it; on others it says 204.
    """
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        said: Sequence[bytes] = answers if connections == 1 else [answer("204 No")] * 9
        try:
            for it in said:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(it)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with answering(serve) as url:
        yield url


@asynccontextmanager
async def answering(
    serve: Callable[
        [asyncio.StreamReader, asyncio.StreamWriter], Coroutine[object, None, None]
    ],
) -> AsyncIterator[str]:
    """A server of connections, each of which is served to its end."""
    async with asyncio.TaskGroup() as tasks:

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.create_task(serve(reader, writer))

        server = await asyncio.start_server(begin, "127.0.0.1", 0)
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        server.close()


async def dialled(url: str) -> HttpClientLink:
    """A link to a server."""
    return await dial(parse_address(url), codec("json"), SETTINGS)


@pytest.mark.parametrize(
    "said",
    [
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000,
        answer("404 Not Found", b"nothing here", b""),
        answer("201 Created", b"{}"),
        answer("201 Created", b"no json"),
        answer("302 Found", b"", b"Location: http://127.0.0.1:1/\r\n"),
        b"",
    ],
)
async def test_what_is_no_chat_server_is_told_as_such(said: bytes) -> None:
    async with scripted(said) as url:
        with pytest.raises(CannotConnect, match="Cannot connect to http://"):
            await dialled(url)


@pytest.mark.rule("W1")
async def test_a_refusal_has_its_code_and_its_text() -> None:
    said = b'{"code":4006,"text":"There are too many."}'
    async with scripted(answer("503 Unavailable", said)) as url:
        with pytest.raises(LinkClosed, match="too many") as refused:
            await dialled(url)

    assert refused.value.code is CloseCode.TOO_MANY_CONNECTIONS


async def test_a_refusal_that_is_endless_is_not_read_to_its_end() -> None:
    said = (
        b"HTTP/1.1 503 No\r\n" + OURS + b"Connection: close\r\n\r\n" + b"x" * 1_000_000
    )
    async with scripted(said) as url:
        with pytest.raises(LinkClosed):
            await dialled(url)


async def test_a_page_in_another_codec_is_asked_for_in_vain() -> None:
    address = parse_address("http://127.0.0.1:1/chat")

    with pytest.raises(BadUrl, match="it carries json, not msgpack"):
        await dial(address, codec("msgpack"), SETTINGS)
    with pytest.raises(BadUrl, match="it carries json, not msgpack"):
        async with connect(address.text, codec="msgpack"):
            pass


@pytest.mark.rule("W6")
async def test_an_event_over_the_limit_is_not_kept() -> None:
    async with scripted(
        answer("201 Created", OPENED), STREAM + b"data: " + b"x" * 5000
    ) as url:
        link = await dialled(url)
        with pytest.raises(LinkClosed) as ended:
            await AwaitedLink(link).receive()
        link.abort()

    assert ended.value.code is CloseCode.FRAME_TOO_LARGE


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (b"", CloseCode.LINK_LOST),
        (b'event: close\ndata: {"code":4503,"text":"x"}\n\n', CloseCode.REPLACED),
        (b'event: close\ndata: {"code":1,"text":"x"}\n\n', CloseCode.LINK_LOST),
        (b"event: close\ndata: no json\n\n", CloseCode.LINK_LOST),
    ],
)
async def test_a_stream_that_ends_ends_the_link(end: bytes, code: CloseCode) -> None:
    said = STREAM + b": hello\n\ndata: {}\r\n\r\nevent: other\ndata: {}\n\n" + end
    async with scripted(answer("201 Created", OPENED), said) as url:
        link = AwaitedLink(await dialled(url))
        frames = await link.receive()
        with pytest.raises(LinkClosed) as ended:
            await link.receive()
        link.abort()

    assert frames == [b"{}"]
    assert ended.value.code is code


async def test_frames_that_are_refused_end_the_link_if_nothing_else_does() -> None:
    refused = answer("409 Conflict", b'{"code":409,"text":"x"}')
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                requests.append(head.partition(b" HTTP")[0])
                if b"/links" in head:
                    writer.write(answer("201 Created", OPENED))
                else:
                    writer.write(STREAM if b"/events" in head else refused)
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    async with answering(serve) as url:
        link = AwaitedLink(await dialled(f"{url}/api/chat/"))
        await link.send([b"{}"])
        await link.send([b"{}"])
        with pytest.raises(LinkClosed):
            await link.receive()

    assert requests == [
        b"POST /api/chat/links",
        b"GET /api/chat/events",
        b"POST /api/chat/frames",
    ]


@pytest.mark.rule("S3")
async def test_a_session_moves_to_http_and_away_without_loss_or_duplicate() -> None:
    async with (
        serving(URL, "tcp://127.0.0.1:0") as server,
        server.peer(server.urls[1]) as bob,
    ):
        await bob.login("bob")
        async with server.peer(server.urls[1]) as first:
            token = (await first.login("ada")).token
            await bob.send("ada", "one", "two")
            (one, _) = await first.mail(2)
        async with server.peer(server.urls[0], codec="json") as second:
            await second.resume(token, one.position)
            (two,) = await second.mail(1)
            await bob.send("ada", "three")
            (three,) = await second.mail(1)
        async with server.peer(server.urls[1]) as third:
            await third.resume(token, two.position)
            again = await third.mail(1)

    assert (two.body, three.body) == ("two", "three")
    assert again == [three]
