"""A chat as an application, under a server in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from chatcore import Chat, ChatApp, Limits, open_store
from chatsystem import system_environment
from tests.conformance.asgi import running
from tests.interop.servers import CHEAP, LIMITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One that is served at ``url``."""

    url: str
    chat: Chat
    app: ChatApp


@asynccontextmanager
async def serving(
    *, limits: Limits = LIMITS, asgi: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[Application]:
    """A chat in memory as the whole application, under uvicorn, while the block runs.

    Args:
        limits: the chat's.
        asgi: what uvicorn is told besides.
        options: what the application is told besides.
    """
    async with open_store("memory:") as store:
        chat = Chat(store, limits=limits)
        app = ChatApp(chat, environment=system_environment(CHEAP), **options)
        async with running(app, **(asgi or {})) as (_, host):
            try:
                yield Application(url=f"ws://{host}/chat", chat=chat, app=app)
            finally:
                await app.server.stop()
