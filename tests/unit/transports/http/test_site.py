"""Files beside the chat: a fixed table, read only, and never held in whole."""

import asyncio
from collections.abc import Coroutine

import pytest

from tests.interop.servers import serving
from tests.unit.transports.http.asking import OFFER, URL, socket_to
from transports.base import Link, LinkSettings, parse_address
from transports.codec import Codec
from transports.http.server import listen
from transports.http_site import StaticFile, StaticSite

LARGE_BYTES = 4 * 1024 * 1024
PAGE = StaticFile.of(b"<p>hello\n", "text/html; charset=utf-8")
LARGE = StaticFile.of(b"x" * LARGE_BYTES, "text/plain")
SITE = StaticSite({"/": PAGE, "/large.txt": LARGE})


async def test_a_file_of_the_table_is_served_beside_the_chat() -> None:
    async with serving(URL, site=SITE) as server, socket_to(server.url) as socket:
        page = await socket.ask("GET", "/?from=somewhere")
        link = await socket.ask("POST", "/chat/links", OFFER)

    assert (page.status, page.body) == (200, PAGE.content)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert link.status == 201


async def test_a_file_is_no_other_thing_and_tells_nobody_who_asked() -> None:
    async with serving(URL, site=SITE) as server, socket_to(server.url) as socket:
        page = await socket.ask("GET", "/")

    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in page.headers
    assert "set-cookie" not in page.headers


async def test_head_is_told_the_same_without_the_file() -> None:
    async with serving(URL, site=SITE) as server, socket_to(server.url) as socket:
        await socket.write(b"HEAD /large.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        head = await socket.until(b"\r\n\r\n")
        page = await socket.ask("GET", "/")  # what follows is the next answer

    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"Content-Length: %d\r\n" % LARGE_BYTES in head
    assert page.body == PAGE.content


@pytest.mark.parametrize(
    "condition",
    [PAGE.tag, f"W/{PAGE.tag}", f'"other", {PAGE.tag}', "*"],
)
async def test_who_has_a_file_is_told_that_it_is_the_same(condition: str) -> None:
    async with serving(URL, site=SITE) as server, socket_to(server.url) as socket:
        same = await socket.ask("GET", "/", f"If-None-Match: {condition}")
        page = await socket.ask("GET", "/", 'If-None-Match: "other"')

    assert (same.status, same.body) == (304, b"")
    assert same.headers["etag"] == PAGE.tag
    assert "content-length" not in same.headers
    assert (page.status, page.headers["etag"]) == (200, PAGE.tag)
    assert page.headers["cache-control"] == same.headers["cache-control"] == "no-cache"


async def test_another_file_has_another_tag() -> None:
    assert (
        StaticFile.of(b"a", "text/plain").tag != StaticFile.of(b"b", "text/plain").tag
    )


@pytest.mark.parametrize(
    "path",
    [
        "/other",
        "//",
        "/index.html",
        "/large.txt/",
        "/../large.txt",
        "/x/../large.txt",
        "/%6carge.txt",
        "/..%2flarge.txt",
        "/chatter",
        "http://127.0.0.1/",
    ],
)
async def test_what_is_not_in_the_table_is_not_there(path: str) -> None:
    async with serving(URL, site=SITE) as server, socket_to(server.url) as socket:
        answer = await socket.ask("GET", path)

    assert answer.status == 404
    assert answer.said["code"] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
async def test_files_are_read_and_nothing_else(method: str) -> None:
    async with serving(URL, site=SITE) as server, socket_to(server.url) as socket:
        answer = await socket.ask(method, "/", body=b"what for?")

    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"


async def test_without_a_site_there_is_nothing_but_the_chat() -> None:
    async with serving(URL) as server, socket_to(server.url) as socket:
        answer = await socket.ask("GET", "/")

    assert (answer.status, answer.said["text"]) == (404, "The chat is at /chat.")


@pytest.mark.rule("B1")
async def test_of_a_file_that_is_not_taken_little_is_held() -> None:
    async with asyncio.TaskGroup() as tasks:
        settings = LinkSettings(frame_bytes=LARGE_BYTES, site=SITE, close_s=0.0)

        def spawn(work: Coroutine[object, None, None]) -> None:
            tasks.create_task(work)

        listener = await listen(parse_address(URL), no_link, settings, spawn)
        async with socket_to(listener.url) as socket:
            await socket.write(b"GET /large.txt HTTP/1.1\r\nHost: a\r\n\r\n")
            await socket.until(b"\r\n\r\n")
            (connection,) = listener.sockets._all
            while not connection._is_clogged:  # noqa: ASYNC110  # nobody is told
                await asyncio.sleep(0)
            transport = connection._transport
            assert transport is not None
            held = transport.get_write_buffer_size()
            taken = await socket.take(LARGE_BYTES)
        await listener.stop_accepting()
        await listener.wait_finished()

    assert 0 < held <= 64 * 1024
    assert taken == LARGE.content


async def no_link(link: Link, codec: Codec) -> None:
    """Nobody opens one here."""
    raise AssertionError(link, codec)
