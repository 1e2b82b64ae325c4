"""Attacks by requests of HTTP: links that nobody uses, endless bodies, tiny chunks."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import msgspec

from tests.faults.abuse.floods import TINY
from tests.faults.abuse.payloads import refused_acknowledges
from tests.faults.abuse.targets import Findings, Target
from tests.faults.abuse.wires import connect, is_open
from transports.base import parse_address
from transports.codec import codec as codec_of

LIMITS: Final = {"login_within_s": "2"}
SECONDS: Final = 6.0
_LINKS: Final = 500
_SILENT: Final = 2000
_ANSWER_S: Final = 5.0
_OPEN: Final = (
    b"POST /chat/links HTTP/1.1\r\nHost: a\r\nChat-Protocol: chat.v1.json\r\n"
    b"Content-Length: 0\r\n\r\n"
)
_FLOODERS: Final = 8
_AHEAD_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class _Socket:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Make a request; the status and the body of its answer, of a stream none."""
        self.writer.write(request)
        async with asyncio.timeout(_ANSWER_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            _, _, after = head.lower().partition(b"content-length: ")
            length = int(after.partition(b"\r")[0] or 0)
            body = await self.reader.readexactly(length)
        return int(head.split()[1]), body

    async def open_link(self) -> str:
        """Open a link; its secret, empty where that was refused."""
        status, body = await self.ask(_OPEN)
        return str(msgspec.json.decode(body)["link"]) if status == 201 else ""


def _about(link: str, method: str, path: str, *headers: str) -> bytes:
    lines = [f"{method} /chat{path} HTTP/1.1", "Host: a", f"Chat-Link: {link}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode()


@asynccontextmanager
async def _socket(
    target: Target, index: int, *, receive_bytes: int = 0
) -> AsyncIterator[_Socket]:
    """A connection from ``127.0.0.2`` to ``127.0.0.9``."""
    source = f"127.0.0.{2 + index % 8}"
    connected = await connect(parse_address(target.url), source, receive_bytes)
    reader, writer = await asyncio.open_connection(sock=connected, limit=TINY)
    try:
        yield _Socket(reader, writer)
    finally:
        writer.transport.abort()


async def links_without_events(target: Target) -> Findings:
    """As many links as are given, and nobody asks for their events."""
    findings = Findings()
    until_s = target.deadline_s() - 3
    secrets: list[str] = []
    refused = 0
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(_socket(target, it)) for it in range(16)
        ]
        while time.monotonic() < until_s and refused < _SILENT:
            links = await asyncio.gather(*(it.open_link() for it in sockets))
            secrets += filter(None, links)
            refused += links.count("")
        await asyncio.sleep(3)
        left = 0
        async with _socket(target, 0) as looking:
            for link in secrets[-100:]:
                request = _about(link, "POST", "/frames", "Content-Length: 0")
                status, _ = await looking.ask(request)
                left += status != 410
    findings.figures = {"opened": len(secrets), "refused": refused, "left": left}
    findings.expect(
        met=left == 0, otherwise=f"{left} links without events are open after 3 s."
    )
    findings.expect(met=refused > 0, otherwise="As many were given as were asked for.")
    return findings


async def events_unread(target: Target) -> Findings:
    """Eight links, on which refused commands are written and no answer is read."""
    findings = Findings()
    until_s = target.deadline_s()
    frame = codec_of("json").encode_commands(
        codec_of("protobuf").decode_commands(refused_acknowledges(500))
    )
    posted = 0

    async def flood(index: int, stack: AsyncExitStack) -> None:
        nonlocal posted
        events = await stack.enter_async_context(
            _socket(target, index, receive_bytes=TINY)
        )
        asking = await stack.enter_async_context(_socket(target, index))
        link = await asking.open_link()
        events.writer.write(_about(link, "GET", "/events"))
        events.reader._transport.pause_reading()  # type: ignore[attr-defined]  # it has no other way
        length = f"Content-Length: {len(frame)}"
        request = _about(link, "POST", "/frames", length) + frame
        with suppress(TimeoutError, OSError, asyncio.IncompleteReadError):
            while time.monotonic() < until_s:
                status, _ = await asking.ask(request)
                posted += status == 204

    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        for index in range(_FLOODERS):
            tasks.create_task(flood(index, stack))
    findings.figures = {"posted": posted}
    return findings


async def bodies_without_an_end(target: Target) -> Findings:
    """500 links, each with a request that is one byte short of a frame."""
    findings = Findings()
    async with AsyncExitStack() as stack:
        opened: list[_Socket] = []
        for index in range(_LINKS):
            with suppress(OSError, asyncio.IncompleteReadError):
                events = await stack.enter_async_context(_socket(target, index))
                asking = await stack.enter_async_context(_socket(target, index))
                link = await asking.open_link()
                if link:
                    await events.ask(_about(link, "GET", "/events"))
                    length = f"Content-Length: {32 * 1024}"
                    asking.writer.write(_about(link, "POST", "/frames", length))
                    asking.writer.write(b"{" * (32 * 1024 - 1))
                    opened.append(asking)
        await asyncio.sleep(max(0.0, target.deadline_s() - time.monotonic()))
        left = sum(is_open(it.writer.get_extra_info("socket")) for it in opened)
    findings.figures = {"links": len(opened), "left": left}
    findings.expect(
        met=left == 0, otherwise=f"{left} requests without an end are still waited for."
    )
    return findings


async def chunks_of_a_byte(target: Target) -> Findings:
    """Eight requests whose bodies come in chunks of one byte, without an end."""
    chunk = b"1\r\n\n\r\n" * 1000
    headers = ("POST", "/frames", "Transfer-Encoding: chunked")
    return await _flood(target, lambda link: _about(link, *headers), chunk)


async def large_heads(target: Target) -> Findings:
    """Eight connections with one request after another, of 15 KiB of headers each."""
    lines = b"".join(b"X-%d: y\r\n" % it for it in range(1600))[: 15 * 1024]
    head = b"GET /chat HTTP/1.1\r\nHost: a\r\n" + lines.rpartition(b"\r\n")[0]
    return await _flood(target, lambda _: b"", head + b"\r\n\r\n")


async def _flood(
    target: Target, begin: Callable[[str], bytes], again: bytes
) -> Findings:
    """Write the same thing over and over, and read what is answered."""
    until_s = target.deadline_s()
    written = 0

    async def flood(index: int) -> None:
        nonlocal written
        async with _socket(target, index) as asking, _socket(target, index) as events:
            link = await asking.open_link()
            events.writer.write(_about(link, "GET", "/events"))
            asking.writer.write(begin(link))
            transport = asking.writer.transport
            while time.monotonic() < until_s and not transport.is_closing():
                if transport.get_write_buffer_size() < _AHEAD_BYTES:
                    transport.write(again)
                    written += len(again)
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.001):
                        await asking.reader.read(1 << 16)

    async with asyncio.TaskGroup() as tasks:
        for index in range(_FLOODERS):
            tasks.create_task(_allowed_to_end(flood(index)))
    return Findings(figures={"written_kib": written // 1024})


async def _allowed_to_end(flood: Coroutine[object, None, None]) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        await flood


async def silent_connections(target: Target) -> Findings:
    """2,000 connections that say nothing, or half a head, or it byte by byte."""
    findings = Findings()
    until_s = target.deadline_s()
    kinds = ("silent", "half", "dribbling", "answered")
    async with AsyncExitStack() as stack:
        sockets: list[_Socket] = []
        for index in range(_SILENT):
            with suppress(OSError):
                sockets.append(await stack.enter_async_context(_socket(target, index)))
                said = {"half": _OPEN[:20], "answered": _OPEN}
                sockets[-1].writer.write(said.get(kinds[index % 4], b""))
        turn = 0
        while time.monotonic() < until_s:
            for socket in sockets[2::4]:
                socket.writer.write(_OPEN[turn : turn + 1])
            turn += 1
            await asyncio.sleep(0.3)
        for place, kind in enumerate(kinds):
            left = sum(
                is_open(it.writer.get_extra_info("socket")) for it in sockets[place::4]
            )
            findings.figures[f"left_{kind}"] = left
            findings.expect(
                met=left == 0, otherwise=f"{left} connections ({kind}) are open."
            )
    findings.figures["connections"] = len(sockets)
    return findings
