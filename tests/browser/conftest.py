"""A browser for a test, a profile of its own in it, and one tab.

Whoever needs a second person or a second tab asks ``browser`` for another context or
``context`` for another page (``tests.browser.chromium.new_page``).
"""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from tests.browser.chromium import new_page, running_chromium


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium, started for this test."""
    async with running_chromium() as running:
        yield running


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A fresh profile: no storage is shared with other tests."""
    fresh = await browser.new_context()
    yield fresh
    await fresh.close()


@pytest.fixture
async def page(context: BrowserContext) -> AsyncIterator[Page]:
    """A tab; the test fails when a script in it fails without being caught."""
    async with new_page(context) as tab:
        yield tab
