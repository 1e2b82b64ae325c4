"""The page of ``chatcore serve``, in a real browser, with people elsewhere."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, expect

from chatcore.errors import WrongCredentials
from chatcore.events import Delivered
from tests.browser.people import (
    PASSWORD,
    on_disk,
    person_at,
    person_in,
    ports_of,
    serving_the_page,
    talking,
)
from transports import connect

pytestmark = pytest.mark.external

MARKUP = "<img src=x onerror=alert(1)> <b>bold</b> &amp; <script>alert(2)</script>"


async def test_somebody_in_a_browser_talks_with_somebody_at_the_library(
    context: BrowserContext,
) -> None:
    with serving_the_page() as server:
        async with talking(server, "bob") as bob, person_at(server, context) as ada:
            await ada.sign_up("ada")
            await ada.choose("bob")
            await ada.say("bob", "hello, are you there?")
            await ada.sees("hello, are you there?", "stored")
            messages = aiter(bob.messages())
            heard = await anext(messages)
            async with asyncio.TaskGroup() as tasks:
                answering = tasks.create_task(hear(messages))
                await ada.sees("hello, are you there?", "received")
                await bob.send("ada", "I am")
                await ada.message("I am").wait_for()
                await ada.say("bob", "good")

    assert (heard.sender, heard.body) == ("ada", "hello, are you there?")
    assert answering.result() == "good"


async def hear(messages: AsyncIterator[Delivered]) -> str:
    """The body of the next message."""
    return (await anext(messages)).body


async def test_a_message_with_markup_in_it_is_text(context: BrowserContext) -> None:
    with serving_the_page() as server:
        async with talking(server, "bob") as bob, person_at(server, context) as ada:
            dialogs: list[str] = []
            ada.tab.on("dialog", lambda it: dialogs.append(it.message))
            await ada.sign_up("ada")
            await bob.send("ada", MARKUP)
            await ada.choose("bob")
            await ada.say("bob", MARKUP)
            await ada.sees("bold", "stored")

            bubbles = ada.tab.locator("#window .bubble")
            texts = await bubbles.all_text_contents()
            inside = await ada.tab.locator("#window :is(img, b, script)").count()

    assert [it.partition(": ")[2] for it in texts] == [MARKUP, MARKUP]
    assert (inside, dialogs) == (0, [])


async def test_what_is_typed_and_sent_while_the_server_is_away_is_not_lost(
    context: BrowserContext, tmp_path: Path
) -> None:
    store = on_disk(tmp_path)
    with serving_the_page(store=store) as server:
        async with talking(server, "bob"):
            pass
        async with person_at(server, context) as ada:
            await ada.sign_up("ada")
            await ada.choose("bob")
            server.process.kill()
            await ada.tab.get_by_text("You are offline").wait_for()
            await ada.say("bob", "sent while offline")
            await ada.sees("sent while offline", "sending")
            await ada.text("bob").fill("not finished")
            with serving_the_page(store=store, ports=ports_of(server)) as again:
                await ada.sees("sent while offline", "stored")
                draft = await ada.text("bob").input_value()
                async with connect(again.urls[0]) as bob:
                    await bob.login("bob", PASSWORD)
                    heard = await anext(aiter(bob.messages()))

    assert heard.body == "sent while offline"
    assert draft == "not finished"


async def test_the_talk_the_session_and_what_is_typed_outlive_a_reload(
    context: BrowserContext,
) -> None:
    with serving_the_page() as server:
        async with talking(server, "bob") as bob, person_at(server, context) as ada:
            await ada.sign_up("ada")
            await bob.send("ada", "before")
            await ada.choose("bob")
            await ada.say("bob", "an answer")
            await ada.sees("an answer", "stored")
            await ada.text("bob").fill("not finished")
            await ada.tab.reload()
            await bob.send("ada", "after")
            await ada.choose("bob")
            await ada.message("after").wait_for()

            bubbles = await ada.tab.locator("#window .bubble").all_text_contents()
            draft = await ada.text("bob").input_value()

    assert bubbles == ["bob: before", "You: an answer", "bob: after"]
    assert draft == "not finished"


async def test_who_logs_out_may_have_the_talk_forgotten(
    context: BrowserContext,
) -> None:
    with serving_the_page() as server:
        async with talking(server, "bob") as bob, person_at(server, context) as ada:
            await ada.sign_up("ada")
            await bob.send("ada", "hello")
            await ada.row("bob").get_by_text("hello").wait_for()
            await ada.log_out()
            await ada.sign_in("ada")
            kept = ada.row("bob").get_by_text("hello")
            await kept.wait_for()
            await ada.log_out(forgets=True)
            await ada.sign_in("ada")
            await ada.row("bob").wait_for()

            assert await kept.count() == 0


async def test_an_account_is_deleted_after_a_look_at_what_would_happen(
    context: BrowserContext,
) -> None:
    with serving_the_page() as server:
        async with talking(server, "bob") as bob, person_at(server, context) as ada:
            tab = ada.tab
            await ada.sign_up("ada")
            await ada.choose("bob")
            await ada.say("bob", "not received yet")
            await ada.sees("not received yet", "stored")
            await ada.open_dialog("Delete account…")
            await tab.get_by_label("Take them back").check()
            await tab.get_by_label("Your password").fill("wrong password")
            await tab.get_by_role("button", name="See what would happen").click()
            await tab.get_by_text("The username or the password is wrong").wait_for()
            await tab.get_by_label("Your password").fill(PASSWORD)
            await tab.get_by_role("button", name="See what would happen").click()
            await tab.get_by_text("1 message would be taken back.").wait_for()
            still_there = [it.username async for it in bob.list("ada")]
            really = tab.get_by_role("button", name="Delete for good")
            # Another choice has to be looked at anew.
            await tab.get_by_label("Keep them for their recipients").check()
            await really.wait_for(state="hidden")
            await tab.get_by_label("Take them back").check()
            await tab.get_by_role("button", name="See what would happen").click()
            await really.click()
            await tab.get_by_text("1 message was taken back.").wait_for()
            then = [it.username async for it in bob.list("ada")]
            await tab.get_by_role("button", name="Forget it and leave").click()
            await tab.get_by_label("Name").wait_for()
            kept = await tab.evaluate(
                "indexedDB.databases().then((all) => all.map("
                "(it) => it.name).filter((it) => it.startsWith('chatcore-page')))"
            )

    assert (still_there, then, kept) == (["ada"], [], [])


async def test_another_password_is_the_one_from_then_on(
    context: BrowserContext,
) -> None:
    with serving_the_page() as server:
        async with person_at(server, context) as ada:
            await ada.sign_up("ada")
            await ada.open_dialog("Change password…")
            await ada.tab.get_by_label("Password until now").fill(PASSWORD)
            await ada.tab.get_by_label("New password").fill("battery staple")
            await ada.tab.get_by_role("button", name="Change", exact=True).click()
            await ada.tab.get_by_role("dialog").wait_for(state="hidden")
            await ada.log_out()
            await ada.sign_in("ada", PASSWORD)
            wrong = ada.tab.get_by_role("alert").filter(has_text="wrong")
            await wrong.wait_for()
            await ada.sign_in("ada", "battery staple")
            await ada.tab.get_by_role("heading", name="ada", exact=True).wait_for()
            async with connect(server.urls[0]) as other:
                with pytest.raises(WrongCredentials):
                    await other.login("ada", PASSWORD)


async def test_a_name_that_is_taken_and_a_short_password_are_said_so(
    context: BrowserContext,
) -> None:
    with serving_the_page() as server:
        async with talking(server, "bob"), person_at(server, context) as ada:
            await ada.tab.get_by_role("button", name="Create one").click()
            create = ada.tab.get_by_role("button", name="Create account")
            error = ada.tab.locator("#entry-error")
            await ada.fill_in("bob", "another password")
            await create.click()
            await expect(error).to_contain_text("The name bob is taken")
            await ada.fill_in("ada", "short")
            await create.click()
            await expect(error).to_contain_text("8 to 1024 bytes")
            await ada.fill_in("no such name", PASSWORD)
            await create.click()
            await expect(error).to_contain_text("This cannot be a username")


async def test_the_page_makes_no_account_where_the_operator_does(
    context: BrowserContext,
) -> None:
    with serving_the_page("--registration", "closed") as server:
        async with person_at(server, context) as ada:
            create = ada.tab.get_by_role("button", name="Create one")

            assert await create.count() == 0


async def test_who_is_replaced_is_told_why(context: BrowserContext) -> None:
    with serving_the_page("--second-login", "replace") as server:
        async with person_at(server, context) as ada:
            await ada.sign_up("ada")
            async with talking(server, "ada"):
                notice = ada.tab.get_by_text("The account logged in elsewhere.")
                await notice.wait_for()


async def test_the_tab_that_came_last_has_the_session(context: BrowserContext) -> None:
    with serving_the_page() as server:
        async with person_at(server, context) as first:
            await first.sign_up("ada")
            async with person_at(server, context) as second:
                await second.sign_in("ada")
                heading = second.tab.get_by_role("heading", name="ada", exact=True)
                await heading.wait_for()
                # The other tab says so, or the server, whichever is first.
                told = re.compile("in another tab|on another connection")
                await first.tab.locator("#entry-notice", has_text=told).wait_for()


async def test_a_browsers_way_back_leads_from_a_talk_to_the_people(
    context: BrowserContext,
) -> None:
    with serving_the_page() as server:
        async with talking(server, "bob"), person_at(server, context) as ada:
            await ada.sign_up("ada")
            await ada.choose("bob")
            await ada.tab.go_back()
            await ada.tab.get_by_text("Choose somebody to talk with.").wait_for()


async def test_what_was_refused_can_be_written_again(context: BrowserContext) -> None:
    with serving_the_page() as server:
        async with person_at(server, context) as ada:
            await ada.sign_up("ada")
            search = ada.tab.get_by_label("Find people")
            await search.fill("nobody")
            await ada.tab.get_by_text("Nobody found").wait_for()
            await search.press("Enter")
            await ada.say("nobody", "hello?")
            await ada.tab.get_by_text("There is no account nobody.").wait_for()
            await ada.tab.get_by_role("button", name="Write again").click()

            assert await ada.text("nobody").input_value() == "hello?"


async def test_a_server_whose_store_was_made_anew_has_other_mail(
    context: BrowserContext, tmp_path: Path
) -> None:
    lives = [on_disk(tmp_path), f"sqlite:///{tmp_path / 'anew.db'}"]
    bodies = ["of the first life", "of the second"]
    ports = (0, 0, 0)
    async with person_in(context) as ada:
        for store, body in zip(lives, bodies, strict=True):
            with serving_the_page(store=store, ports=ports) as server:
                ports = ports_of(server)
                await ada.come(server)
                await ada.sign_up("ada")
                async with talking(server, "bob") as bob:
                    await bob.send("ada", body)  # the first mail of the account
                await ada.row("bob").get_by_text(body).wait_for()


async def test_everything_can_be_done_with_the_keyboard(
    context: BrowserContext,
) -> None:
    with serving_the_page() as server:
        async with talking(server, "bob") as bob, person_at(server, context) as ada:
            keyboard = ada.tab.keyboard
            await ada.tab.get_by_role("button", name="Create one").press("Enter")
            await ada.fill_in("ada", PASSWORD)
            await keyboard.press("Enter")
            await ada.row("bob").wait_for()
            await keyboard.type("bo")  # the field for a name has the focus
            await keyboard.press("ArrowDown")
            await keyboard.press("Enter")
            await expect(ada.text("bob")).to_be_focused()
            await keyboard.type("two")
            await keyboard.press("Shift+Enter")
            await keyboard.type("lines")
            await keyboard.press("Enter")
            heard = await anext(aiter(bob.messages()))
            await keyboard.press("Escape")
            await expect(ada.row("bob")).to_be_focused()

    assert heard.body == "two\nlines"
