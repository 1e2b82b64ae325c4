"""A FastAPI application with a chat, seen by a browser: WebSocket and EventSource.

All of it is on one port, under uvicorn; bob is a program on raw TCP.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page

from chatcore import Client, connect
from tests.app.processes import PATIENCE_S
from tests.app.sites import UVICORN, WEB_PASSWORDS, Site, mail_kept, running

pytestmark = pytest.mark.external

EVENT_SOURCE = """
async (password) => {
  const chat = "/api/chat";
  const opening = { method: "POST", headers: { "Chat-Protocol": "chat.v1.json" } };
  const { link, once } = await (await fetch(`${chat}/links`, opening)).json();
  const source = new EventSource(`${chat}/events?once=${once}`);
  window.said = [];
  source.onmessage = ({ data }) => window.said.push(...JSON.parse(data).events);
  source.addEventListener("close", ({ data }) => {
    source.close();
    window.ended = JSON.parse(data).code;
  });
  window.tell = (commands) => fetch(`${chat}/frames`, { method: "POST",
    headers: { "Chat-Link": link }, body: JSON.stringify({ commands }) });
  await window.tell([{ id: 1, login: { username: "ada", password } }]);
}
"""
"""A page of one's own, which has no WebSocket: what docs/protocol.md shows."""


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'chat.db'}"


@asynccontextmanager
async def program_of_bob(site: Site) -> AsyncIterator[Client]:
    """Bob, logged in by raw TCP."""
    (url,) = await asyncio.to_thread(site.ask, "GET", "/api/urls")
    password = await asyncio.to_thread(site.password, "bob")
    async with connect(url, reconnect=None) as program:
        await program.login("bob", password)
        yield program


async def end_by_ctrl_c(site: Site) -> int:
    """The exit status."""
    site.process.send_signal(signal.SIGINT)
    return await asyncio.to_thread(site.process.wait, PATIENCE_S)


@pytest.mark.rule("W9", "W3")
async def test_the_page_of_the_example_talks_to_a_program_until_ctrl_c(
    page: Page, store: str
) -> None:
    with running(UVICORN, "fastapi_chat", store) as site:
        async with program_of_bob(site) as program:
            await page.goto(f"http://{site.host}/")
            await page.fill("[name=password]", WEB_PASSWORDS["ada"])
            await page.click("text=Log in")
            said = page.locator("#said")
            await said.get_by_text("logged in as ada").wait_for()

            await page.fill("[name=body]", "hello")
            await page.click("text=Send")
            message = await anext(program.messages())
            program.acknowledge()
            await program.send("ada", "hello yourself")
            await said.get_by_text("bob: hello yourself").wait_for()
            await page.fill("[name=body]", "are you there?")
            await page.click("text=Send")
            again = await anext(program.messages())
            status = await end_by_ctrl_c(site)
            await said.get_by_text("4000").wait_for()

    assert (message.sender, message.body) == ("ada", "hello")
    assert again.body == "are you there?"
    assert status == 0
    assert await mail_kept(store, "bob") == "are you there?"


@pytest.mark.rule("W9", "W3")
async def test_a_page_without_websocket_talks_to_a_program_until_ctrl_c(
    page: Page, store: str
) -> None:
    with running(UVICORN, "fastapi_chat", store) as site:
        async with program_of_bob(site) as program:
            await page.goto(f"http://{site.host}/api/urls")  # of the same origin
            await page.evaluate(
                EVENT_SOURCE, await asyncio.to_thread(site.password, "ada")
            )
            await page.wait_for_function("said.some((it) => it.loggedIn)")

            await page.evaluate(
                """tell([{ id: 2, send: { recipient: "bob", body: "hello" } }])"""
            )
            message = await anext(program.messages())
            await program.send("ada", "hello yourself")
            await page.wait_for_function(
                """said.some((it) => it.delivered?.body === "hello yourself")"""
            )
            status = await end_by_ctrl_c(site)
            await page.wait_for_function("window.ended")
            ended = await page.evaluate("ended")

    assert (message.sender, message.body) == ("ada", "hello")
    assert ended == 4000
    assert status == 0
    assert await mail_kept(store, "ada") == "hello yourself"
