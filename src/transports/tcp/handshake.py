"""Shaking hands on a stream of bytes, at either end (W1, W2).

Any transport whose connections are asyncio streams can use it: TCP does, and so can a
Unix domain socket.
"""

import asyncio
import logging

from chatcore.errors import CLOSE_TEXTS, CloseCode
from transports.base import LinkClosed, LinkSettings
from transports.codec import Codec
from transports.rate_limited_log import RateLimitedLog
from transports.tcp.greeting import (
    MAX_LINE_BYTES,
    WELCOME,
    framing_for,
    greet,
    read_greeting,
    read_welcome,
    refuse,
)
from transports.tcp.link import TcpLink

_log = logging.getLogger(__name__)


def turn_away(link: TcpLink, log: RateLimitedLog) -> None:
    """Tell a client that there are too many already, without reading its line (B3)."""
    code = CloseCode.TOO_MANY_CONNECTIONS
    log.info("Refused %s: %s", link.peer, CLOSE_TEXTS[code])
    link.write_line(refuse(LinkClosed(code, CLOSE_TEXTS[code])))
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
            link.write_line(refuse(refused))
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
