"""What the log says of pages that are refused for their origin (W3)."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, TypeAlias

import pytest

from tests.interop.servers import serving
from tests.unit.transports.asgi import applications
from tests.unit.transports.http.asking import OFFER, socket_to
from tests.unit.transports.websocket.sockets import upgrade

Served: TypeAlias = Callable[[], AbstractAsyncContextManager[str]]
EVIL: Final = "http://evil.example/" + "x" * 500
TOLD: Final = f"Refused a page of {EVIL[:200]}, from 127.0.0.1"


@asynccontextmanager
async def websocket() -> AsyncIterator[str]:
    async with serving("ws://127.0.0.1:0") as server:
        yield server.url


@asynccontextmanager
async def http() -> AsyncIterator[str]:
    async with serving("http://127.0.0.1:0") as server:
        yield server.url


@asynccontextmanager
async def asgi_websocket() -> AsyncIterator[str]:
    async with applications.serving() as served:
        yield served.url


@asynccontextmanager
async def asgi_http() -> AsyncIterator[str]:
    async with applications.serving() as served:
        yield served.url.replace("ws://", "http://")


async def ask(url: str) -> int:
    """The status of what a page of another origin asks."""
    if url.startswith("ws://"):
        offer = "Sec-WebSocket-Protocol: chat.v1.json"
        host = "Host: chat.example"
        status, _ = await upgrade(url, offer, host, f"Origin: {EVIL}")
        return status
    async with socket_to(url) as socket:
        answer = await socket.ask("POST", "/chat/links", OFFER, f"Origin: {EVIL}")
        return answer.status


@pytest.mark.rule("W3", "B8")
@pytest.mark.parametrize(
    "served", [websocket, http, asgi_websocket, asgi_http], ids=lambda it: it.__name__
)
async def test_a_page_that_is_refused_is_logged_with_its_peer_in_a_bounded_number(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "transports")
    async with served() as url:
        statuses = {await ask(url) for _ in range(25)}

    told = [it for it in caplog.messages if it.startswith("Refused a page")]
    assert statuses == {403}
    assert len(told) == 20
    assert all(it.startswith(TOLD) for it in told)
