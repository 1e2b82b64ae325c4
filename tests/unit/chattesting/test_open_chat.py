"""A chat for tests, without a plug-in: its clients, its time, its end."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from chatcore import (
    AccountInUse,
    Closed,
    DeletionStalled,
    InboxAction,
    InvalidBody,
    Limits,
    ProofOfAnother,
    RateExceeded,
    Refusal,
    Registration,
    RegistrationClosed,
    Send,
    SharedSecret,
    Username,
    WrongCredentials,
    connect,
    sign_proof,
)
from chattesting import (
    PASSWORD,
    ChatSettings,
    ManualClock,
    RunningChat,
    StillBusy,
    WrongEventLoop,
    open_chat,
)


async def until(is_so: Callable[[], bool]) -> None:
    """Return once it is so."""
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110  # what is waited for sets no event
            await asyncio.sleep(0)


async def test_clients_of_one_name_are_of_one_account() -> None:
    async with open_chat() as chat:
        first = await chat.client("ada")
        await first.logout()

        second = await chat.client("ada")

        assert second.account is not None
        entries = [it async for it in second.list()]
        assert [(it.username, it.online) for it in entries] == [("ada", True)]


async def test_a_client_without_a_name_is_nobodys() -> None:
    async with open_chat() as chat:
        client = await chat.client()

        assert client.username is None


async def test_a_login_that_is_refused_leaves_no_client_open() -> None:
    async with open_chat() as chat:
        await chat.client("ada")
        before = chat.service.counters.connections.copy()

        with pytest.raises(AccountInUse):
            await chat.client("ada")
        with pytest.raises(WrongCredentials):
            await chat.client("ada", "another password")

        await until(lambda: chat.service.counters.connections == before)


async def test_who_may_not_register_has_an_account_all_the_same() -> None:
    async with open_chat(ChatSettings(registration=Registration.CLOSED)) as chat:
        ada = await chat.client("ada")
        stranger = await chat.client()

        with pytest.raises(RegistrationClosed):
            await stranger.create("eve", PASSWORD)
        assert ada.username == "ada"


class Tokens:
    """Users of the application's own; see ``chatcore.Credentials``."""

    async def check(self, username: Username, password: str) -> bool:
        """Whether it is the token of that user."""
        return password == f"token of {username}"


class Shouting(Refusal):
    """What the policy below refuses with."""

    code = 9001
    template = "Not so loud."


class Quiet:
    """A policy; see ``chatcore.SendPolicy``."""

    async def judge(
        self,
        sender: Username,  # noqa: ARG002  # whoever shouts
        sends: Sequence[Send],
    ) -> Sequence[Refusal | None]:
        """Refuse what is written in capitals."""
        return [Shouting() if it.body.isupper() else None for it in sends]


async def test_the_applications_own_users_and_policy_are_asked() -> None:
    settings = ChatSettings(credentials=Tokens(), policy=Quiet())
    async with open_chat(settings) as chat:
        ada = await chat.client("ada", "token of ada")

        with pytest.raises(WrongCredentials):
            await chat.client("bob", "token of ada")
        with pytest.raises(Refusal, match="Not so loud"):
            await ada.send("ada", "HELLO")
        await ada.send("ada", "hello")


async def test_the_applications_own_proofs_are_asked_about() -> None:
    secret = b"s" * 32
    settings = ChatSettings(identities=SharedSecret(secret))
    async with open_chat(settings) as chat:
        ada = await chat.client("ada", sign_proof(secret, "ada"))

        with pytest.raises(ProofOfAnother):
            await chat.client("bob", sign_proof(secret, "ada"))
        await ada.send("ada", "hello")


async def test_a_limit_holds() -> None:
    async with open_chat(ChatSettings(limits=Limits(body_bytes=5))) as chat:
        ada = await chat.client("ada")

        with pytest.raises(InvalidBody):
            await ada.send("ada", "hello!")


async def test_the_codes_own_connections_come_by_the_url() -> None:
    async with open_chat() as chat, connect(chat.url) as bob:
        await bob.login("bob", PASSWORD, create=True)
        ada = await chat.client("ada")

        await ada.send("bob", "hello")

        message = await anext(bob.messages())
        assert message.body == "hello"


async def test_a_test_that_needs_a_port_has_one() -> None:
    async with open_chat() as chat:
        url = await chat.listen("tcp://127.0.0.1:0")

        async with connect(url) as ada:
            await ada.login("ada", PASSWORD, create=True)

            assert chat.service.attached_sessions["tcp"] == 1


