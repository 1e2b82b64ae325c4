"""Shaking hands on a stream of bytes, at either end (W1, W2).

The client writes ``CHAT/1 json``, ``CHAT/1 msgpack`` or ``CHAT/1 protobuf``; the server
answers ``CHAT/1 ok``, or ``CHAT/1 error CODE TEXT`` and closes. Any transport whose
connections are asyncio streams can use it: TCP does, and so can a Unix domain socket.
"""

import asyncio
import logging
from typing import Final

from chatcore.errors import CloseCode
from transports.base import LinkSettings
from transports.codec import CODECS, Codec
from transports.codec import codec as codec_of
from transports.errors import LinkClosed
from transports.framing import Framing, LengthFraming, LineFraming
from transports.rate_limited_log import RateLimitedLog
from transports.tcp.greeting import NAME, VERSION, refuse
from transports.tcp.link import TcpLink

_log = logging.getLogger(__name__)
MAX_LINE_BYTES: Final = 256


def greet(codec_name: str) -> bytes:
    """The client's line."""
    return f"{NAME}/{VERSION} {codec_name}\n".encode()


WELCOME: Final = f"{NAME}/{VERSION} ok\n".encode()


def read_greeting(line: bytes) -> Codec:
    """The codec that a client's line asks for.

    Raises:
        LinkClosed: with the code and text to refuse it with.
    """
    words = line.decode("ascii", "replace").split()
    known = ", ".join(CODECS)
    protocol, _, version = (words[0] if words else "").partition("/")
    if protocol != NAME:
        raise LinkClosed(
            CloseCode.BROKEN_FRAME,
            f"Begin with a line such as {NAME}/{VERSION} json; codecs: {known}.",
        )
    if version != VERSION:
        raise LinkClosed(
            CloseCode.WRONG_VERSION, f"This server speaks version {VERSION}."
        )
    if len(words) != 2 or words[1] not in CODECS:  # noqa: PLR2004  # version and codec
        raise LinkClosed(
            CloseCode.BROKEN_FRAME, f"Name one codec after the version: {known}."
        )
    return codec_of(words[1])


def read_welcome(line: bytes) -> None:
    """Check the server's line.

    Raises:
        LinkClosed: the server refused, with its code, or is none of ours.
    """
    if line.strip() == WELCOME.strip():
        return
    words = line.decode("utf-8", "replace").split(maxsplit=3)
    if len(words) == 4 and words[0].startswith(NAME) and words[1] == "error":  # noqa: PLR2004  # as in refuse()
        try:
            code = CloseCode(int(words[2]))
        except ValueError:
            code = CloseCode.WRONG_VERSION
        raise LinkClosed(code, words[3].strip())
    raise LinkClosed(CloseCode.WRONG_VERSION, "What answers there is no chat server.")


def framing_for(chosen: Codec, frame_bytes: int) -> Framing:
    """JSON is a frame a line; the others stand behind their length (W2)."""
    return LineFraming(frame_bytes) if chosen.text else LengthFraming(frame_bytes)


def turn_away(link: TcpLink, log: RateLimitedLog) -> None:
    """Tell a client that there are too many already, without reading its line (B3)."""
    code = CloseCode.TOO_MANY_CONNECTIONS
    log.info("Refused %s: %s", link.peer, code.text)
    link.write_line(refuse(LinkClosed(code)))
    link.finish()


async def welcome_client(
    link: TcpLink, settings: LinkSettings, log: RateLimitedLog | None = None
) -> Codec | None:
    """Read the client's line and answer it; None when the link was ended instead."""
    log = log or RateLimitedLog(_log)
    try:
        async with asyncio.timeout(settings.handshake_s):
            line = await link.read_line(MAX_LINE_BYTES)
        chosen = read_greeting(line)
    except TimeoutError:
        link.abort()
        return None
    except LinkClosed as refused:
        if refused.code is not CloseCode.LINK_LOST:
            log.info("Refused %s: %s", link.peer, refused.text)
            await link.close(refused.code, refused.text)
        link.abort()
        return None
    link.write_line(WELCOME)
    link.frame_with(framing_for(chosen, settings.frame_bytes))
    return chosen


async def greet_server(link: TcpLink, codec: Codec, settings: LinkSettings) -> None:
    """Write the client's line and read the answer.

    Raises:
        LinkClosed: the server refused, with its code; the link was ended.
    """
    link.write_line(greet(codec.name))
    try:
        read_welcome(await link.read_line(MAX_LINE_BYTES))
    except LinkClosed:
        link.abort()
        raise
    link.frame_with(framing_for(codec, settings.frame_bytes))
