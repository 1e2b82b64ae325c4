"""The page for eyes that see little, on a phone, in the dark, and with much mail."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page

from tests.browser.people import (
    DESKTOP,
    PHONE,
    Person,
    person_at,
    serving_the_page,
    talking,
)

pytestmark = pytest.mark.external

QUEUED = 10_000
STEPS = 8
"""Back through the messages: past those that were loaded with the talk."""
ROWS = 100
"""More than the page ever has in its document of a talk."""
WATCH_TASKS = """() => {
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      window.longest = Math.max(window.longest, duration);
    }
  }).observe({ type: "longtask" });
}"""


@pytest.fixture(params=["light", "dark"])
async def colours(
    browser: Browser, request: pytest.FixtureRequest
) -> AsyncIterator[BrowserContext]:
    """A profile of somebody who wants a dark page, or a light one, without motion."""
    context = await browser.new_context(
        color_scheme=request.param, reduced_motion="reduce"
    )
    yield context
    await context.close()


async def faults_of(tab: Page) -> Sequence[Any]:
    """What axe finds wrong with what is shown, and where."""
    found = await Axe().run(tab)
    return [
        (it["id"], it["impact"], [node["html"] for node in it["nodes"]])
        for it in found.response["violations"]
    ]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_nothing_keeps_anybody_from_using_it_and_nothing_is_cut_off(
    colours: BrowserContext, size: dict[str, int]
) -> None:
    with serving_the_page() as server:
        async with talking(server, "bob") as bob, person_at(server, colours) as ada:
            tab = ada.tab
            await tab.set_viewport_size(
                {"width": size["width"], "height": size["height"]}
            )
            faults = {"sign in": await faults_of(tab)}
            await ada.sign_up("ada")
            await bob.send("ada", "one unbroken word: " + "w" * 300)
            await ada.row("bob").get_by_text("one unbroken").wait_for()
            faults["people"] = await faults_of(tab)
            await ada.choose("bob")
            await ada.say("bob", "hello")
            await ada.sees("hello", "stored")
            faults["talk"] = await faults_of(tab)
            width = await tab.evaluate("document.documentElement.scrollWidth")
            if size is PHONE:
                await tab.get_by_role("button", name="Back to people").click()
            for name in ("Change password…", "Delete account…", "Log out…"):
                await ada.open_dialog(name)
                faults[name] = await faults_of(tab)
                await tab.get_by_role("button", name="Cancel").click()

    assert {name: it for name, it in faults.items() if it} == {}
    assert width == size["width"]


async def test_without_websockets_it_talks_over_http(context: BrowserContext) -> None:
    with serving_the_page() as server:
        websocket = "**/chat"
        async with talking(server, "bob") as bob, person_at(server, context) as ada:
            await ada.tab.route_web_socket(websocket, lambda it: it.close())
            await ada.tab.reload()
            await ada.sign_up("ada")
            await ada.choose("bob")
            await ada.say("bob", "by another way")
            await ada.sees("by another way", "stored")
            heard = await anext(aiter(bob.messages()))

    assert heard.body == "by another way"


async def test_ten_thousand_messages_that_waited_come_in_order_and_few_are_drawn(
    context: BrowserContext,
) -> None:
    with serving_the_page("--limit", f"mailbox_messages={QUEUED * 2}") as server:
        async with talking(server, "bob") as bob, person_at(server, context) as ada:
            tab = ada.tab
            await ada.sign_up("ada")
            await ada.log_out()
            bodies = [f"number {number}." for number in range(QUEUED)]
            await asyncio.gather(*(bob.send("ada", it) for it in bodies))
            await tab.evaluate(WATCH_TASKS)
            await ada.sign_in("ada")
            await ada.choose("bob")
            await ada.message(bodies[-1]).wait_for()
            rows = await tab.locator("#window li").count()
            shown = await numbers_in(ada)
            longest_ms = await tab.evaluate("longest")
            print(f"longest task: {longest_ms} ms")  # noqa: T201  # for who asks by -s
            above = shown
            for _ in range(STEPS):
                await tab.get_by_label("Messages", exact=True).press("Home")
                before = ada.message(f"number {above[0] - 1}.")
                await before.wait_for(state="attached")
                above = await numbers_in(ada)
            await tab.get_by_role("button", name="Latest messages").click()
            await ada.message(bodies[-1]).wait_for()
            kept = await tab.evaluate(COUNT_KEPT)

    assert kept == QUEUED
    assert 0 < rows < ROWS
    assert shown == list(range(shown[0], QUEUED))
    assert above == list(range(above[0], above[0] + len(above)))
    assert above[0] < shown[0]


async def numbers_in(person: Person) -> list[int]:
    """The numbers of the messages that are drawn, from above."""
    texts = await person.tab.locator("#window .bubble").all_text_contents()
    return [int(it.split("number ")[1].strip(".")) for it in texts]


COUNT_KEPT = """async () => {
  const [{ name }] = (await indexedDB.databases()).filter(
    (it) => it.name.startsWith("chatcore-page"));
  const opened = await new Promise((resolve) => {
    indexedDB.open(name).onsuccess = ({ target }) => resolve(target.result);
  });
  return await new Promise((resolve) => {
    opened.transaction("messages").objectStore("messages").count().onsuccess =
      ({ target }) => resolve(target.result);
  });
}"""
