"""Opening and closing a client."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from chatcore.events import Received
from transports.base import parse_address
from transports.certificates import client_context
from transports.client.client import Client
from transports.client.driver import ClientDriver
from transports.client.events import LinkEvent
from transports.client.key_generator import KeyGenerator
from transports.client.proofs import ProofSource
from transports.client.protocol import ClientProtocol
from transports.client.reconnect import ReconnectPolicy
from transports.registry import codec_on
from transports.tls import SYSTEM_TRUST, ClientTls

DEFAULT_RECONNECTING: Final = ReconnectPolicy()


@asynccontextmanager
async def connect(
    urls: str | Sequence[str],
    *,
    codec: str | None = None,
    reconnect: ReconnectPolicy | None = DEFAULT_RECONNECTING,
    on_received: Callable[[Received], None] = lambda _: None,
    on_link: Callable[[LinkEvent], None] = lambda _: None,
    tls: ClientTls = SYSTEM_TRUST,
    proof: ProofSource | None = None,
) -> AsyncIterator[Client]:
    """Connect to a server, and stay connected while the block runs::

        async with connect("tcp://127.0.0.1:7400") as client:
            await client.login("ada", "correct horse", create=True)
            receipt = await client.send("bob", "hello")
            async for message in client.messages():
                print(message.sender, message.body)

    Args:
        urls: where the server is; of several, the next is tried when one fails. They
            may be of different transports: a session moves between them.
        codec: how frames are written: ``protobuf``, ``msgpack`` or ``json``; on each
            URL what its transport carries best where none is named.
        reconnect: how to come back after a lost link; None for not at all.
        on_received: told of messages that their recipients acknowledged (M8), at once
            and one notice at a time: none is kept.
        on_link: told ``LinkUp`` when a link is open for commands, which after a loss
            means that the session was resumed, and ``LinkDown`` when it is lost.
        tls: whom to trust as a server of URLs with TLS, such as ``tcps://``, and what
            to show it: the system's authorities, and nothing, where none is given.
        proof: what the application gave its user to show, such as a token, or a
            function that fetches one, async or not; a plain one is called in a thread.
            It is called at a login without a password, for each new link, and before
            what was shown last expires; who it fails at is told with ``ProofFailed``.

    Leaving the block acknowledges the message that was taken last, and logs out. It
    comes again where the block ends with an exception, or where another task took it
    that was cancelled, has failed, or is still at it. While nobody is logged in
    and nothing is asked, a link that is lost is opened again only when something is
    asked: servers end those on which nobody logs in.

    A server is trusted with its accounts' mail, and with nothing else: what it sends
    out of turn, over its own window (W8) or in frames over 4 MiB ends the link.

    Raises:
        BadUrl: a URL that no transport serves, or whose transport does not carry the
            codec.
        UnknownCodec: there is no such codec.
        CertificateUnusable: files of ``tls`` that cannot be used.
        CannotConnect: no server was reached at any of them.
        LinkClosed: a server was, and the link was lost before a word.
        Closed: a server was, and refused, with its code: for good, or for now.
    """
    tried = [urls] if isinstance(urls, str) else list(urls)
    for url in tried:
        address = parse_address(url)
        codec_on(address, codec)
        if address.is_secure:
            client_context(tls)  # which finds what is wrong with its files
    driver = ClientDriver(
        ClientProtocol(
            tried,
            reconnect,
            KeyGenerator(secrets.randbits),
            now_s=time.monotonic(),
        ),
        codec,
        on_received,
        on_link,
        tls,
        proof,
    )
    failure: BaseException | None = None
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(driver.run())
        try:
            await driver.opened()
            yield Client(driver)
        except BaseException as error:  # noqa: BLE001  # raised below, as it came
            # A task group would wrap it in a group of one.
            failure = error
        if failure is None:
            driver.acknowledge_finished()
            await driver.log_out()
        await driver.close()
        running.cancel()
    if failure is not None:
        raise failure
