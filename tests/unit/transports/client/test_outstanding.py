"""A login whose answer was lost with its link may find its own session in the way."""

import asyncio

import pytest

from chatcore.commands import Login, Logout
from transports.client.keys import KeyMaker
from transports.client.outstanding import Outstanding, Pending


def pending(command: Login | Logout, *, was_sent: bool) -> Pending:
    """A command under way."""
    answer = asyncio.get_running_loop().create_future()
    return Pending(command, answer, was_sent=was_sent)


KEYS = KeyMaker(lambda: 1)
LOGIN = Login(username="ada", password="correct horse")


@pytest.mark.rule("S1", "M5")
async def test_a_login_that_is_repeated_on_a_new_link_may_meet_its_own_session() -> (
    None
):
    outstanding = Outstanding()
    login = outstanding.add(pending(LOGIN, was_sent=True))

    before = outstanding.may_be_ours(login.id)
    repeated = list(outstanding.to_repeat(KEYS.make))

    assert not before
    assert [it.id for it in repeated] == [login.id]
    assert outstanding.may_be_ours(login.id)


@pytest.mark.rule("S1")
async def test_a_login_that_was_never_written_before_meets_somebody_elses() -> None:
    outstanding = Outstanding()
    login = outstanding.add(pending(LOGIN, was_sent=False))
    other = outstanding.add(pending(Logout(), was_sent=True))

    list(outstanding.to_repeat(KEYS.make))

    assert not outstanding.may_be_ours(login.id)
    assert not outstanding.may_be_ours(other.id)
