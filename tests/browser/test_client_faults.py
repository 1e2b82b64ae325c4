"""Links of the browser client are cut and its server is killed: nothing is lost.

``CHATCORE_CUTS`` and ``CHATCORE_SEED`` are as in ``tests.faults.test_cut_links``.
"""

import asyncio
import os
import random
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Page

from chatcore.events import Accepted, Delivered
from tests.browser.killable import killable_server
from tests.browser.pages import open_client_page, serving_pages
from tests.faults.relay import relaying
from transports import Client, connect

pytestmark = pytest.mark.external

PASSWORD: Final = "correct horse"
CUTS: Final = int(os.environ.get("CHATCORE_CUTS", "100"))
SEED: Final = int(os.environ.get("CHATCORE_SEED", "0")) or random.randrange(2**32)  # noqa: S311  # no secret
MESSAGES: Final = 10 * CUTS
TALK: Final = """async ([url, password, most]) => {
  globalThis.received = [];
  globalThis.positions = [];
  globalThis.states = [];
  globalThis.failures = [];
  const options = { username: "ada", password, create: true, longestDelayMs: 100 };
  globalThis.chat = new Chat(url, options);
  chat.addEventListener("state", ({ detail }) => states.push(detail));
  chat.addEventListener("error", ({ detail }) => failures.push(String(detail)));
  chat.addEventListener("message", ({ detail }) => received.push(detail.body));
  await chat.ready;
  let next = 0;
  const write = async () => {
    while (next < most) {
      const n = next++;
      positions[n] = (await chat.send("bob", `ada ${n}`)).position;
    }
  };
  globalThis.written = Promise.all(Array.from({ length: 8 }, write));
}"""


@pytest.mark.rule("M5", "M2", "S3")
@pytest.mark.timeout(120 + CUTS)
@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_cuts_and_kills_lose_nothing_and_repeat_nothing(
    page: Page, tmp_path: Path, scheme: str
) -> None:
    lots = random.Random(SEED)  # noqa: S311  # no secret
    store = f"sqlite:///{tmp_path / 'chat.db'}"
    async with (
        serving_pages() as origin,
        killable_server(
            "tcp://127.0.0.1:0", f"{scheme}://127.0.0.1:0?origin={origin}", store=store
        ) as server,
        relaying(server.urls[1]) as relay,
        connect(server.urls[0]) as bob,
    ):
        await bob.login("bob", PASSWORD, create=True)
        await open_client_page(page, origin)

        await page.evaluate(TALK, [[relay.url], PASSWORD, MESSAGES])
        received: list[str] = []
        moved = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(read(bob, received, moved))
            tasks.create_task(write(bob))
            for cut in range(CUTS):
                least = len(received) + lots.randrange(8)
                while len(received) < min(least, MESSAGES):
                    moved.clear()
                    await moved.wait()
                await relay.wait_linked()
                relay.cut()
                if cut in {CUTS // 3, 2 * CUTS // 3}:
                    await server.kill()
                    await server.start()
        await page.evaluate("written")
        await page.wait_for_function(f"received.length >= {MESSAGES}")

        assert relay.links >= CUTS, f"seed {SEED}"
        assert received == [f"ada {n}" for n in range(MESSAGES)], f"seed {SEED}"
        told = await page.evaluate("received")
        assert told == [f"bob {n}" for n in range(MESSAGES)], f"seed {SEED}"
        assert await page.evaluate("failures") == []
        positions = await page.evaluate("positions")
        assert positions == list(range(1, MESSAGES + 1)), f"seed {SEED}"


async def read(bob: Client, received: list[str], moved: asyncio.Event) -> None:
    """Take all that Ada writes."""
    async for mail in bob.messages():
        assert isinstance(mail, Delivered)
        received.append(mail.body)
        moved.set()
        if len(received) == MESSAGES:
            return


async def write(bob: Client) -> None:
    """Send as many to Ada, some at a time."""
    for first in range(0, MESSAGES, 5):
        bodies = [f"bob {n}" for n in range(first, first + 5)]
        for it in await bob.send_all([("ada", body) for body in bodies]):
            assert isinstance(it, Accepted), it
