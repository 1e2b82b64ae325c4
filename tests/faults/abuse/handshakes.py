"""Attacks by TLS handshakes: thousands that are begun, finished, or none at all."""

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from tests.faults.abuse.targets import Findings, Target
from tests.faults.abuse.wires import connect, is_open, tls_context
from transports.base import Address, parse_address

_HALF: Final = 3000
_AT_ONCE: Final = 64
_WITHIN_S: Final = 5.0
_RESET_NOW: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of socket(7): a close resets."""
_RECORD_BYTES: Final = 5

_Attack = Callable[[Address, str], Awaitable[None]]


async def half_handshakes(target: Target) -> Findings:
    """3,000 peers from 64 addresses that begin a handshake of TLS and say no more;
    another comes for each that is ended.
    """
    findings = Findings()
    address, hello = parse_address(target.url), client_hello()
    until_s = target.deadline_s()
    opened: list[socket.socket] = []
    began = 0
    try:
        while time.monotonic() < until_s:
            for one in [it for it in opened if not is_open(it)]:
                opened.remove(one)
                one.close()
            for _ in range(min(_AT_ONCE, _HALF - len(opened))):
                with suppress(OSError):  # TimeoutError is one
                    async with asyncio.timeout(_WITHIN_S):
                        opened.append(await connect(address, _source(began)))
                    began += 1
                    opened[-1].send(hello)
            await asyncio.sleep(0.01)
        findings.figures["left"] = sum(is_open(one) for one in opened)
    finally:
        for one in opened:
            one.close()
    findings.figures["begun"] = began
    return findings


async def handshake_flood(target: Target) -> Findings:
    """64 peers at once that finish a handshake of TLS, close, and come again."""
    context = tls_context(target)

    async def once(address: Address, source: str) -> None:
        connected = await connect(address, source)
        _, writer = await asyncio.open_connection(
            sock=connected, ssl=context, server_hostname=address.host
        )
        writer.transport.abort()

    return await _again_and_again(target, once)


async def hello_flood(target: Target) -> Findings:
    """64 peers at once that have the server sign for them, reset, and come again.

    That costs them next to nothing, and the server as much as a whole handshake.
    """
    hello = client_hello()

    async def once(address: Address, source: str) -> None:
        connected = await connect(address, source)
        loop = asyncio.get_running_loop()
        with connected:
            await loop.sock_sendall(connected, hello)
            await loop.sock_recv(connected, 1)
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_NOW)

    return await _again_and_again(target, once)


async def broken_records(target: Target) -> Findings:
    """64 peers at once that write what TLS is not: records of one byte, of none, of
    random bytes in the midst of a handshake, and bytes where a record is due after it.
    """
    hello = client_hello()
    context = tls_context(target)
    number = 0
    random = bytes(range(256)) * 16

    def said(kind: int) -> bytes:
        match kind:
            case 0:  # the handshake's message a byte in each record
                message = hello[_RECORD_BYTES:]
                return b"".join(b"\x16\x03\x01\x00\x01%c" % it for it in message)
            case 1:  # empty records
                return hello[:_RECORD_BYTES] + b"\x16\x03\x01\x00\x00" * 4096
            case 2:  # what should be encrypted, and is not
                return hello + b"\x17\x03\x03\x10\x00" + random
            case _:
                return random

    async def once(address: Address, source: str) -> None:
        nonlocal number
        number += 1
        connected = await connect(address, source)
        loop = asyncio.get_running_loop()
        if number % 5:
            with connected:
                await loop.sock_sendall(connected, said(number % 5 - 1))
                while await loop.sock_recv(connected, 4096):
                    pass
            return
        reader, writer = await asyncio.open_connection(
            sock=connected, ssl=context, server_hostname=address.host
        )
        try:
            connection = writer.get_extra_info("socket")
            with socket.socket(fileno=connection.dup().detach()) as bare:
                bare.send(b"\x17\x03\x03\x10\x00" + random)
            await reader.read()
        finally:
            writer.transport.abort()

    return await _again_and_again(target, once)


async def _again_and_again(target: Target, once: _Attack) -> Findings:
    """Many at a time, each from one of 64 addresses, as often as it goes."""
    address = parse_address(target.url)
    until_s = target.deadline_s()
    done = failed = 0

    async def repeat(index: int) -> None:
        nonlocal done, failed
        while time.monotonic() < until_s:
            try:
                async with asyncio.timeout(_WITHIN_S):
                    await once(address, _source(index))
                done += 1
            except OSError:  # TimeoutError and errors of TLS are some
                failed += 1
                await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as tasks:
        for index in range(_AT_ONCE):
            tasks.create_task(repeat(index))
    return Findings(figures={"done": done, "failed": failed})


def client_hello() -> bytes:
    """How a handshake begins."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1", "h2"])
    begun = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        begun.do_handshake()
    return outgoing.read()


def _source(index: int) -> str:
    """Addresses that limits count apart."""
    return f"127.0.1.{1 + index % _AT_ONCE}"
