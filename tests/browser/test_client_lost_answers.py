"""The browser client loses links with their answers, and meets a server of nonsense."""

from collections.abc import AsyncIterator, Sequence

import pytest
from playwright.async_api import Page
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from tests.browser.pages import (
    PASSWORD,
    open_chat,
    open_client_page,
    serving_chat,
    serving_pages,
    until,
)
from tests.browser.withholding import withholding
from tests.faults.relay import relaying
from transports import connect

pytestmark = pytest.mark.external

NEW: str = "battery staple"


@pytest.fixture
async def origin(page: Page) -> AsyncIterator[str]:
    """Of a page that has the client, and is open."""
    async with serving_pages() as origin:
        await open_client_page(page, origin)
        yield origin


@pytest.fixture
async def urls(origin: str) -> AsyncIterator[Sequence[str]]:
    """A chat over TCP, WebSocket and HTTP, in this order."""
    async with serving_chat(origin, "ws", "http") as urls:
        yield urls


@pytest.mark.rule("M1", "M2")
async def test_a_message_whose_receipt_is_lost_is_stored_once(
    page: Page, urls: Sequence[str]
) -> None:
    async with withholding(urls[1], "accepted", "resumed") as url:
        await open_chat(page, url)

        first = await page.evaluate("chat.send('ada', 'once')")
        second = await page.evaluate("chat.send('ada', 'after')")
        bodies = [await page.evaluate("next(chat)") for _ in range(2)]

        assert (first["position"], second["position"]) == (1, 2)
        assert bodies == ["once", "after"]


@pytest.mark.rule("A4", "S1")
async def test_a_login_whose_answer_is_lost_is_asked_again(
    page: Page, urls: Sequence[str]
) -> None:
    async with withholding(urls[1], "loggedIn") as url:
        await open_chat(page, url)

        assert await page.evaluate("chat.session.username") == "ada"


@pytest.mark.rule("A6")
async def test_a_changed_password_whose_answer_is_lost_holds(
    page: Page, urls: Sequence[str]
) -> None:
    async with withholding(urls[1], "passwordChanged") as url:
        await open_chat(page, url)

        await page.evaluate(f"chat.changePassword('{PASSWORD}', '{NEW}')")
        await page.evaluate("chat.logout()")
        await open_chat(page, urls[1], password=NEW)

        assert await page.evaluate("chat.state") == "online"


@pytest.mark.rule("D6")
async def test_a_deletion_whose_answer_is_lost_is_told_all_the_same(
    page: Page, urls: Sequence[str]
) -> None:
    async with withholding(urls[1], "deleted") as url:
        await open_chat(page, url)
        await page.evaluate("chat.send('ada', 'never read')")

        counts = await page.evaluate("chat.delete({ inbox: 'discard' })")

        assert counts["discarded"] == 1
        assert await page.evaluate("[chat.state, chat.code]") == ["closed", 4505]


@pytest.mark.rule("A5")
async def test_what_a_deleted_account_has_left_is_not_sent_by_its_successor(
    page: Page, origin: str, urls: Sequence[str]
) -> None:
    async with relaying(urls[1]) as relay, connect(urls[0]) as operator:
        await open_chat(page, relay.url)
        relay.stall()
        await page.evaluate(
            """async () => {
            chat.send("ada", "of the one before", { id: "m1" });
            await new Promise((resolve) => setTimeout(resolve, 300));
            }"""
        )
        relay.cut()
        await open_client_page(page, origin)
        await operator.delete("ada", PASSWORD)
        await operator.create("ada", PASSWORD)
        relay.go_on()

        await open_chat(page, relay.url)
        await until(page, "chat.unsent.length === 0")

        told = await page.evaluate("heard('refused').map((it) => [it.id, it.code])")
        assert told == [["m1", 4505]]
        assert (await page.evaluate("chat.send('ada', 'mine')"))["position"] == 1


async def test_a_websocket_that_says_nothing_gives_way_to_events(
    page: Page, urls: Sequence[str]
) -> None:
    async with relaying(urls[1]) as relay:
        relay.stall()

        await open_chat(page, [relay.url, urls[2]])

        assert await page.evaluate("chat.transport") == "sse"


@pytest.mark.parametrize(
    "said",
    [
        "no json",
        "null",
        '{"events": 7}',
        '{"events": [null]}',
        '{"events": [{"welcome": null}]}',
        '{"events": [{"welcome": {}}, {"delivered": null}]}',
        '{"events": [{"welcome": {}}, {"loggedIn": {}}, {"listed": {"entries": 7}}]}',
    ],
)
async def test_a_server_that_talks_nonsense_is_left_and_tried_again(
    page: Page, origin: str, said: str
) -> None:
    links = []

    async def talk(link: ServerConnection) -> None:
        links.append(link)
        assert link.request is not None
        assert link.request.headers["Origin"] == origin
        await link.send(said)
        await link.wait_closed()

    spoken = [Subprotocol("chat.v1.json")]
    async with serve(talk, "127.0.0.1", 0, subprotocols=spoken) as server:
        port = server.sockets[0].getsockname()[1]
        await page.evaluate(
            "(url) => void open([url], { username: 'ada', password: 'x' })",
            f"ws://127.0.0.1:{port}",
        )
        await until(page, "heard('state').filter((it) => it.state === 'offline')[1]")

        assert len(links) > 1
        assert await page.evaluate("heard('error').length") > 0
