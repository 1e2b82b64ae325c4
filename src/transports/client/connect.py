"""Opening and closing a client."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from chatcore.commands import Logout
from chatcore.events import Received
from transports.base import parse_address
from transports.client.client import Client
from transports.client.conversation import Conversation
from transports.client.events import EventReader
from transports.client.key_generator import KeyGenerator
from transports.client.pending_commands import PendingCommand
from transports.client.reconnect import ReconnectPolicy
from transports.codec import codec as codec_of
from transports.registry import transport_for

_DEFAULT_RECONNECTING: Final = ReconnectPolicy()


@asynccontextmanager
async def connect(
    urls: str | Sequence[str],
    *,
    codec: str = "protobuf",
    reconnect: ReconnectPolicy | None = _DEFAULT_RECONNECTING,
    on_received: Callable[[Received], None] = lambda _: None,
    on_link: Callable[[bool, str], None] = lambda _up, _url: None,
) -> AsyncIterator[Client]:
    """Connect to a server, and stay connected while the block runs.

    Args:
        urls: where the server is; of several, the next is tried when one fails. They
            may be of different transports: a session moves between them.
        codec: how frames are written: ``protobuf``, ``msgpack`` or ``json``.
        reconnect: how to come back after a lost link; None for not at all.
        on_received: told of messages that their recipients acknowledged (M8), at once
            and one notice at a time: none is kept.
        on_link: told when a link is open for commands (True), which after a loss means
            that the session was resumed, and when it is lost (False), with its URL.

    Leaving the block logs out. While nobody is logged in and nothing is asked, a link
    that is lost is opened again only when something is asked: servers end those on
    which nobody logs in.

    A server is trusted with its accounts' mail, and with nothing else: what it sends
    out of turn, over its own window (W8) or in frames over 4 MiB ends the link.

    Raises:
        BadUrl: a URL that no transport serves.
        CannotConnect: no server was reached at any of them.
        LinkClosed: a server was, and the link was lost before a word.
        Closed: a server was, and refused, with its code: for good, or for now.
    """
    tried = [urls] if isinstance(urls, str) else list(urls)
    for url in tried:
        transport_for(parse_address(url).scheme)
    # A server's welcome tells the time: this machine's own clock may jump (B7).
    keys = KeyGenerator(lambda: time.monotonic_ns() // 1_000_000)
    reader = EventReader(on_received)
    conversation = Conversation(
        tried, codec_of(codec), reconnect, on_link, reader.take, keys
    )
    failure: BaseException | None = None
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(conversation.run())
        try:
            await conversation.opened()
            yield Client(conversation, reader, keys)
        except BaseException as error:  # noqa: BLE001  # raised below, as it came
            # A task group would wrap it in a group of one.
            failure = error
        goodbye = None
        if failure is None and reader.session is not None:
            goodbye = PendingCommand(
                Logout(), asyncio.get_running_loop().create_future()
            )
        await conversation.close(goodbye)
        running.cancel()
    if failure is not None:
        raise failure
