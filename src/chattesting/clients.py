"""Clients of a test's chat."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from chatcore import (
    Chat,
    Client,
    DeliveryMode,
    LinkDown,
    LinkUp,
    NameTaken,
    Received,
    ReconnectPolicy,
    Registration,
    connect,
)
from chattesting.errors import WrongEventLoop
from chattesting.settings import ChatSettings
from transports.context_task import ContextTask

PASSWORD: Final = "correct horse"  # noqa: S105  # it protects nothing
"""That of every account whose test gives it no other."""
_RECONNECT: Final = ReconnectPolicy()


class ClientFactory:
    """Makes clients of one chat, and closes them with it."""

    def __init__(self, url: str, service: Chat, settings: ChatSettings) -> None:
        self._url = url
        self._service = service
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._held: list[ContextTask[Client]] = []

    async def __call__(  # what ``connect`` and ``login`` take
        self,
        username: str | None = None,
        password: str = PASSWORD,
        *,
        delivery: DeliveryMode = DeliveryMode.PUSH,
        reconnect: ReconnectPolicy | None = _RECONNECT,
        on_received: Callable[[Received], None] = lambda _: None,
        on_link: Callable[[LinkUp | LinkDown], None] = lambda _: None,
    ) -> Client:
        """A client that is logged in, or without a name one that nobody is logged in
        on. It is closed at the end of the test; ``logout`` frees the name before.

        An account that there is not is made, whoever else may make accounts; the users
        of an application that brings its own (``identities``) are its to make.

        Raises:
            Refusal: the login was refused; the client is closed.
            WrongEventLoop: the chat runs on another one.
        """
        if asyncio.get_running_loop() is not self._loop:
            raise WrongEventLoop
        context = connect(
            self._url, reconnect=reconnect, on_received=on_received, on_link=on_link
        )
        held = ContextTask(context)
        self._held.append(held)
        client = await held.open()
        if username is not None:
            try:
                await self._log_in(client, username, password, delivery)
            except BaseException:
                await held.close()
                self._held.remove(held)
                raise
        return client

    async def close(self) -> None:
        """Close all that were made."""
        held, self._held = self._held, []
        async with asyncio.TaskGroup() as closing:
            for it in held:
                closing.create_task(it.close())

    async def _log_in(
        self, client: Client, username: str, password: str, delivery: DeliveryMode
    ) -> None:
        has_accounts = not self._service.asks_the_application
        is_open = self._settings.registration is Registration.OPEN
        if has_accounts and not is_open:
            with suppress(NameTaken):
                await self._service.admin.create_account(username, password)
        await client.login(
            username, password, create=has_accounts and is_open, delivery=delivery
        )
