"""The HTTP server: what it answers, and what peers that mean harm get of it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

import pytest

from transports.base import parse_address
from transports.errors import CannotListen
from transports.http_messages import HttpResponse
from transports.http_owner import HttpLimits
from transports.http_server import serve_http

SMALL = HttpLimits(connections=8)
SOON = HttpLimits(connections=8, within_s=0.05)
PATIENCE_S = 20.0
GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"


async def hello() -> HttpResponse:
    return HttpResponse(body=b"hello\n")


async def large() -> HttpResponse:
    return HttpResponse(body=b"x" * 4 * 1024 * 1024)


async def broken() -> HttpResponse:
    raise LookupError


ROUTES = {"/hello": hello, "/large": large, "/broken": broken}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, taken apart."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """A peer that says what a test wants."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, *, has_body: bool = True) -> Answer:
        """The next response."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
            status, *lines = head.splitlines()
            pairs = [line.split(": ", 1) for line in lines if line]
            headers = {name.lower(): value for name, value in pairs}
            length = int(headers["content-length"]) if has_body else 0
            body = await self._reader.readexactly(length)
        return Answer(int(status.split()[1]), headers, body)

    async def ended(self) -> bytes:
        """What is still said; returns once the server has ended the connection."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self._reader.read()
            except ConnectionError:
                return b""

    @property
    def has_ended(self) -> bool:
        return self._reader.at_eof() or self._reader.exception() is not None

    @property
    def is_cut(self) -> bool:
        return self._writer.is_closing()

    def push(self, data: bytes) -> None:
        """Write without caring whether it is taken."""
        self._writer.write(data)

    def close(self) -> None:
        self._writer.transport.abort()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """A connection, cut at the end of the block."""
    address = parse_address(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    connection = Connection(reader, writer)
    try:
        yield connection
    finally:
        connection.close()


async def ask(url: str, request: bytes, *, has_body: bool = True) -> Answer:
    """The response to one request on a connection of its own."""
    async with connected(url) as connection:
        await connection.write(request)
        return await connection.answer(has_body=has_body)


# ---- what it answers


async def test_a_path_is_answered_and_head_is_told_its_length_alone() -> None:
    async with serve_http("127.0.0.1", 0, ROUTES) as url:
        got = await ask(url, GET)
        query = await ask(url, GET.replace(b"/hello", b"/hello?x=1"))
        head = await ask(url, GET.replace(b"GET", b"HEAD"), has_body=False)

    assert (got.status, got.body) == (200, b"hello\n")
    assert query.status == 200
    assert (head.status, head.headers["content-length"]) == (200, "6")
    assert got.headers["cache-control"] == "no-store"


async def test_a_connection_is_used_again_also_when_the_next_request_is_there() -> None:
    async with serve_http("127.0.0.1", 0, ROUTES) as url, connected(url) as connection:
        await connection.write(GET + GET)
        two = [await connection.answer(), await connection.answer()]
        await connection.write(
            GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        )
        last = await connection.answer()
        rest = await connection.ended()

    assert [it.body for it in (*two, last)] == [b"hello\n"] * 3
    assert rest == b""


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (GET.replace(b"/hello", b"/other"), 404),
        (GET.replace(b"/hello", b"/hello/"), 404),
        (GET.replace(b"/hello", b"*"), 404),
        (GET.replace(b"GET", b"POST"), 405),
        (GET.replace(b"GET", b"OPTIONS"), 405),
        (b"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\nx", 405),
        (b"GET /hello HTTP/1.1\r\n\r\n", 400),
        (b"hello\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: no\r\n\r\n", 400),
        (b"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 413),
        (b"GET /" + b"a" * 70_000, 431),
        (b"GET /hello HTTP/1.1\r\n" + b"X: y\r\n" * 20_000, 431),
        (b"GET /hello HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
        (b"GET /broken HTTP/1.1\r\nHost: a\r\n\r\n", 500),
    ],
)
async def test_what_is_not_served_is_told_why(
    request_: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    async with serve_http("127.0.0.1", 0, ROUTES) as url:
        answer = await ask(url, request_)
        after = await ask(url, GET)

    assert answer.status == status
    assert answer.body == f"{HTTPStatus(status).phrase}\n".encode()
    assert (answer.headers.get("allow") == "GET, HEAD") == (status == 405)
    assert after.status == 200


async def test_an_address_that_is_taken_is_named() -> None:
    async with serve_http("127.0.0.1", 0, ROUTES) as url:
        port = parse_address(url).port

        with pytest.raises(CannotListen, match="Address already in use"):
            async with serve_http("127.0.0.1", port, ROUTES):
                pass


async def test_what_is_raised_in_the_block_comes_out_as_it_is() -> None:
    with pytest.raises(LookupError):
        async with serve_http("127.0.0.1", 0, ROUTES):
            raise LookupError


# ---- peers that mean harm


@pytest.mark.rule("B2")
async def test_a_request_behind_another_has_no_more_lines_than_the_first_may() -> None:
    lines = b"GET /hello HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200
    async with serve_http("127.0.0.1", 0, ROUTES) as url, connected(url) as connection:
        await connection.write(GET + lines)
        answers = [await connection.answer(), await connection.answer()]

    assert [it.status for it in answers] == [200, 431]


@pytest.mark.rule("B1")
@pytest.mark.parametrize("slowly", [b"", b"GET", GET[:-2], GET + GET[:-2]])
async def test_who_does_not_finish_a_request_in_time_goes(slowly: bytes) -> None:
    async with serve_http("127.0.0.1", 0, ROUTES, limits=SOON) as url:
        async with connected(url) as connection:
            await connection.write(slowly)
            said = await connection.ended()
        after = await ask(url, GET)

    assert said.count(b"hello") == slowly.startswith(GET)
    assert after.status == 200


@pytest.mark.rule("B1")
async def test_who_does_not_take_its_answers_goes_and_gets_no_more_made() -> None:
    made = 0

    async def counted() -> HttpResponse:
        nonlocal made
        made += 1
        return await large()

    async with serve_http("127.0.0.1", 0, {"/hello": counted}, limits=SOON) as url:
        async with connected(url) as connection:
            await connection.write(GET * 50)
            # Nothing is read: the end is seen by what can be written no more.
            async with asyncio.timeout(PATIENCE_S):
                while not connection.is_cut:
                    connection.push(b"G")
                    await asyncio.sleep(0.01)
        made_for_it = made
        after = await ask(url, GET)

    assert made_for_it <= 2
    assert after.status == 200


@pytest.mark.rule("B3")
async def test_a_thousand_that_hold_connections_shut_nobody_out() -> None:
    async with serve_http("127.0.0.1", 0, ROUTES, limits=SMALL) as url:
        address = parse_address(url)
        holders: list[Connection] = []
        for number in range(1000):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            holders.append(Connection(reader, writer))
            if number % 2:
                await holders[-1].write(b"GET /hel")

        answer = await ask(url, GET)
        ended = [await it.ended() for it in holders[: -SMALL.connections]]
        held = [it for it in holders if not it.has_ended]
        for holder in holders:
            holder.close()

    assert answer.status == 200
    assert len(ended) == 1000 - SMALL.connections
    assert len(held) <= SMALL.connections


@pytest.mark.rule("B3")
async def test_those_whose_answers_are_being_made_are_not_put_out() -> None:
    may_answer = asyncio.Event()
    asked: asyncio.Queue[None] = asyncio.Queue()

    async def slow() -> HttpResponse:
        asked.put_nowait(None)
        await may_answer.wait()
        return HttpResponse(body=b"done\n")

    limits = HttpLimits(connections=1)
    async with (
        serve_http("127.0.0.1", 0, {"/hello": slow}, limits=limits) as url,
        connected(url) as first,
        connected(url) as second,
    ):
        await second.write(GET)
        await asked.get()
        (outcome,) = await asyncio.gather(ask(url, GET), return_exceptions=True)
        may_answer.set()
        answer = await second.answer()
        put_out = await first.ended()

    assert isinstance(outcome, ConnectionError | asyncio.IncompleteReadError)
    assert answer.body == b"done\n"
    assert put_out == b""
