"""Draws docs/page.png: the page of ``chatcore serve``, on a desktop and on a phone.

It needs Debian's chromium, and Playwright of the development group::

    uv run python scripts/page_screenshot.py
"""

import asyncio
import sys
from base64 import b64encode
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Page, async_playwright

from chatapp.page import ChatPage
from chatcore import Chat, connect, open_store, serve
from chatsystem import INSECURE_FAST_HASH, system_environment
from transports.client.client import Client

PICTURE: Final = Path(__file__).resolve().parents[1] / "docs" / "page.png"
LARGEST_BYTES: Final = 300 * 1024
PASSWORD: Final = "correct horse"  # noqa: S105  # it protects a picture
DESKTOP: Final = (940, 620)
PHONE: Final = (360, 620)
GAP: Final = 24
LISTENERS: Final = ("tcp://127.0.0.1:0", "ws://127.0.0.1:0", "http://127.0.0.1:0")
TALK: Final = (
    ("ada", "Did the release go out?"),
    ("bob", "At noon. 258,145 messages replayed, and each accounted for."),
    ("bob", "I am writing the notes now. Shall I send them to you first?"),
    ("ada", "Yes please. I read them on the train, there is no network in the tunnel."),
    ("bob", "They will wait for you."),
)
OTHERS: Final = (
    ("eve", "Lunch tomorrow, at one?"),
    ("grace", "The build is green again."),
    ("linus", "I left a comment on the second part."),
)

FRAME: Final = """<style>
  body {{ margin: 0; padding: {gap}px; display: flex; gap: {gap}px; }}
  img {{ border-radius: 14px; box-shadow: 0 2px 14px rgb(20 28 60 / 30%); }}
</style>{images}"""


async def draw() -> bytes:
    """The picture, as PNG."""
    page = ChatPage("open")
    async with (
        open_store("memory:") as store,
        serve(
            Chat(store),
            *LISTENERS,
            environment=system_environment(INSECURE_FAST_HASH),
            site=page,
        ) as urls,
        async_playwright() as playwright,
    ):
        page.begin(urls, lasts=True)
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        shots = await _talk(browser, urls)
        picture = await _side_by_side(browser, shots)
        await browser.close()
    return picture


async def _talk(browser: Browser, urls: list[str]) -> list[bytes]:
    """What ada sees: on a desktop in the light, then on a phone in the dark."""
    tab = await browser.new_page(reduced_motion="reduce")
    await tab.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    await tab.goto(urls[2].removesuffix("chat"))
    await tab.get_by_role("button", name="Create one").click()
    await tab.get_by_label("Name").fill("ada")
    await tab.get_by_role("textbox", name="Password", exact=True).fill(PASSWORD)
    await tab.get_by_role("button", name="Create account").click()
    await tab.get_by_label("Find people").wait_for()
    async with AsyncExitStack() as online:
        for name, body in OTHERS:
            async with connect(urls[0]) as other:
                await other.login(name, PASSWORD, create=True)
                await other.send("ada", body)
        bob = await online.enter_async_context(connect(urls[0]))
        await bob.login("bob", PASSWORD, create=True)
        await tab.get_by_label("Find people").fill("bob")
        await tab.get_by_label("People").get_by_role("button", name="bob").click()
        await tab.get_by_label("Find people").fill("")
        await _say_all(tab, bob)
        await tab.get_by_label("Message to bob").fill("Thank you, ")
        return await _photograph(tab)


async def _say_all(tab: Page, bob: Client) -> None:
    """Have the talk, in which bob reads all but the last."""
    messages = aiter(bob.messages())
    for name, body in TALK:
        if name == "bob":
            await bob.send("ada", body)
        else:
            await tab.get_by_label("Message to bob").fill(body)
            await tab.get_by_label("Message to bob").press("Enter")
            await anext(messages)
            bob.acknowledge()
        await tab.locator("#window .bubble", has_text=body).wait_for()
    received = tab.get_by_text("received", exact=True)
    await received.nth(1).wait_for()


async def _photograph(tab: Page) -> list[bytes]:
    people = tab.get_by_label("People")
    await people.get_by_text(", online").first.wait_for(state="attached")
    desktop = await tab.screenshot()
    await tab.emulate_media(color_scheme="dark")
    await tab.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await tab.evaluate("new Promise((done) => setTimeout(done, 300))")
    return [desktop, await tab.screenshot()]


async def _side_by_side(browser: Browser, shots: list[bytes]) -> bytes:
    """One picture of several, in frames."""
    images = "".join(
        f'<img src="data:image/png;base64,{b64encode(it).decode()}">' for it in shots
    )
    tab = await browser.new_page()
    width = DESKTOP[0] + PHONE[0] + 3 * GAP
    await tab.set_viewport_size({"width": width, "height": DESKTOP[1] + 2 * GAP})
    await tab.set_content(FRAME.format(images=images, gap=GAP))
    return await tab.screenshot(omit_background=True)


def main() -> int:
    """Write the picture; 1 if it is too large for a README."""
    picture = asyncio.run(draw())
    if len(picture) > LARGEST_BYTES:
        print(f"{PICTURE.name} has {len(picture)} bytes", file=sys.stderr)
        return 1
    PICTURE.write_bytes(picture)
    print(f"{PICTURE.name}: {len(picture)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
