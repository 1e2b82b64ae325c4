"""A login whose answer was lost with its link may find its own session in the way."""

import asyncio

import pytest

from chatcore.commands import Login, Logout
from transports.client.key_generator import KeyGenerator
from transports.client.pending_commands import PendingCommand, PendingCommands


def pending(command: Login | Logout, *, was_sent: bool) -> PendingCommand:
    """A command under way."""
    answer = asyncio.get_running_loop().create_future()
    return PendingCommand(command, answer, was_sent=was_sent)


KEYS = KeyGenerator(lambda: 1)
LOGIN = Login(username="ada", password="correct horse")


@pytest.mark.rule("S1", "M5")
async def test_a_login_that_is_repeated_on_a_new_link_may_meet_its_own_session() -> (
    None
):
    pending_commands = PendingCommands()
    login = pending_commands.add(pending(LOGIN, was_sent=True))

    before = pending_commands.may_be_ours(login.id)
    repeated = list(pending_commands.to_repeat(KEYS.make))

    assert not before
    assert [it.id for it in repeated] == [login.id]
    assert pending_commands.may_be_ours(login.id)


@pytest.mark.rule("S1")
async def test_a_login_that_was_never_written_before_meets_somebody_elses() -> None:
    pending_commands = PendingCommands()
    login = pending_commands.add(pending(LOGIN, was_sent=False))
    other = pending_commands.add(pending(Logout(), was_sent=True))

    list(pending_commands.to_repeat(KEYS.make))

    assert not pending_commands.may_be_ours(login.id)
    assert not pending_commands.may_be_ours(other.id)
