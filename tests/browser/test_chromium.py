"""The browser that the tests of this folder drive."""

import asyncio

import pytest
from playwright.async_api import BrowserContext, Page

from tests.browser.chromium import new_page

pytestmark = pytest.mark.external


async def test_a_page_of_a_server_of_ours_runs_its_script(page: Page) -> None:
    async with await asyncio.start_server(serve_page, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]

        await page.goto(f"http://127.0.0.1:{port}/")

        assert await page.title() == "ran"
        assert await page.evaluate("isSecureContext")


async def test_a_script_that_fails_uncaught_fails_the_test(
    context: BrowserContext,
) -> None:
    with pytest.raises(AssertionError, match="nobody caught this"):
        async with new_page(context) as tab:
            await tab.set_content(
                "<script>throw new Error('nobody caught this')</script>"
            )


async def serve_page(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer any request with one page."""
    await reader.readuntil(b"\r\n\r\n")
    body = b"<!doctype html><script>document.title = 'ran'</script>"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}"
    writer.write(f"{head}\r\nConnection: close\r\n\r\n".encode() + body)
    await writer.drain()
    writer.close()
