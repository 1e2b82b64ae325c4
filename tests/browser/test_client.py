"""The browser client in Chromium: what a page sees of a chat."""

import re
from collections.abc import AsyncIterator, Sequence

import pytest
from playwright.async_api import Page

from chatcore.commands import InboxAction
from chatcore.events import Delivered
from chattesting.manual_clock import ManualClock
from tests.browser.pages import (
    MODULE,
    PASSWORD,
    open_chat,
    open_client_page,
    serving_chat,
    serving_pages,
    until,
)
from transports import connect

pytestmark = pytest.mark.external

README = (MODULE.parent / "README.md").read_text(encoding="utf-8")


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


async def test_a_page_talks_with_a_python_client(
    page: Page, urls: Sequence[str]
) -> None:
    async with connect(urls[0]) as bob:
        await bob.login("bob", PASSWORD, create=True)

        await open_chat(page, urls[1])
        receipt = await page.evaluate("chat.send('bob', '<b>hello</b> é \\u{1f600}')")
        mail = await anext(bob.messages())
        bob.acknowledge()
        await bob.send("ada", "hello ada")
        await until(page, "heard('received').length")
        answer = await page.evaluate("chat.messages().next()")

        assert isinstance(mail, Delivered)
        assert (mail.sender, mail.body) == ("ada", "<b>hello</b> é 😀")
        assert receipt["position"] == mail.position
        assert receipt["sentAtMs"] == mail.sent_at_ms
        assert receipt["durable"] is False
        assert answer["value"]["kind"] == "message"
        assert answer["value"]["sender"] == "bob"
        assert answer["value"]["body"] == "hello ada"
        assert await page.evaluate("chat.transport") == "websocket"
        (notice,) = await page.evaluate("heard('received')")
        assert notice["recipientId"] == receipt["recipientId"]
        assert notice["positions"] == [receipt["position"]]


async def test_the_example_of_the_readme_talks(page: Page, urls: Sequence[str]) -> None:
    (example, *_) = re.findall(r"```js\n(.*?)```", README, re.DOTALL)
    async with connect(urls[0]) as bob:
        await bob.login("bob", PASSWORD, create=True)

        script = example.replace('"/chat"', f'"{urls[1]}"')
        await page.add_script_tag(content=script, type="module")

        mail = await anext(bob.messages())
        assert isinstance(mail, Delivered)
        assert (mail.sender, mail.body) == ("ada", "hello")


async def test_where_no_websocket_comes_through_events_and_posts_do(
    page: Page, urls: Sequence[str]
) -> None:
    # This server answers nobody's upgrade.
    await open_chat(page, urls[2])

    receipts = await page.evaluate(
        "Promise.all([1, 2, 3].map((n) => chat.send('ada', `to myself ${n}`)))"
    )
    bodies = [await page.evaluate("next(chat)") for _ in receipts]

    assert await page.evaluate("chat.transport") == "sse"
    assert [it["position"] for it in receipts] == [1, 2, 3]
    assert bodies == ["to myself 1", "to myself 2", "to myself 3"]


async def test_a_loop_acknowledges_what_came_before_the_next(
    page: Page, urls: Sequence[str]
) -> None:
    await open_chat(page, urls[1])
    await page.evaluate("Promise.all([1, 2, 3].map((n) => chat.send('ada', `${n}`)))")

    read = await page.evaluate(
        """async () => {
        const bodies = [];
        for await (const { body } of chat.messages()) {
          bodies.push(body);
          if (bodies.length === 2) break;
        }
        return bodies;
        }"""
    )
    await until(page, "heard('received').length")

    assert read == ["1", "2"]
    notices = await page.evaluate("heard('received').map((it) => it.positions)")
    assert notices == [[1]]


async def test_listeners_have_acknowledged_when_they_return(
    page: Page, urls: Sequence[str]
) -> None:
    await open_chat(page, urls[1])
    await page.evaluate("Promise.all([1, 2].map((n) => chat.send('ada', `${n}`)))")

    await page.evaluate(
        """() => {
        globalThis.bodies = [];
        chat.addEventListener("message", ({ detail }) => bodies.push(detail.body));
        }"""
    )
    await until(page, "heard('received').flatMap((it) => it.positions).length === 2")

    assert await page.evaluate("bodies") == ["1", "2"]


async def test_by_hand_only_what_is_said_is_acknowledged(
    page: Page, urls: Sequence[str]
) -> None:
    await open_chat(page, urls[1], acknowledge="manual")
    await page.evaluate("Promise.all([1, 2, 3].map((n) => chat.send('ada', `${n}`)))")

    await page.evaluate(
        """async () => {
        const messages = chat.messages();
        const first = (await messages.next()).value;
        await messages.next();
        chat.acknowledge(first);
        }"""
    )
    await until(page, "heard('received').length")

    notices = await page.evaluate("heard('received').map((it) => it.positions)")
    assert notices == [[1]]


async def test_people_are_listed_with_who_is_there(
    page: Page, urls: Sequence[str]
) -> None:
    async with connect(urls[0]) as bob:
        for n in range(3):
            await bob.create(f"zoe{n}", PASSWORD)
        await open_chat(page, urls[1])

        entries = await page.evaluate("Array.fromAsync(chat.list('*o*'))")
        after = await page.evaluate("Array.fromAsync(chat.list('', {after: 'zoe1'}))")

    assert [it["username"] for it in entries] == ["zoe0", "zoe1", "zoe2"]
    assert {it["online"] for it in entries} == {False}
    assert after == [{"username": "zoe2", "online": False}]


