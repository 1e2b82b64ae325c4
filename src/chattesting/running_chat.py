"""A chat that runs for one test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from chatcore import Chat, Server, open_server, open_store, system_environment
from chatsystem import INSECURE_FAST_HASH
from chattesting.clients import ClientFactory
from chattesting.errors import StillBusy, WrongEventLoop
from chattesting.manual_clock import ManualClock
from chattesting.settings import ChatSettings
from transports.context_task import ContextTask

_LOOPBACK: Final = "loopback:"


class RunningChat:
    """A chat that runs, and is reached within this process and event loop.

    Attributes:
        service: the chat itself, with ``service.admin`` and its counters.
        url: where it listens; ``chatcore.connect`` takes it.
        clock: what it takes for the time.
        client: makes clients that are logged in: ``await chat.client("ada")``.
    """

    def __init__(
        self,
        service: Chat,
        server: Server,
        url: str,
        clock: ManualClock,
        client: ClientFactory,
    ) -> None:
        self.service = service
        self.url = url
        self.clock = clock
        self.client = client
        self._server = server
        self._loop = asyncio.get_running_loop()

    async def advance(self, seconds: float) -> None:
        """Let time pass, and have done what the chat does when so much has passed."""
        if asyncio.get_running_loop() is not self._loop:
            raise WrongEventLoop
        self.clock.advance(seconds)
        await self.service.tick()

    async def listen(self, url: str) -> str:
        """Listen on one more URL, such as ``ws://127.0.0.1:0``; the one for clients.

        Raises ``BadUrl`` and ``CannotListen``.
        """
        if asyncio.get_running_loop() is not self._loop:
            raise WrongEventLoop
        return await self._server.listen(url)


@asynccontextmanager
async def open_chat(
    settings: ChatSettings | None = None,
    *,
    clock: ManualClock | None = None,
    close_within_s: float = 5.0,
) -> AsyncIterator[RunningChat]:
    """A chat that runs while the block does; then its clients are closed, and it is.

    The block may be entered in one task and left in another, as fixtures are. Passwords
    are hashed at almost no cost.

    Raises:
        StillBusy: it did not end within ``close_within_s``.
    """
    serving = ContextTask(_serving(settings or ChatSettings(), clock or ManualClock()))
    chat = await serving.open()
    try:
        yield chat
    finally:
        try:
            await chat.client.close()
        finally:
            try:
                await serving.close(within_s=close_within_s)
            except TimeoutError:
                raise StillBusy(close_within_s) from None


@asynccontextmanager
async def _serving(
    settings: ChatSettings, clock: ManualClock
) -> AsyncIterator[RunningChat]:
    environment = replace(
        system_environment(INSECURE_FAST_HASH), clock=clock, observer=settings.observer
    )
    async with open_store(settings.store_url) as store:
        service = Chat(
            store,
            limits=settings.limits,
            second_login=settings.second_login,
            policy=settings.policy,
            credentials=settings.credentials,
            registration=settings.registration,
            handlers=settings.handlers,
            identities=settings.identities,
        )
        async with open_server(service, environment=environment) as server:
            url = await server.listen(_LOOPBACK)
            client = ClientFactory(url, service, settings)
            yield RunningChat(service, server, url, clock, client)
