"""The life of a chat as an application: its own lifespan, another's, or none (W9)."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute

from chatcore import (
    AlreadyServing,
    Chat,
    ChatApp,
    Closed,
    NotServing,
    connect,
    open_store,
    serve,
)
from chatcore.errors import CloseCode
from chatsystem import system_environment
from tests.conformance.asgi import running
from tests.interop.servers import CHEAP, PASSWORD
from tests.unit.transports.asgi.applications import serving
from tests.unit.transports.websocket.sockets import end_of, opening, upgrade


@asynccontextmanager
async def opened() -> AsyncIterator[Chat]:
    """A chat that is opened when it is served."""
    async with open_store("memory:") as store:
        yield Chat(store)


def chat_app(**options: Any) -> ChatApp:
    """An application whose chat is not open yet."""
    return ChatApp(opened, environment=system_environment(CHEAP), **options)


def inside_starlette(chat_app: ChatApp, *, is_started: bool = True) -> Starlette:
    """An application with a route of its own, and the chat below ``/api/chat``."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if not is_started:
            yield
            return
        async with chat_app.serving():
            yield

    async def hello(_: object) -> PlainTextResponse:
        return PlainTextResponse("hello")

    routes = [
        Route("/hello", hello),
        WebSocketRoute("/api/chat", chat_app),
        Mount("/api/chat", chat_app),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


@pytest.mark.rule("W3")
@pytest.mark.parametrize(
    "at",
    [
        "ws://{}/api/chat",
        "ws://{}/api/chat/",
        "ws://{}/api/chat/chat",
        "http://{}/api/chat",
        "http://{}/api/chat/chat",
    ],
)
async def test_within_another_application_it_is_where_that_has_it(at: str) -> None:
    mounted = chat_app()
    async with running(inside_starlette(mounted)) as (_, host):
        async with connect(at.format(host)) as client:
            await client.login("ada", PASSWORD, create=True)
            receipt = await client.send("ada", "hello")
        answered, _ = await upgrade(f"ws://{host}", "Host: x", path="/hello")
        await mounted.server.stop()

    assert receipt.position == 1
    assert answered != 101


async def test_it_listens_elsewhere_too() -> None:
    both = chat_app(also=["tcp://127.0.0.1:0"])
    async with running(both) as (_, host):
        (tcp_url,) = both.server.urls
        async with connect(f"ws://{host}") as page, connect(tcp_url) as program:
            await page.login("ada", PASSWORD, create=True)
            await program.login("bob", PASSWORD, create=True)
            await page.send("bob", "from a page")
            message = await anext(program.messages())
        await both.server.stop()

    assert (message.sender, message.body) == ("ada", "from a page")


async def test_one_that_nobody_has_started_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    forgotten = chat_app()
    application = inside_starlette(forgotten, is_started=False)
    codes: list[int] = []
    async with running(application) as (_, host):
        for _ in range(2):
            async with opening(f"ws://{host}/api/chat") as socket:
                codes.append((await end_of(socket))[0])
    told = [it.message for it in caplog.records if it.levelno == logging.ERROR]

    assert codes == [CloseCode.SERVER_FAULT] * 2
    assert len(told) == 1
    assert "async with chat_app.serving(): yield" in told[0]
    with pytest.raises(NotServing):
        _ = forgotten.server
    with pytest.raises(NotServing):
        _ = forgotten.chat


async def test_an_application_serves_it_by_its_lifespan_and_asks_the_chat() -> None:
    mounted = chat_app(also=["tcp://127.0.0.1:0"])
    around = Starlette(lifespan=mounted.lifespan)

    async with around.router.lifespan_context(around):
        await mounted.chat.ensure_account("shop")
        async with connect(mounted.server.urls) as ada:
            await ada.login("ada", PASSWORD, create=True)
            await mounted.chat.send("shop", "ada", "on its way")
            message = await anext(ada.messages())

    assert (message.sender, message.body) == ("shop", "on its way")


async def test_it_is_started_once() -> None:
    twice = chat_app()
    async with twice.serving():
        with pytest.raises(AlreadyServing):
            async with twice.serving():
                pass
    async with twice.serving():  # but again after it has ended
        pass


@pytest.mark.rule("W9")
async def test_who_is_connected_is_told_that_it_stops_and_may_come_back() -> None:
    async with (
        serving() as application,
        opening(application.url) as socket,
    ):
        await socket.recv()
        await application.app.server.stop()
        code, reason = await end_of(socket)
        async with opening(application.url) as late:
            late_code, _ = await end_of(late)

    assert (code, reason) == (CloseCode.SHUTTING_DOWN, CloseCode.SHUTTING_DOWN.text)
    assert late_code == CloseCode.SHUTTING_DOWN


@pytest.mark.rule("W9")
async def test_an_asgi_server_that_ends_links_itself_is_one_that_shuts_down() -> None:
    async with (
        running(chat_app()) as (server, host),
        connect(f"ws://{host}", reconnect=None) as client,
    ):
        await client.login("ada", PASSWORD, create=True)
        server.ending.set()

        with pytest.raises(Closed) as closed:
            await anext(client.messages())

    assert closed.value.code is CloseCode.SHUTTING_DOWN


async def test_what_it_cannot_start_with_is_told_to_the_server() -> None:
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        said.append(message)

    async with opened() as chat, serve(chat, "tcp://127.0.0.1:0") as (taken,):
        await chat_app(also=[taken])({"type": "lifespan"}, receive, send)

    (failed,) = said
    assert failed["type"] == "lifespan.startup.failed"
    assert taken in failed["message"]
