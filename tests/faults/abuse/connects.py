"""Attacks by connections as such: thousands, silent, slow, reset, or of garbage."""

import asyncio
import socket
import struct
import time
from collections.abc import Sequence
from typing import Final

from chatbench.wire.http2 import PREFACE
from tests.faults.abuse.intruders import descriptors
from tests.faults.abuse.targets import Findings, Target
from tests.faults.abuse.wires import connect, is_open
from transports.base import Address, parse_address

SILENT_SECONDS: Final = 12.5
"""The 10 s within which somebody has to log in, and some time to be told."""
_SILENT: Final = 2000
_RESETS: Final = 5000
_RESET_NOW: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of socket(7): a close resets."""


async def silent_connections(target: Target) -> Findings:
    """2,000 connections that say nothing, or half of a handshake, or it byte by byte,
    or the whole of it and no more.
    """
    greeting = _greeting(target)
    findings = Findings()
    until_s = target.deadline_s()
    before = descriptors(target.pid)
    connections = await _connections(parse_address(target.url), _SILENT)
    kinds = ("silent", "half", "dribbling", "greeted")
    try:
        for index, one in enumerate(connections):
            kind = kinds[index % len(kinds)]
            _write(one, {"half": greeting[:8], "greeted": greeting}.get(kind, b""))
        turn = 0
        while time.monotonic() < until_s:
            for one in connections[2 :: len(kinds)]:
                _write(one, greeting[turn : turn + 1])
            turn += 1
            await asyncio.sleep(0.9)
        findings.figures["descriptors_more"] = descriptors(target.pid) - before
        for index, kind in enumerate(kinds):
            left = sum(is_open(one) for one in connections[index :: len(kinds)])
            findings.figures[f"left_{kind}"] = left
            findings.expect(
                met=left == 0,
                otherwise=f"{left} connections ({kind}) without a login are open after "
                f"{target.seconds:.1f} s.",
            )
    finally:
        for one in connections:
            one.close()
    findings.figures["connections"] = len(connections)
    return findings


async def reset_connections(target: Target) -> Findings:
    """5,000 connections that are opened, say half of something, and are reset."""
    findings = Findings()
    address = parse_address(target.url)
    greeting = _greeting(target)
    until_s = target.deadline_s()
    done = 0
    while done < _RESETS and time.monotonic() < until_s:
        connections = await _connections(address, 50)
        for index, one in enumerate(connections):
            _write(one, greeting if index % 2 else b"")
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_NOW)
            one.close()
        done += len(connections)
        await asyncio.sleep(0)
    findings.figures["connections"] = done
    return findings


async def garbage(target: Target) -> Findings:
    """Connections that say what no handshake is: TLS, HTTP, a wrong version."""
    findings = Findings()
    address = parse_address(target.url)
    said = (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CHAT/9 json\n",
        b"GET /chat HTTP/1.1\r\n" + b"X: y\r\n" * 1000,
        b"x" * 4096,
    )
    until_s = target.deadline_s()
    done = 0
    while time.monotonic() < until_s:
        connections = await _connections(address, 50)
        for index, one in enumerate(connections):
            _write(one, said[index % len(said)])
        await asyncio.sleep(0.05)
        for one in connections:
            one.close()
        done += len(connections)
    findings.figures["connections"] = done
    return findings


def _greeting(target: Target) -> bytes:
    """All that a peer says before its first frame."""
    match target.transport:
        case "tcp":
            return b"CHAT/1 protobuf\n"
        case "websocket":
            return (
                b"GET /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                b"Sec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Protocol: chat.v1.protobuf\r\n\r\n"
            )
        case _:
            return PREFACE


async def _connections(address: Address, number: int) -> Sequence[socket.socket]:
    opened: list[socket.socket] = []
    for index in range(number):
        try:
            async with asyncio.timeout(2):
                opened.append(await connect(address, f"127.0.0.{2 + index % 8}"))
        except OSError:  # TimeoutError is one
            continue
    return opened


def _write(connection: socket.socket, said: bytes) -> None:
    try:
        connection.send(said)
    except OSError:
        return  # it is over, or takes no more
