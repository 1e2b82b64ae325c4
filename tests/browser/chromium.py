"""Debian's Chromium, driven by Playwright, which brings no browser of its own here.

It talks to nobody by itself: what a browser asks its maker for is switched off.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

PROGRAM: Final = "/usr/bin/chromium"
FLAGS: Final = (
    "--no-sandbox",  # it refuses to run as root with one
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-first-run",
    "--no-pings",
)
PATIENCE_MS: Final = 20_000


@asynccontextmanager
async def running_chromium() -> AsyncIterator[Browser]:
    """A browser without a window, ended with the block."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=PROGRAM, args=list(FLAGS)
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def new_page(context: BrowserContext) -> AsyncIterator[Page]:
    """A tab; an error that no script of its pages has caught fails the block's end."""
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    uncaught: list[str] = []
    page.on("pageerror", lambda error: uncaught.append(str(error)))
    yield page
    await page.close()
    assert not uncaught, uncaught
