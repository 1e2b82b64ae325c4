"""A change of password whose answer is lost with its link, cut at each point (A6)."""

from typing import Final

import pytest

from chatcore.commands import ChangePassword, Login, Resume
from chatcore.errors import Closed, OutcomeUnknown, SessionGone, WrongCredentials
from chatcore.events import PasswordChanged, Refused
from chatcore.ids import ResumeToken
from tests.unit.transports.client.scripted import (
    BRIEFLY,
    PASSWORD,
    SOON,
    WELCOME,
    Peer,
    Script,
    logged_in,
    scripted,
)
from transports import connect

NEW: Final = "a new password"
CHANGE: Final = ChangePassword(PASSWORD, NEW)

pytestmark = pytest.mark.rule("A6")


async def cut_before_the_answer(peer: Peer) -> None:
    """The change is read, and the link is lost."""
    await peer.log_in()
    assert (await peer.hear(ChangePassword)).command == CHANGE


async def lose_session(peer: Peer) -> None:
    """The session is resumed no more."""
    await peer.say(WELCOME)
    await peer.hear(Resume)
    await peer.say(Refused(0, SessionGone()))


async def refuse_login(peer: Peer, password: str) -> None:
    """The next login is refused; it has this password."""
    number, login = await peer.hear(Login)
    assert isinstance(login, Login)
    assert login.password == password
    await peer.say(Refused(number, WrongCredentials()))


async def take_login(peer: Peer, password: str, *, token: bytes) -> None:
    """The next login is right; it has this password."""
    number, login = await peer.hear(Login)
    assert isinstance(login, Login)
    assert login.password == password
    await peer.say(logged_in(number, token=token))


async def change(*scripts: Script) -> None:
    """Change the password at a server that plays these, to their end."""
    async with (
        scripted(*scripts) as server,
        connect(server.url, reconnect=SOON) as client,
    ):
        await client.login("ada", PASSWORD)
        await client.change_password(PASSWORD, NEW)


async def test_the_answer_brings_the_password_and_token_of_what_comes_later() -> None:
    async def answered(peer: Peer) -> None:
        await peer.log_in()
        number, _ = await peer.hear(ChangePassword)
        await peer.say(PasswordChanged(number, ResumeToken(b"second")))

    async def later(peer: Peer) -> None:
        await peer.say(WELCOME)
        assert (await peer.hear(Resume)).command == Resume(b"second", 0, mode)
        await peer.say(Refused(0, SessionGone()))
        await take_login(peer, NEW, token=b"third")
        await peer.hear_all()

    mode = Login(username="ada", password=PASSWORD).delivery

    await change(answered, later)


async def test_an_older_server_leaves_the_token_as_it_is() -> None:
    async def answered(peer: Peer) -> None:
        await peer.log_in()
        number, _ = await peer.hear(ChangePassword)
        await peer.say(PasswordChanged(number, ResumeToken(b"")))

    async def later(peer: Peer) -> None:
        assert (await peer.resume()).token == b"first"
        await peer.hear_all()

    await change(answered, later)


async def test_a_token_that_still_resumes_shows_that_nothing_was_changed() -> None:
    async def again(peer: Peer) -> None:
        await peer.resume()
        number, command = await peer.hear(ChangePassword)
        assert command == CHANGE
        await peer.say(PasswordChanged(number, ResumeToken(b"second")))
        await peer.hear_all()

    await change(cut_before_the_answer, again)


async def test_a_new_password_that_logs_in_shows_that_it_was_changed() -> None:
    async def gone(peer: Peer) -> None:
        await lose_session(peer)
        await take_login(peer, NEW, token=b"second")
        assert not any(
            isinstance(it.command, ChangePassword) for it in await peer.hear_all()
        )

    await change(cut_before_the_answer, gone)


async def test_an_old_password_that_logs_in_has_the_change_asked_again() -> None:
    async def gone(peer: Peer) -> None:
        await lose_session(peer)
        await refuse_login(peer, NEW)
        await take_login(peer, PASSWORD, token=b"second")
        number, command = await peer.hear(ChangePassword)
        assert command == CHANGE
        await peer.say(PasswordChanged(number, ResumeToken(b"third")))
        await peer.hear_all()

    await change(cut_before_the_answer, gone)


async def test_a_link_that_is_lost_amid_the_logins_begins_them_anew() -> None:
    async def gone(peer: Peer) -> None:
        await lose_session(peer)
        await refuse_login(peer, NEW)
        await peer.hear(Login)

    async def gone_again(peer: Peer) -> None:
        await lose_session(peer)
        await take_login(peer, NEW, token=b"second")
        await peer.hear_all()

    await change(cut_before_the_answer, gone, gone_again)


async def test_a_server_that_keeps_its_tokens_is_asked_whether_the_new_one_holds() -> (
    None
):
    async def older(peer: Peer) -> None:
        await peer.resume()
        number, _ = await peer.hear(ChangePassword)
        await peer.say(Refused(number, WrongCredentials()))
        number, command = await peer.hear(ChangePassword)
        assert command == ChangePassword(NEW, NEW)
        await peer.say(PasswordChanged(number, ResumeToken(b"")))
        await peer.hear_all()

    await change(cut_before_the_answer, older)


async def test_an_old_password_that_never_was_right_is_told_so() -> None:
    async def older(peer: Peer) -> None:
        await peer.resume()
        for _ in range(2):
            number, _command = await peer.hear(ChangePassword)
            await peer.say(Refused(number, WrongCredentials()))
        await peer.hear_all()

    with pytest.raises(WrongCredentials):
        await change(cut_before_the_answer, older)


async def test_where_neither_password_logs_in_nobody_knows() -> None:
    async def neither(peer: Peer) -> None:
        await lose_session(peer)
        await refuse_login(peer, NEW)
        await refuse_login(peer, PASSWORD)
        await peer.hear_all()

    with pytest.raises(OutcomeUnknown):
        await change(cut_before_the_answer, neither)


async def test_a_server_that_is_gone_is_told_as_a_lost_link() -> None:
    async with scripted(cut_before_the_answer) as server:
        with pytest.raises(Closed):  # noqa: PT012  # at the second
            async with connect(server.url, reconnect=BRIEFLY) as client:
                await client.login("ada", PASSWORD)
                await client.change_password(PASSWORD, NEW)
