"""What a port speaks that did not greet as it was asked to, for an error that helps.

A second connection asks for a page in HTTP/1.1, to which each of our servers says what
it is: a WebSocket's wants an upgrade (RFC 9110, 15.5.22), gRPC's has sent the SETTINGS
of HTTP/2 by then (RFC 9113, 3.4), and raw TCP's answers with its error line (W2).
"""

import asyncio
from contextlib import suppress
from typing import Final

from transports.base import Address, WrongTransport, authority

_TIMEOUT_S: Final = 1.0
_ENOUGH_BYTES: Final = 16
_FRAME_HEADER_BYTES: Final = 9
_SETTINGS_TYPE: Final = 4


async def find_wrong_transport(address: Address) -> WrongTransport | None:
    """Ask the port what it speaks; None where that is not to be had within a second,
    or is what was expected of it.
    """
    first = b""
    # Whatever fails here, why the caller could not connect is the better error.
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_TIMEOUT_S):
            first = await _first_bytes(address)
    spoken = recognise(first)
    if not spoken or spoken == address.scheme:
        return None
    return WrongTransport(address.text, spoken)


def recognise(first: bytes) -> str:
    """The URL scheme of what begins with these bytes: ``tcp``, ``ws``, ``grpc``, or
    ``http`` for a server of something else; empty where none of them does.
    """
    if first.startswith(b"CHAT/"):
        return "tcp"
    if first.startswith(b"HTTP/"):
        return "ws" if first.split()[1:2] == [b"426"] else "http"
    is_whole = len(first) >= _FRAME_HEADER_BYTES
    # The first frame has type 4, no flags, and is about the whole connection.
    if is_whole and first[3:_FRAME_HEADER_BYTES] == bytes([_SETTINGS_TYPE, *[0] * 5]):
        return "grpc"
    return ""


async def _first_bytes(address: Address) -> bytes:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        host = authority(address.host, address.port)
        writer.write(f"GET /chat HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        return await reader.readexactly(_ENOUGH_BYTES)
    except asyncio.IncompleteReadError as ended:
        return ended.partial
    finally:
        writer.transport.abort()
