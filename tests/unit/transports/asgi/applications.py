"""A chat as an application, under a server in this process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from chatcore import Chat, ChatApp, Limits, open_store
from chatsystem import system_environment
from tests.conformance.asgi import running
from tests.interop.servers import CHEAP, LIMITS
from transports.asgi.messages import Receive, Scope, Send

Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


def _as_it_is(app: ChatApp) -> Application:
    return app


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An application that is served at ``url``."""

    url: str
    chat: Chat
    app: ChatApp


@asynccontextmanager
async def serving(
    *,
    limits: Limits = LIMITS,
    asgi: dict[str, Any] | None = None,
    changed: Callable[[ChatApp], Application] = _as_it_is,
    **options: Any,
) -> AsyncIterator[Served]:
    """A chat in memory as the whole application, under uvicorn, while the block runs.

    Args:
        limits: the chat's.
        asgi: what uvicorn is told besides.
        changed: puts something between the server and the application.
        options: what the application is told besides.
    """
    async with open_store("memory:") as store:
        chat = Chat(store, limits=limits)
        app = ChatApp(chat, environment=system_environment(CHEAP), **options)
        async with running(changed(app), **(asgi or {})) as (_, host):
            try:
                yield Served(url=f"ws://{host}/chat", chat=chat, app=app)
            finally:
                await app.server.stop()
