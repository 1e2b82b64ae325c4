"""Pages for the browser client, and servers that let them in."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page

from chatcore import Chat
from chatcore.ports import Clock, Identities
from chatstores import open_store
from chatsystem import HashSettings, system_environment
from transports import serve

PASSWORD: Final = "correct horse"
MODULE: Final = Path(__file__).resolve().parents[2] / "clients" / "js" / "chatcore.js"
_PAGE: Final = b"<!doctype html><title>A page of an application</title>"

_SCRIPT: Final = """async () => {
  globalThis.Chat = (await import("/chatcore.js")).Chat;
  const types = ["state", "accepted", "refused", "received", "expiring", "error"];
  globalThis.open = (url, options = {}) => {
    globalThis.told = [];
    const chat = globalThis.chat = new Chat(url, { longestDelayMs: 200, ...options });
    for (const type of types) {
      chat.addEventListener(type, ({ detail }) => {
        if (detail.error) detail.code = detail.error.code;
        told.push({ type, ...detail, is: String(detail) });
      });
    }
    return chat;
  };
  globalThis.heard = (type) => told.filter((it) => it.type === type);
  globalThis.next = async (chat) => (await chat.messages().next()).value?.body;
  globalThis.failed = async (promise) => promise.then(() => 0, ({ code }) => code);
}"""


@asynccontextmanager
async def serving_pages() -> AsyncIterator[str]:
    """An application's own server; its origin, such as ``http://127.0.0.1:8000``."""
    async with await asyncio.start_server(_answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request; the browser asks for an icon too, and gets the page."""
    try:
        request = await reader.readuntil(b"\r\n\r\n")
        is_module = request.startswith(b"GET /chatcore.js ")
        body = MODULE.read_bytes() if is_module else _PAGE
        kind = "text/javascript" if is_module else "text/html"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # a connection that the browser has opened in advance
    finally:
        writer.close()


async def open_client_page(page: Page, origin: str) -> None:
    """Go to the page. Afterwards its scripts have ``Chat``, and short ways for tests:
    ``open(url, options)`` makes ``chat`` and notes in ``told`` what it tells.
    """
    await page.goto(f"{origin}/")
    await page.evaluate(_SCRIPT)


@asynccontextmanager
async def serving_chat(
    origin: str,
    *schemes: str,
    clock: Clock | None = None,
    identities: Identities | None = None,
) -> AsyncIterator[Sequence[str]]:
    """A chat in memory; its URLs, first one of TCP, then one of each scheme."""
    environment = system_environment(HashSettings(memory_kib=8, passes=1))
    if clock is not None:
        environment = replace(environment, clock=clock)
    listens = [f"{scheme}://127.0.0.1:0?origin={origin}" for scheme in schemes]
    async with (
        open_store("memory:") as store,
        serve(
            Chat(store, identities=identities),
            "tcp://127.0.0.1:0",
            *listens,
            environment=environment,
        ) as urls,
    ):
        yield urls


async def until(page: Page, condition: str) -> None:
    """Wait until an expression of the page is true."""
    await page.wait_for_function(condition)


async def open_chat(
    page: Page, url: str | Sequence[str], name: str = "ada", **options: Any
) -> None:
    """Have the page log in, and wait until it is."""
    given = {"username": name, "password": PASSWORD, "create": True, **options}
    await page.evaluate("([url, given]) => open(url, given).ready", [url, given])
