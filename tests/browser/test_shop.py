"""examples/fastapi_app: two browsers and a bot, one of them signed out as it talks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from playwright.async_api import Browser, Page

from chatcore import ProofRefused, connect
from tests.app.shop import LISTENS, application, ask, helper, told
from tests.browser.chromium import new_page, running_chromium
from tests.browser.pages import until

pytestmark = pytest.mark.external

TALK: Final = """() => {
  const form = document.getElementById("send");
  let said = 0;
  globalThis.talking = setInterval(() => {
    form.to.value = "bob";
    form.body.value = `word ${said++}`;
    form.requestSubmit();
  }, 5);
}"""
SAID: Final = (
    """() => [...document.querySelectorAll("#said li")].map((it) => it.textContent)"""
)


@asynccontextmanager
async def person(browser: Browser) -> AsyncIterator[Page]:
    """A tab in a profile of its own."""
    context = await browser.new_context()
    async with new_page(context) as page:
        yield page
    await context.close()


async def log_in(page: Page, shop: str, name: str, password: str) -> str:
    """Log in on the page; the token that it was given."""
    await page.goto(shop)
    await page.fill("[name=username]", name)
    await page.fill("[name=password]", password)
    async with page.expect_response("**/api/login") as answered:
        await page.click("#login button")
    token: str = (await (await answered.value).json())["token"]
    await until(page, "document.getElementById('state').textContent === 'online'")
    return token


async def send(page: Page, to: str, body: str) -> None:
    await page.fill("[name=to]", to)
    await page.fill("[name=body]", body)
    await page.click("#send button")


async def hears(page: Page, line: str) -> None:
    """Wait until the page shows a line that begins so."""
    await page.wait_for_function(
        "(line) => [...document.querySelectorAll('#said li')]"
        ".some((it) => it.textContent.startsWith(line))",
        arg=line,
    )


@pytest.mark.rule("A2", "S3", "S4")
async def test_two_browsers_and_a_bot_talk_until_the_shop_signs_one_out(
    browser: Browser,
) -> None:
    with (
        application("notified") as notified,
        application("shop", SHOP_WEBHOOK=f"{notified}/chat", **LISTENS) as shop,
        helper(shop),
    ):
        async with (
            running_chromium() as another,
            person(browser) as ada,
            person(another) as bob,
        ):
            token = await log_in(ada, shop, "ada", "lovelace")
            await log_in(bob, shop, "bob", "marley")
            await ada.click("#order")
            await ada.click("#order")  # the shop writes once
            await hears(ada, "shop: Your order 17 is on its way.")
            await send(bob, "helper", "are there any left?")
            await hears(bob, "helper: about 'are there any left?'")

            await ada.evaluate(TALK)
            await hears(bob, "ada: word 5")
            await ada.click("#logout")
            await until(
                ada, "document.getElementById('state').textContent.startsWith('closed')"
            )
            await ada.evaluate("clearInterval(talking)")

            await ada.click("#order")
            await hears(ada, "Log in first.")
            await send(bob, "helper", "and now?")
            await hears(bob, "helper: about 'and now?'")
            (tcp_url,) = await asyncio.to_thread(ask, f"{shop}/api/urls")
            async with connect(tcp_url, proof=token) as thief:
                with pytest.raises(ProofRefused):
                    await thief.login()
            ada_said = await ada.evaluate(SAID)
            bob_said = await bob.evaluate(SAID)
        lines = {"shop to ada", "bob to helper", "helper to bob", "ada to bob"}
        assert await told(notified, lines) == lines

    stored = [it.partition(": ")[2] for it in ada_said if it.startswith("to bob")]
    heard = [it.removeprefix("ada: ") for it in bob_said if it.startswith("ada: ")]
    assert heard == [f"word {it}" for it in range(len(heard))]
    assert stored == heard[: len(stored)]
    assert len(stored) > 5
    assert sum(it.startswith("shop: ") for it in ada_said) == 1
