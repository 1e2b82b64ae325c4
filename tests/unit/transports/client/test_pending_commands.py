"""A login whose answer was lost with its link may find its own session in the way."""

from secrets import randbits

import pytest

from chatcore.commands import Login, Logout
from transports.client.events import ClientEvent
from transports.client.key_generator import KeyGenerator
from transports.client.pending_commands import PendingCommands

LOGIN = Login(username="ada", password="correct horse")


def pending() -> PendingCommands:
    """No commands yet, and nobody who is told of them."""
    told: list[ClientEvent] = []
    return PendingCommands(told.append, KeyGenerator(randbits))


@pytest.mark.rule("S1", "M5")
def test_a_login_that_is_repeated_on_a_new_link_may_meet_its_own_session() -> None:
    commands = pending()
    login = commands.add(LOGIN, now_s=0.0)
    commands.admit()
    commands.mark_sent(login)

    before = commands.may_be_own_session(login, now_s=1.0)
    repeated = commands.to_repeat(now_s=1.0)

    assert not before
    assert [it.id for it in repeated] == [login]
    assert commands.may_be_own_session(login, now_s=1.0)
    assert not commands.may_be_own_session(login, now_s=10.0)


@pytest.mark.rule("S1")
def test_a_login_that_was_never_written_before_meets_somebody_elses() -> None:
    commands = pending()
    login = commands.add(LOGIN, now_s=0.0)
    other = commands.add(Logout(), now_s=0.0)
    commands.admit()
    commands.mark_sent(other)

    repeated = commands.to_repeat(now_s=1.0)

    assert [it.id for it in repeated] == [login, other]
    assert not commands.may_be_own_session(login, now_s=1.0)
    assert not commands.may_be_own_session(other, now_s=1.0)
