"""What the browser client keeps over a reload, and who has the session of two tabs."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page

from chatcore.events import Delivered
from tests.browser.chromium import new_page
from tests.browser.killable import killable_server
from tests.browser.pages import (
    PASSWORD,
    open_chat,
    open_client_page,
    serving_chat,
    serving_pages,
    until,
)
from tests.faults.relay import relaying
from transports import Client, connect

pytestmark = pytest.mark.external

WHEN_ONLINE = "chat.state === 'online'"
WHEN_OFFLINE = "heard('state').some((it) => it.state === 'offline')"


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


@pytest.mark.rule("S3")
async def test_a_reload_goes_on_with_the_session_and_its_mail(
    page: Page, origin: str, urls: Sequence[str]
) -> None:
    await open_chat(page, urls[1])
    await page.evaluate("Promise.all([1, 2, 3].map((n) => chat.send('ada', `${n}`)))")
    # Asking for the second acknowledges the first.
    before = [await page.evaluate("next(chat)") for _ in range(2)]

    await open_client_page(page, origin)
    await page.evaluate("(url) => open(url).ready", urls[1])
    after = [await page.evaluate("next(chat)") for _ in range(2)]

    assert before == ["1", "2"]
    assert after == ["2", "3"]
    assert await page.evaluate("chat.session.username") == "ada"


@pytest.mark.rule("M1", "M2")
async def test_what_was_unsent_at_a_reload_goes_out_once_in_order(
    page: Page, origin: str, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path / 'chat.db'}"
    listens = ("tcp://127.0.0.1:0", f"ws://127.0.0.1:0?origin={origin}")
    async with killable_server(*listens, store=store) as server:
        async with connect(server.urls[0]) as bob:
            await bob.create("bob", PASSWORD)
        await open_chat(page, server.urls[1])
        await server.kill()
        await page.evaluate(
            """async () => {
            for (let n = 0; n < 3; n++) chat.send("bob", `${n}`, { id: `m${n}` });
            await new Promise((resolve) => setTimeout(resolve, 300));
            }"""
        )

        await open_client_page(page, origin)
        await page.evaluate("(url) => void open(url)", server.urls[1])
        await until(page, "chat.state === 'offline'")
        kept = await page.evaluate("chat.unsent.map(({ id, body }) => [id, body])")
        last = page.evaluate("chat.send('bob', 'last')")
        await server.start()
        receipt = await last

        assert kept == [["m0", "0"], ["m1", "1"], ["m2", "2"]]
        assert receipt["position"] == 4
        told = await page.evaluate(
            "heard('accepted').map((it) => [it.id, it.receipt.position])"
        )
        assert told[:3] == [["m0", 1], ["m1", 2], ["m2", 3]]
        assert await page.evaluate("chat.unsent") == []
        async with connect(server.urls[0]) as bob:
            await bob.login("bob", PASSWORD)
            bodies = await read_until(bob, "last")
        assert bodies == ["0", "1", "2", "last"]


@pytest.mark.rule("M2", "M3")
async def test_a_reload_in_the_middle_of_sending_loses_nothing_and_repeats_nothing(
    page: Page, origin: str, urls: Sequence[str]
) -> None:
    async with connect(urls[0]) as bob:
        await bob.login("bob", PASSWORD, create=True)
        await open_chat(page, urls[1])

        await page.evaluate(
            """async () => {
            const receipts = [];
            for (let n = 0; n < 900; n++) receipts.push(chat.send("bob", `${n}`));
            await Promise.race(receipts);
            }"""
        )
        await open_client_page(page, origin)
        left = await page.evaluate(
            "(url) => open(url).ready.then(() => chat.unsent.length)", urls[1]
        )
        await until(page, "chat.unsent.length === 0")
        await page.evaluate("chat.send('bob', '900')")
        bodies = await read_until(bob, "900")

        assert bodies == [f"{n}" for n in range(901)]
        assert left > 0


@pytest.mark.rule("M2")
async def test_a_message_whose_key_has_expired_is_told_and_not_sent(
    page: Page, origin: str, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path / 'chat.db'}"
    listens = ("tcp://127.0.0.1:0", f"ws://127.0.0.1:0?origin={origin}")
    async with killable_server(*listens, store=store) as server:
        await open_chat(page, server.urls[1])
        await server.kill()
        await page.evaluate(
            """async () => {
            const key = "00000000-0001-7000-8000-000000000001";
            chat.send("ada", "of long ago", { id: "old", key });
            chat.send("ada", "of now", { id: "new" });
            await new Promise((resolve) => setTimeout(resolve, 300));
            }"""
        )

        await open_client_page(page, origin)
        await page.evaluate("(url) => void open(url)", server.urls[1])
        await server.start()
        await until(page, "chat.state === 'online' && chat.unsent.length === 0")

        refused = await page.evaluate("heard('refused').map((it) => [it.id, it.code])")
        accepted = await page.evaluate("heard('accepted').map((it) => it.id)")
        assert refused == [["old", 304]]
        assert accepted == ["new"]
        assert await page.evaluate("next(chat)") == "of now"


@pytest.mark.rule("S1", "S3")
@pytest.mark.parametrize("has_locks", [True, False])
async def test_the_tab_that_came_last_has_the_session_and_the_other_leaves_it(
    page: Page,
    context: BrowserContext,
    origin: str,
    urls: Sequence[str],
    has_locks: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    async with relaying(urls[1]) as relay, new_page(context) as second:
        await open_client_page(second, origin)
        if not has_locks:
            for tab in (page, second):
                script = (
                    "Object.defineProperty(navigator, 'locks', { value: undefined })"
                )
                await tab.evaluate(script)
        await open_chat(page, relay.url)

        wrong = {"username": "ada", "password": "wrong wrong"}
        await second.evaluate("([url, it]) => void open(url, it)", [relay.url, wrong])
        refused = await second.evaluate("failed(chat.ready)")
        await open_chat(second, relay.url)
        await until(page, "chat.state === 'closed'")
        relay.cut()
        await until(second, WHEN_OFFLINE)
        await until(second, WHEN_ONLINE)
        receipt = await second.evaluate("chat.send('ada', 'from the second tab')")

        assert refused == 202
        assert receipt["position"] == 1
        assert await page.evaluate("[chat.state, chat.code]") == ["closed", 4504]
        assert await second.evaluate("next(chat)") == "from the second tab"
        links = relay.links

        await page.evaluate("chat.connect()")
        await until(page, WHEN_ONLINE)
        await until(second, "chat.state === 'closed'")
        assert relay.links - links <= 2


async def test_what_one_account_has_left_is_not_sent_by_another(
    page: Page, origin: str, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path / 'chat.db'}"
    listens = ("tcp://127.0.0.1:0", f"ws://127.0.0.1:0?origin={origin}")
    async with killable_server(*listens, store=store) as server:
        await open_chat(page, server.urls[1])
        await server.kill()
        await page.evaluate(
            """async () => {
            chat.send("ada", "to myself");
            await new Promise((resolve) => setTimeout(resolve, 300));
            }"""
        )

        await open_client_page(page, origin)
        await server.start()
        await open_chat(page, server.urls[1], "eve")
        await page.evaluate("chat.send('eve', 'of eve')")
        await page.evaluate("chat.close()")
        await open_chat(page, server.urls[1], "ada")
        await until(page, "heard('accepted').length === 1")

        assert await page.evaluate("next(chat)") == "to myself"


@pytest.mark.rule("A6")
async def test_a_changed_password_holds_on_the_next_link(
    page: Page, urls: Sequence[str]
) -> None:
    async with relaying(urls[1]) as relay:
        await open_chat(page, relay.url)

        await page.evaluate(f"chat.changePassword('{PASSWORD}', 'battery staple')")
        relay.cut()
        await until(page, WHEN_OFFLINE)
        await until(page, WHEN_ONLINE)

        assert (await page.evaluate("chat.send('ada', 'x')"))["position"] == 1


@pytest.mark.rule("M5", "S1")
async def test_a_session_that_was_ended_is_followed_by_another_without_repeats(
    page: Page, urls: Sequence[str]
) -> None:
    async with relaying(urls[1]) as relay, connect(urls[0]) as other:
        await open_chat(page, relay.url, acknowledge="manual")
        await page.evaluate("Promise.all([1, 2].map((n) => chat.send('ada', `${n}`)))")
        before = [await page.evaluate("next(chat)") for _ in range(2)]

        relay.stall()
        relay.cut()
        await until(page, WHEN_OFFLINE)
        # A right password ends the session that has no link.
        await other.login("ada", PASSWORD)
        await other.logout()
        relay.go_on()
        await until(page, WHEN_ONLINE)
        await page.evaluate("chat.send('ada', '3')")
        after = await page.evaluate("next(chat)")
        await page.evaluate("chat.acknowledge(2)")
        await until(page, "heard('received').length")

        assert before == ["1", "2"]
        assert after == "3"
        notices = await page.evaluate("heard('received').map((it) => it.positions)")
        assert notices == [[1, 2]]


@pytest.mark.rule("M5")
@pytest.mark.parametrize("is_reloaded", [True, False])
async def test_mail_of_a_store_that_counts_anew_is_handed_over(
    page: Page,
    origin: str,
    is_reloaded: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    listens = ("tcp://127.0.0.1:0", f"ws://127.0.0.1:0?origin={origin}")
    async with killable_server(*listens, store="memory:") as server:
        await open_chat(page, server.urls[1], silenceMs=500)
        await page.evaluate("Promise.all([1, 2].map((n) => chat.send('ada', `${n}`)))")
        before = [await page.evaluate("next(chat)") for _ in range(2)]
        await page.evaluate("chat.acknowledge(2)")

        # What it has stored is gone, and the first account has the first id again.
        await server.kill()
        await server.start()
        async with connect(server.urls[0]) as other:
            await other.create("ada", PASSWORD)
        if is_reloaded:
            await open_client_page(page, origin)
            await open_chat(page, server.urls[1])
        await until(page, WHEN_ONLINE)
        await page.evaluate("chat.send('ada', 'anew')")
        after = await page.evaluate("next(chat)")

        assert before == ["1", "2"]
        assert after == "anew"


@pytest.mark.rule("S5")
async def test_a_link_that_has_died_in_silence_is_given_up(
    page: Page, urls: Sequence[str]
) -> None:
    async with relaying(urls[1]) as relay:
        await open_chat(page, relay.url, silenceMs=500)
        relay.stall()

        await until(page, "chat.state !== 'online'")
        told = await page.evaluate("heard('state').at(-1)")
        relay.go_on()
        await until(page, WHEN_ONLINE)

        assert (told["state"], told["code"]) == ("offline", 4001)


async def read_until(client: Client, last: str) -> list[str]:
    """The bodies of all that comes until this one."""
    bodies = []
    async for mail in client.messages():
        assert isinstance(mail, Delivered)
        bodies.append(mail.body)
        if mail.body == last:
            break
    return bodies
