"""Accounts: names, passwords, and what is bound to whom (A1 to A6)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chatcore.commands import ChangePassword, Create, InboxAction, Login, Logout, Resume
from chatcore.errors import (
    Busy,
    InvalidPassword,
    InvalidUsername,
    NameTaken,
    SessionGone,
    WrongCredentials,
)
from chatcore.events import Created, LoggedIn, LoggedOut, PasswordChanged
from chatcore.ids import Username
from chatstores import open_store
from chatsystem import HashSettings
from tests.conformance.cells import Cell, each_cell, each_durable_store, each_wire
from tests.conformance.peers import PASSWORD
from tests.conformance.reading import take, take_bounce
from tests.conformance.servers import CHEAP, Server, serving


@asynccontextmanager
async def cell_with_ada(cell: Cell) -> AsyncIterator[Server]:
    """A server on which ``ada`` has an account and nobody is logged in."""
    async with serving(cell) as server:
        async with server.client() as client:
            await client.create("ada", PASSWORD)
        yield server


@each_cell
@pytest.mark.rule("A1")
async def test_capital_letters_name_the_same_account(cell: Cell) -> None:
    async with cell_with_ada(cell) as server, server.client() as client:
        logged_in = await client.login("ADA", PASSWORD)

        assert logged_in.username == "ada"
        with pytest.raises(NameTaken):
            await client.create("aDa", PASSWORD)


@each_wire
@pytest.mark.rule("A1")
@pytest.mark.parametrize(
    "name",
    ["", "two words", "a*", "a?", "bell\a", "nul\0", "x" * 65, "x" * 4096, "\u00a0"],
)
async def test_a_name_that_is_none_is_refused(cell: Cell, name: str) -> None:
    async with serving(cell) as server, server.client() as client:
        with pytest.raises(InvalidUsername):
            await client.create(name, PASSWORD)

        await client.login("ada", PASSWORD, create=True)
        assert [entry.username async for entry in client.list()] == ["ada"]


@each_wire
@pytest.mark.rule("A1")
@pytest.mark.parametrize(
    ("name", "prepared"),
    [("a", "a"), ("X" * 64, "x" * 64), ("Ñandú", "ñandú"), ("ПЁТР", "пётр")],
)
async def test_a_name_is_kept_as_it_is_prepared(
    cell: Cell, name: str, prepared: str
) -> None:
    async with serving(cell) as server, server.client() as client:
        logged_in = await client.login(name, PASSWORD, create=True)

        assert logged_in.username == prepared


@each_wire
@pytest.mark.rule("A2")
@pytest.mark.parametrize("password", ["", "seven77", "x" * 1025, "é" * 513])
async def test_a_password_of_the_wrong_length_is_refused(
    cell: Cell, password: str
) -> None:
    async with serving(cell) as server, server.client() as client:
        with pytest.raises(InvalidPassword) as refused:
            await client.create("ada", password)

        assert refused.value.fields == {
            "minimum": "8",
            "maximum": "1024",
            "bytes": str(len(password.encode())),
        }
        assert await client.create("ada", PASSWORD)


@each_wire
@pytest.mark.rule("A2")
@pytest.mark.parametrize("password", ["8" * 8, "x" * 1024, "pass wörd\0"])
async def test_a_password_may_be_any_text_of_a_right_length(
    cell: Cell, password: str
) -> None:
    async with serving(cell) as server, server.client() as client:
        account = await client.create("ada", password)

        logged_in = await client.login("ada", password)

        assert logged_in.account == account


@each_cell
@pytest.mark.rule("A2")
async def test_an_unknown_user_and_a_wrong_password_look_alike(cell: Cell) -> None:
    async with cell_with_ada(cell) as server, server.peer() as peer:
        wrong = await peer.refusal(Login(username="ada", password="not this one"))
        unknown = await peer.refusal(Login(username="eve", password="not this one"))

        assert isinstance(wrong, WrongCredentials)
        assert (wrong.code, wrong.text, wrong.fields) == (
            unknown.code,
            unknown.text,
            unknown.fields,
        )


@each_wire
@pytest.mark.own_server
@pytest.mark.rule("A2", "E1")
async def test_a_full_queue_of_passwords_says_when_to_come_back(cell: Cell) -> None:
    full = HashSettings(memory_kib=8, passes=1, queue=0, least_retry_after_ms=1234)
    async with serving(cell, hashing=full) as server, server.peer() as peer:
        refusal = await peer.refusal(Create("ada", PASSWORD))

        assert isinstance(refusal, Busy)
        assert refusal.retry_after_ms == 1234


@each_durable_store
@pytest.mark.rule("A2")
async def test_a_password_is_stored_as_argon2id_only(cell: Cell) -> None:
    async with cell_with_ada(cell):
        pass

    async with open_store(cell.store_url) as store:
        ada = await store.find_account(Username("ada"))
    files = [it for it in cell.folder.rglob("*") if it.is_file()]
    stored = b"".join(it.read_bytes() for it in files)

    assert ada is not None
    assert ada.password_hash.startswith("$argon2id$")
    assert not files or b"$argon2id$" in stored
    assert PASSWORD.encode() not in stored


@each_cell
@pytest.mark.rule("A3", "E2")
async def test_a_name_that_exists_cannot_be_created_again(cell: Cell) -> None:
    async with cell_with_ada(cell) as server, server.client() as client:
        with pytest.raises(NameTaken) as refused:
            await client.create("ada", "another password")

        assert refused.value.fields == {"username": "ada"}
        with pytest.raises(WrongCredentials):
            await client.login("ada", "another password")
        assert (await client.login("ada", PASSWORD)).username == "ada"


@each_cell
@pytest.mark.rule("A4")
async def test_login_can_create_the_account_in_one_call(cell: Cell) -> None:
    async with serving(cell) as server, server.client() as client:
        first = await client.login("ada", PASSWORD, create=True)
        await client.logout()
        again = await client.login("ada", PASSWORD, create=True)

        assert first.account == again.account


@each_cell
@pytest.mark.rule("A4")
async def test_login_with_create_does_not_take_over_a_name(cell: Cell) -> None:
    async with cell_with_ada(cell) as server, server.client() as client:
        with pytest.raises(WrongCredentials):
            await client.login("ada", "another password", create=True)


@each_cell
@pytest.mark.rule("A5")
async def test_a_name_that_is_created_again_is_a_new_account(cell: Cell) -> None:
    async with serving(cell) as server, server.user("bob") as bob:
        async with server.user("ada") as ada:
            old = ada.account
            await ada.send("bob", "from the old one")
            await bob.send("ada", "to the old one")
            await ada.delete("ada", PASSWORD, inbox=InboxAction.DISCARD)
        async with server.client() as ada:
            new = await ada.login("ada", PASSWORD, create=True)

            (message,) = await take(bob, 1)
            bounce = await take_bounce(bob)

            assert new.account != old
            assert new.queued == 0
            assert (message.sender, message.sender_id) == ("ada", old)
            assert (bounce.recipient, bounce.recipient_id) == ("ada", old)


@each_cell
@pytest.mark.rule("A5", "D4")
async def test_a_bounce_goes_to_the_account_that_sent_and_not_to_its_name(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.client() as deleter:
        await deleter.create("bob", PASSWORD)
        async with server.user("ada") as ada:
            await ada.send("bob", "will be discarded")
            await ada.delete("ada", PASSWORD)
        async with server.user("ada"):
            pass

        receipt = await deleter.delete("bob", PASSWORD, inbox=InboxAction.DISCARD)

        assert (receipt.discarded, receipt.bounces) == (1, 0)
        async with server.client() as ada:
            assert (await ada.login("ada", PASSWORD)).queued == 0


@each_cell
@pytest.mark.rule("A5")
async def test_mail_from_an_account_that_is_deleted_later_is_marked(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.client() as bob:
        await bob.create("bob", PASSWORD)
        async with server.user("ada") as ada:
            await ada.send("bob", "goodbye")
            await ada.delete("ada", PASSWORD)

        await bob.login("bob", PASSWORD)
        (message,) = await take(bob, 1)

        assert (message.sender, message.sender_deleted) == ("ada", True)


@each_cell
@pytest.mark.rule("A6")
async def test_a_changed_password_replaces_the_old_one(cell: Cell) -> None:
    async with cell_with_ada(cell) as server, server.client() as client:
        await client.login("ada", PASSWORD)
        with pytest.raises(WrongCredentials):
            await client.change_password("not this one", "a new password")
        with pytest.raises(InvalidPassword):
            await client.change_password(PASSWORD, "short")

        await client.change_password(PASSWORD, "a new password")

        await client.logout()
        with pytest.raises(WrongCredentials):
            await client.login("ada", PASSWORD)
        assert (await client.login("ada", "a new password")).username == "ada"


@each_cell
@pytest.mark.rule("A6", "S6")
async def test_a_changed_password_leaves_only_the_token_of_its_own_session(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.peer() as peer:
        earlier = await peer.login("ada")
        await peer.ask(Logout(), LoggedOut)
        own = await peer.login("ada")

        changed = await peer.ask(
            ChangePassword(PASSWORD, "a new password"), PasswordChanged
        )

        async with server.peer() as other:
            for token in (earlier.token, own.token):
                gone = await other.refusal(Resume(token))
                assert isinstance(gone, SessionGone)
            assert (await other.resume(changed.token)).account == own.account


@each_wire
@pytest.mark.rule("A2")
async def test_an_account_can_be_created_and_used_on_one_link(cell: Cell) -> None:
    async with serving(cell, hashing=CHEAP) as server, server.peer() as peer:
        await peer.tell(
            Create("ada", PASSWORD), Login(username="ada", password=PASSWORD)
        )

        created = await peer.expect(Created)
        logged_in = await peer.expect(LoggedIn)

        assert created.account == logged_in.account
