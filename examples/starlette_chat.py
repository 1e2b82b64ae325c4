"""A Starlette application with a chat in it.

The server around it is uvicorn here, or any other of ASGI:

    uvicorn --app-dir examples starlette_chat:app --ws-max-size 1048576
    chatcore client --connect ws://127.0.0.1:8000/api/chat
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route, WebSocketRoute

from chatcore import Chat, ChatApp, open_store


@asynccontextmanager
async def opened() -> AsyncIterator[Chat]:
    """The chat, for as long as the application lives."""
    async with open_store(os.environ.get("CHAT_STORE", "memory:")) as store:
        yield Chat(store)


chat_app = ChatApp(opened, also=[os.environ.get("CHAT_TCP", "tcp://127.0.0.1:7400")])


async def urls(_: Request) -> JSONResponse:
    """Where programs find the same chat."""
    return JSONResponse(chat_app.server.urls)


app = Starlette(
    routes=[
        Route("/api/urls", urls),
        # What is mounted has no path without a slash at its end: this is that one.
        WebSocketRoute("/api/chat", chat_app),
        Mount("/api/chat", chat_app),
    ],
    lifespan=chat_app.lifespan,
)