@pytest.mark.rule("E1", "E2")
async def test_a_refusal_says_why_and_the_chat_goes_on(
    page: Page, urls: Sequence[str]
) -> None:
    await open_chat(page, urls[1])

    refused = await page.evaluate(
        """chat.send("nobody", "hello", { id: "m1" }).catch(
          ({ name, code, reason, fields, message }) =>
            ({ name, code, reason, fields, message }))"""
    )
    largest = await page.evaluate("failed(chat.send('ada', 'x'.repeat(70_000)))")
    beyond = await page.evaluate("failed(chat.send('ada', 'x'.repeat(2_000_000)))")
    half = await page.evaluate("failed(chat.send('ada', '\\ud83d'))")

    assert refused == {
        "name": "ChatError",
        "code": 300,
        "reason": "NO_SUCH_RECIPIENT",
        "fields": {"recipient": "nobody"},
        "message": "There is no account nobody.",
    }
    assert (largest, beyond, half) == (112, 100, 100)
    (told, *_) = await page.evaluate("heard('refused')")
    assert (told["id"], told["to"], told["code"]) == ("m1", "nobody", 300)
    assert (await page.evaluate("chat.send('ada', 'still here')"))["position"] == 1
    assert await page.evaluate("chat.unsent") == []


@pytest.mark.rule("M2")
async def test_a_key_of_ones_own_is_that_of_the_message(
    page: Page, urls: Sequence[str]
) -> None:
    clock = "Math.floor(Date.now()).toString(16).padStart(12, '0')"
    await open_chat(page, urls[1])
    await page.evaluate(
        f"globalThis.key = {clock} + '7' + '0'.repeat(3) + '8' + '1'.repeat(15)"
    )

    first = await page.evaluate("chat.send('ada', 'once', { key })")
    again = await page.evaluate("chat.send('ada', 'once', { key })")
    other = await page.evaluate("failed(chat.send('ada', 'other', { key }))")
    expired = await page.evaluate(
        "failed(chat.send('ada', 'old', { key: '00000000000170008000000000000001' }))"
    )

    assert first == again
    assert (other, expired) == (303, 304)


@pytest.mark.rule("B7")
async def test_keys_of_the_clients_that_have_expired_unused_are_made_anew(
    page: Page, origin: str
) -> None:
    clock = ManualClock()
    async with serving_chat(origin, "ws", clock=clock) as (_, url):
        await open_chat(page, url)
        clock.advance(8 * 24 * 3600)

        receipts = await page.evaluate(
            "Promise.all([1, 2, 3].map((n) => chat.send('ada', `${n}`)))"
        )
        bodies = [await page.evaluate("next(chat)") for _ in receipts]

        assert [it["position"] for it in receipts] == [1, 2, 3]
        assert bodies == ["1", "2", "3"]
        assert await page.evaluate("chat.state") == "online"
        assert await page.evaluate("heard('refused')") == []


async def test_who_has_the_wrong_password_is_told_and_may_try_again(
    page: Page, urls: Sequence[str]
) -> None:
    await open_chat(page, urls[1])
    await page.evaluate("chat.logout()")

    await page.evaluate(
        "(url) => open(url, { username: 'ada', password: 'wrong wrong' })", urls[1]
    )
    code = await page.evaluate("failed(chat.ready)")
    state = await page.evaluate("[chat.state, chat.code]")
    await page.evaluate(f"chat.connect({{ password: '{PASSWORD}' }})")
    await page.evaluate("chat.ready")

    assert code == 202
    assert state == ["closed", 202]
    assert await page.evaluate("chat.session.username") == "ada"


async def test_who_logs_out_is_forgotten(page: Page, urls: Sequence[str]) -> None:
    await open_chat(page, urls[1])

    await page.evaluate("chat.logout()")
    state = await page.evaluate("[chat.state, chat.code]")
    await page.evaluate("(url) => open(url)", urls[1])
    code = await page.evaluate("failed(chat.ready)")

    assert state == ["closed", 1000]
    assert code == 200
    assert await page.evaluate("Object.keys(sessionStorage)") == []


@pytest.mark.rule("D3", "D5")
async def test_an_account_is_deleted_as_the_dry_run_has_said(
    page: Page, urls: Sequence[str]
) -> None:
    await open_chat(page, urls[1])
    async with connect(urls[0]) as bob:
        await bob.login("bob", PASSWORD, create=True)
        await bob.send("ada", "never read")
    await page.evaluate("chat.send('bob', 'taken back')")
    how = "inbox: 'discard', outbox: 'retract'"

    expected = await page.evaluate(f"chat.delete({{ {how}, dryRun: true }})")
    counts = await page.evaluate(f"chat.delete({{ {how} }})")

    assert expected == {**counts, "dryRun": True}
    assert counts["dryRun"] is False
    assert (counts["discarded"], counts["retracted"]) == (1, 1)
    assert await page.evaluate("[chat.state, chat.code]") == ["closed", 4505]


async def test_a_bounce_is_mail(page: Page, urls: Sequence[str]) -> None:
    async with connect(urls[0]) as bob:
        await bob.login("bob", PASSWORD, create=True)
        await open_chat(page, urls[1])
        receipt = await page.evaluate("chat.send('bob', 'never read')")

        await bob.delete("bob", PASSWORD, inbox=InboxAction.DISCARD)
        mail = (await page.evaluate("chat.messages().next()"))["value"]

        assert mail["kind"] == "bounce"
        assert mail["recipient"] == "bob"
        assert mail["positions"] == [receipt["position"]]
