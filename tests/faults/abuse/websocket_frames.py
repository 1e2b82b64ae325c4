"""Attacks by WebSocket's own frames (RFC 6455), which no codec ever sees."""

import zlib

from tests.faults.abuse.floods import constant, flood
from tests.faults.abuse.targets import MIB, Findings, Target

_NO_MASK = bytes(4)
"""A mask of zeros is one, and spares the work."""
_FIN, _COMPRESSED = 0x80, 0x40
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_MASKED = 0x80
_MEDIUM, _LONG = 126, 127


def ws_frame(first: int, payload: bytes = b"") -> bytes:
    """A masked frame; ``first`` is its first byte."""
    size = len(payload)
    if size < _MEDIUM:
        head = bytes((first, _MASKED | size))
    elif size < 1 << 16:
        head = bytes((first, _MASKED | _MEDIUM)) + size.to_bytes(2)
    else:
        head = bytes((first, _MASKED | _LONG)) + size.to_bytes(8)
    return head + _NO_MASK + payload


async def pings_unread(target: Target) -> Findings:
    """Pings of 125 bytes whose pongs are never read."""
    pings = ws_frame(_FIN | _PING, b"x" * 125) * 400
    return await flood(target, [constant(pings)], raw=True, reads=False)


async def pings_unread_in(target: Target) -> Findings:
    """The same after login."""
    pings = ws_frame(_FIN | _PING, b"x" * 125) * 400
    contents = [constant(pings)]
    return await flood(
        target, contents, raw=True, reads=False, names=lambda _: "intruder"
    )


async def minimal_pings(target: Target) -> Findings:
    """Pings of six bytes, from four peers that read the pongs."""
    pings = ws_frame(_FIN | _PING) * 5000
    return await flood(target, [constant(pings)] * 4, raw=True)


async def minimal_pongs(target: Target) -> Findings:
    """Pongs that nobody asked for, which have no answer."""
    pongs = ws_frame(_FIN | _PONG) * 5000
    return await flood(target, [constant(pongs)] * 4, raw=True)


async def empty_messages(target: Target) -> Findings:
    """Messages of zero length."""
    messages = ws_frame(_FIN | _BINARY) * 5000
    return await flood(target, [constant(messages)] * 4, raw=True)


async def empty_fragments(target: Target) -> Findings:
    """A message that goes on for ever in fragments of zero length."""
    fragments = ws_frame(_CONTINUATION) * 5000

    def content(number: int) -> bytes:
        return fragments if number else ws_frame(_BINARY)

    return await flood(target, [content] * 2, raw=True)


async def small_fragments(target: Target) -> Findings:
    """Messages in fragments of one byte, which never get whole."""
    fragments = ws_frame(_CONTINUATION, b"x") * 5000

    def content(number: int) -> bytes:
        return fragments if number else ws_frame(_BINARY, b"x")

    return await flood(target, [content] * 2, raw=True)


async def bombs(target: Target) -> Findings:
    """Compressed messages that expand a thousand times, or as far as is allowed."""
    return await flood(
        target,
        [constant(_bomb(size)) for size in (64 * MIB, MIB - 16, 30_000, 30_000)],
        raw=True,
    )


def _bomb(size: int) -> bytes:
    # Field 9999 of a ClientFrame, which nobody knows: zeros, to be passed over.
    tag = bytes.fromhex("faf004")
    length = bytearray()
    rest = size - 16
    while rest >= 0x80:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    length.append(rest)
    content = tag + bytes(length) + bytes(size - 16)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflate.compress(content) + deflate.flush(zlib.Z_SYNC_FLUSH)
    return ws_frame(_FIN | _COMPRESSED | _BINARY, packed[:-4])


async def closes_that_go_on(target: Target) -> Findings:
    """A close frame, and then messages as if nothing had been said."""
    after = ws_frame(_FIN | _BINARY) * 5000

    def content(number: int) -> bytes:
        return after if number else ws_frame(_FIN | _CLOSE)

    return await flood(target, [content] * 2, raw=True)
