"""A one-shot command's conversation with a server, from the connection to the logout.

Whatever ends it, a refusal, a signal or a broken pipe, it logs out before: the account
can be logged in to right away.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

from chatapp.connecting import ClientSettings, cannot_reach
from chatapp.error_report import first_of
from chatapp.errors import CannotReach, SettingWrong
from chatapp.oneshot.record_writer import RecordWriter
from chatapp.oneshot.settings import OneShotSettings
from chatapp.oneshot.signals import Signals, ending_at_once
from transports import Client, connect
from transports.errors import BadUrl, CannotConnect, LinkClosed
from transports.tls import CertificateUnusable

T = TypeVar("T")


def talk(
    settings: OneShotSettings, work: Callable[[Client, RecordWriter], Awaitable[T]]
) -> T:
    """Connect, do the work, log out; what the work returned.

    Raises:
        CannotReach: no server answered.
        CannotWrite: there is no standard output.
        Interrupted: by a signal, after the logout.
        SettingWrong: a URL that no transport serves, or files that are of no use.
        chatcore.errors.ChatError: whatever the work was refused with.
    """
    output = RecordWriter.standard(as_json=settings.json)
    with ending_at_once():
        return asyncio.run(_talk(settings, lambda client: work(client, output)))


async def _talk(settings: ClientSettings, work: Callable[[Client], Awaitable[T]]) -> T:
    signals = Signals()
    try:
        async with AsyncExitStack() as opened:
            client = await _connected(settings, opened)
            signals.listen()
            try:
                with signals.interruptible():
                    return await work(client)
            except Exception as error:  # noqa: BLE001  # raised below, as it came
                # An error that left the block would take the link with it.
                failure = first_of(error)
    finally:
        signals.close()
    raise failure


async def _connected(settings: ClientSettings, opened: AsyncExitStack) -> Client:
    try:
        return await opened.enter_async_context(
            connect(settings.urls, codec=settings.asked_codec, tls=settings.client_tls)
        )
    except (BadUrl, CertificateUnusable) as error:
        raise SettingWrong(str(error)) from error
    except CannotConnect as error:
        raise cannot_reach(error, settings) from error
    except LinkClosed as error:
        # Somebody listens there, and hung up before a word.
        raise CannotReach(f"Cannot connect: {error.text}") from error
