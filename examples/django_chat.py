"""A Django project with a chat beside it, without Channels.

Django answers HTTP and knows neither WebSockets nor a lifespan: what is not its own
goes to the chat.

The server around it is uvicorn here, or any other of ASGI:

    uvicorn --app-dir examples django_chat:app --ws-max-size 1048576
    chatcore client --connect ws://127.0.0.1:8000/api/chat
"""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from chatcore import Chat, ChatApp, open_store

CHAT = "/api/chat"

settings.configure(
    ROOT_URLCONF=__name__, SECRET_KEY="an example", ALLOWED_HOSTS=["127.0.0.1"]
)


@asynccontextmanager
async def opened() -> AsyncIterator[Chat]:
    """The chat, for as long as the project is served."""
    async with open_store(os.environ.get("CHAT_STORE", "memory:")) as store:
        yield Chat(store)


chat_app = ChatApp(opened, also=[os.environ.get("CHAT_TCP", "tcp://127.0.0.1:7400")])


def urls(_: HttpRequest) -> JsonResponse:
    """Where programs find the same chat."""
    return JsonResponse(chat_app.server.urls, safe=False)


urlpatterns = [path("api/urls", urls)]
django_app = get_asgi_application()


async def app(scope: dict[str, Any], *channel: Callable[..., Any]) -> None:
    """What the project's asgi.py has."""
    if scope["type"] == "lifespan":
        await chat_app(scope, *channel)
    elif scope["path"] == CHAT or scope["path"].startswith(f"{CHAT}/"):
        await chat_app({**scope, "root_path": CHAT}, *channel)
    else:
        await django_app(scope, *channel)
