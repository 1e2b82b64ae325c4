"""A client whose session has ended logs in again: the same object (S4, M2)."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from dataclasses import replace
from typing import Final

import pytest

from chatcore import (
    Chat,
    CloseCode,
    Closed,
    ReconnectPolicy,
    SecondLogin,
    connect,
    connect_sync,
    open_store,
    serve,
)
from chatcore.commands import List, Login, Send
from chatcore.errors import MailboxFull
from chatcore.events import Accepted, Closing, Listed, LoggedIn, Refused
from chatcore.ids import AccountId, Username
from chatsystem import system_environment
from tests.interop.servers import CHEAP
from tests.unit.transports.client.scripted import (
    BRIEFLY,
    PASSWORD,
    SOON,
    WELCOME,
    Peer,
    accepted,
    logged_in,
    scripted,
)

SIGNED_OUT: Final = Closing(CloseCode.SESSION_ENDED, "Signed out.")
ENVIRONMENT: Final = system_environment(CHEAP)


async def sign_out_with_two_unanswered(peer: Peer) -> None:
    """The session ends after two messages that are not answered."""
    await peer.log_in()
    await peer.hear(Send)
    await peer.hear(Send)
    await peer.say(SIGNED_OUT)


async def closed_code(asked: Awaitable[object]) -> CloseCode:
    with pytest.raises(Closed) as closed:
        await asked
    return closed.value.code


@pytest.mark.rule("S4", "M5")
@pytest.mark.parametrize("reconnect", [SOON, None], ids=["reconnects", "stays"])
async def test_mail_goes_on_where_it_was_after_the_application_has_signed_out(
    reconnect: ReconnectPolicy | None,
) -> None:
    bodies: list[str] = []
    async with open_store("memory:") as store:
        chat = Chat(store)
        async with (
            serve(chat, "tcp://127.0.0.1:0", environment=ENVIRONMENT) as urls,
            connect(urls, reconnect=reconnect) as ada,
            connect(urls) as bob,
        ):
            await bob.login("bob", PASSWORD, create=True)
            for round_number in range(3):
                await ada.login("ada", PASSWORD, create=True)
                for part in "xy":
                    await bob.send("ada", f"{round_number}{part}")
                mail = ada.messages()
                bodies += [(await anext(mail)).body, (await anext(mail)).body]
                assert not ada.missed

                await chat.end_sessions("ada")

                with pytest.raises(Closed) as closed:
                    await anext(mail)
                assert closed.value.code is CloseCode.SESSION_ENDED
                with pytest.raises(Closed):
                    await ada.send("bob", "while nobody is logged in")

    assert bodies == ["0x", "0y", "1x", "1y", "2x", "2y"]


@pytest.mark.rule("M2")
async def test_messages_without_an_answer_go_on_under_their_keys() -> None:
    again: list[Send] = []

    async def after(peer: Peer) -> None:
        await peer.log_in(token=b"second")
        for _ in range(2):
            number, command = await peer.hear(Send)
            assert isinstance(command, Send)
            again.append(command)
            await peer.say(
                accepted(number)
                if command.body == "one"
                else Refused(number, MailboxFull(recipient="bob"))
            )
        await peer.hear_all()

    async with (
        scripted(sign_out_with_two_unanswered, after) as server,
        connect(server.url, reconnect=SOON) as client,
    ):
        await client.login("ada", PASSWORD)
        codes = await asyncio.gather(
            *(closed_code(client.send("bob", it)) for it in ("one", "two"))
        )
        unsent = list(client.unsent)
        await client.login("ada", PASSWORD)
        answers = await client.send_unsent()
        left = client.unsent

    assert codes == [CloseCode.SESSION_ENDED] * 2
    assert [it.body for it in again] == ["one", "two"]
    assert again == unsent
    assert [type(it) for it in answers] == [Accepted, MailboxFull]
    assert not left


@pytest.mark.rule("M2")
async def test_what_ends_again_before_it_is_answered_is_still_to_be_sent() -> None:
    async with (
        scripted(sign_out_with_two_unanswered, sign_out_with_two_unanswered) as server,
        connect(server.url, reconnect=SOON) as client,
    ):
        await client.login("ada", PASSWORD)
        first = asyncio.gather(
            client.send("bob", "one"), client.send("bob", "two"), return_exceptions=True
        )
        await first
        unsent = client.unsent
        await client.login("ada", PASSWORD)
        code = await closed_code(client.send_unsent())

        assert code is CloseCode.SESSION_ENDED
        assert client.unsent == unsent
        assert len(unsent) == 2


@pytest.mark.rule("M2", "A5")
async def test_what_one_account_has_to_send_again_no_other_sends() -> None:
    async def as_another(peer: Peer) -> None:
        await peer.say(WELCOME)
        number, _ = await peer.hear(Login)
        answer = logged_in(number)
        assert isinstance(answer, LoggedIn)
        await peer.say(replace(answer, account=AccountId(9)))
        await peer.hear_all()

    async with (
        scripted(sign_out_with_two_unanswered, as_another) as server,
        connect(server.url, reconnect=SOON) as client,
    ):
        await client.login("ada", PASSWORD)
        await asyncio.gather(
            client.send("bob", "one"), client.send("bob", "two"), return_exceptions=True
        )
        await client.login("carol", PASSWORD)

        assert await client.send_unsent() == []
        assert not client.missed


@pytest.mark.rule("M2")
async def test_what_its_caller_has_given_up_is_not_sent_again() -> None:
    async def signed_out(peer: Peer) -> None:
        await peer.log_in()
        await peer.hear(Send)
        is_heard.set()
        await is_given_up.wait()
        await peer.say(SIGNED_OUT)

    is_heard, is_given_up = asyncio.Event(), asyncio.Event()
    async with (
        scripted(signed_out) as server,
        connect(server.url, reconnect=BRIEFLY) as client,
    ):
        await client.login("ada", PASSWORD)
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(client.send("bob", "one"))
            await is_heard.wait()
            sending.cancel()
        is_given_up.set()
        with pytest.raises(Closed):
            await anext(client.messages())

        assert not client.unsent


async def test_a_list_that_was_left_open_harms_no_later_command() -> None:
    async def lists(peer: Peer) -> None:
        await peer.log_in()
        number, _ = await peer.hear(List)
        names = tuple(Username(f"user{it}") for it in range(3))
        await peer.say(Listed(number, names, (False,) * 3, complete=False))
        await peer.hear(Send)
        await peer.say(SIGNED_OUT)

    async def answers(peer: Peer) -> None:
        await peer.log_in(token=b"second")
        await is_closed.wait()
        number, _ = await peer.hear(Send)
        await peer.say(accepted(number))
        await peer.hear_all()

    is_closed = asyncio.Event()
    async with (
        scripted(lists, answers) as server,
        connect(server.url, reconnect=SOON) as client,
    ):
        await client.login("ada", PASSWORD)
        found = client.list()
        await anext(found)
        await closed_code(client.send("bob", "one"))
        await client.login("ada", PASSWORD)
        async with asyncio.TaskGroup() as tasks:
            sent = tasks.create_task(client.send("bob", "two"))
            assert isinstance(found, AsyncGenerator)
            await found.aclose()
            is_closed.set()

    assert sent.result().position == 1


@pytest.mark.rule("S1", "M5")
async def test_what_another_session_has_acknowledged_is_said_to_be_missed() -> None:
    async with open_store("memory:") as store:
        chat = Chat(store, second_login=SecondLogin.REPLACE)
        async with (
            serve(chat, "tcp://127.0.0.1:0", environment=ENVIRONMENT) as urls,
            connect(urls) as laptop,
            connect(urls) as phone,
        ):
            await laptop.login("ada", PASSWORD, create=True)
            await laptop.send("ada", "on the laptop")
            assert (await anext(laptop.messages())).position == 1
            laptop.acknowledge()
            await phone.login("ada", PASSWORD)
            code = await closed_code(anext(laptop.messages()))
            await phone.send_all([("ada", "on the phone"), ("ada", "there too")])
            mail = phone.messages()
            assert [(await anext(mail)).position for _ in range(2)] == [2, 3]
            phone.acknowledge()
            await phone.send("ada", "on both")

            await laptop.login("ada", PASSWORD)

            assert code is CloseCode.REPLACED
            assert laptop.missed == range(2, 4)
            assert (await anext(laptop.messages())).body == "on both"


@pytest.mark.rule("S4")
async def test_after_a_logout_the_same_client_logs_in_as_anybody() -> None:
    async with (
        open_store("memory:") as store,
        serve(Chat(store), "tcp://127.0.0.1:0", environment=ENVIRONMENT) as urls,
        connect(urls) as client,
    ):
        await client.login("ada", PASSWORD, create=True)
        await client.send("ada", "to myself")
        await client.logout()
        await client.login("bob", PASSWORD, create=True)
        name_between = client.username
        await client.logout()
        await client.login("ada", PASSWORD)

        assert name_between == "bob"
        assert (await anext(client.messages())).body == "to myself"


async def test_a_client_that_was_closed_stays_closed() -> None:
    async with (
        open_store("memory:") as store,
        serve(Chat(store), "tcp://127.0.0.1:0", environment=ENVIRONMENT) as urls,
    ):
        async with connect(urls) as client:
            await client.login("ada", PASSWORD, create=True)

        code = await closed_code(client.login("ada", PASSWORD))

    assert code is CloseCode.LINK_LOST


@pytest.mark.rule("S4")
async def test_a_client_that_does_not_await_logs_in_again_too() -> None:
    async with open_store("memory:") as store:
        chat = Chat(store)
        async with serve(chat, "tcp://127.0.0.1:0", environment=ENVIRONMENT) as urls:
            client = await asyncio.to_thread(connect_sync(urls).open)
            try:
                for _ in range(2):
                    await asyncio.to_thread(client.login, "ada", PASSWORD, create=True)
                    await chat.end_sessions("ada")
                    code = await closed_code(asyncio.to_thread(next, client.messages()))
                    assert code is CloseCode.SESSION_ENDED
                await asyncio.to_thread(client.login, "ada", PASSWORD)
                sent = await asyncio.to_thread(client.send, "ada", "hello")
                left = (client.unsent, await asyncio.to_thread(client.send_unsent))
            finally:
                await asyncio.to_thread(client.close)

    assert sent.position == 1
    assert left == ([], [])