async def test_two_chats_know_nothing_of_each_other() -> None:
    async with open_chat() as one, open_chat() as other:
        await one.client("ada")
        bob = await other.client("bob")

        assert [it.username async for it in bob.list()] == ["bob"]


# ---- time


async def test_messages_have_the_clocks_time() -> None:
    clock = ManualClock(now_ms=1_750_000_000_000)
    async with open_chat(clock=clock) as chat:
        ada = await chat.client("ada")

        first = await ada.send("ada", "now")
        await chat.advance(60)
        second = await ada.send("ada", "in a minute")

        assert first.sent_at_ms == 1_750_000_000_000
        assert second.sent_at_ms == 1_750_000_060_000


async def test_a_rate_is_exact() -> None:
    limits = Limits(account_messages_per_s=1, rate_burst_s=2)
    async with open_chat(ChatSettings(limits=limits)) as chat:
        ada = await chat.client("ada")
        await ada.send("ada", "one")
        await ada.send("ada", "two")

        with pytest.raises(RateExceeded) as refused:
            await ada.send("ada", "three")
        await chat.advance(refused.value.retry_after_ms / 1000)

        await ada.send("ada", "three")
        with pytest.raises(RateExceeded):
            await ada.send("ada", "four")


async def test_a_session_without_a_link_ends_with_its_grace() -> None:
    async with open_chat() as chat:
        await detached(chat)
        grace_s = chat.service.limits.grace_s

        await chat.advance(grace_s - 1)
        before = chat.service.detached_sessions
        await chat.advance(1)

        assert (before, chat.service.detached_sessions) == (1, 0)


async def detached(chat: RunningChat) -> None:
    """Leave a session whose link is gone."""
    async with connect(chat.url, reconnect=None) as ada:
        await ada.login("ada", PASSWORD, create=True)
        ada._driver.drop_link()
        await until(lambda: bool(chat.service.detached_sessions))


async def test_a_deletion_that_nobody_helps_stalls_when_the_time_has_passed() -> None:
    async with open_chat() as chat:
        ada = await chat.client("ada")
        await ada.send("ada", "read me first")
        deleting = asyncio.get_running_loop().create_task(ada.delete("ada", PASSWORD))

        async with asyncio.timeout(5):
            while not deleting.done():
                await chat.advance(chat.service.limits.deletion_stall_s)
                await asyncio.sleep(0)

        with pytest.raises(DeletionStalled):
            await deleting


# ---- the loop, and the end


def test_on_another_loop_it_says_so_instead_of_waiting() -> None:
    with asyncio.Runner() as one, asyncio.Runner() as other:
        opening = open_chat()
        chat = one.run(opening.__aenter__())

        for using in (chat.client("ada"), chat.advance(1), chat.listen("loopback:")):
            with pytest.raises(WrongEventLoop):
                other.run(using)

        one.run(opening.__aexit__(None, None, None))


def test_it_may_be_opened_used_and_closed_by_different_tasks() -> None:
    with asyncio.Runner() as runner:
        opening = open_chat()
        chat = runner.run(opening.__aenter__())
        ada = runner.run(chat.client("ada"))
        receipt = runner.run(ada.send("ada", "hello"))

        runner.run(opening.__aexit__(None, None, None))

        assert receipt.position == 1


class Never:
    """Users whose passwords are never judged; see ``chatcore.Credentials``."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def check(self, username: Username, password: str) -> bool:  # noqa: ARG002  # whoever it is
        """Wait for ever."""
        self.asked.set()
        return await asyncio.Event().wait()


async def test_an_application_that_does_not_return_ends_the_test_all_the_same() -> None:
    users = Never()
    opening = open_chat(ChatSettings(credentials=users), close_within_s=0.01)
    chat = await opening.__aenter__()
    client = await chat.client()
    login = asyncio.get_running_loop().create_task(client.login("ada", PASSWORD))
    await users.asked.wait()

    with pytest.raises(StillBusy, match="credentials"):
        await opening.__aexit__(None, None, None)

    with pytest.raises(Closed):
        await login


async def test_a_client_that_was_closed_already_is_no_trouble_at_the_end() -> None:
    async with open_chat() as chat:
        ada = await chat.client("ada")
        await ada.logout()
        await ada.delete("ada", PASSWORD, inbox=InboxAction.DISCARD)

    assert chat.service.attached_sessions["loopback"] == 0
