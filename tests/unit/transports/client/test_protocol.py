"""The client's protocol as a transcript: frames in, frames and events out."""

from dataclasses import replace

import pytest

from chatcore.commands import (
    Acknowledge,
    DeliveryMode,
    Logout,
    Pong,
    Request,
    Resume,
    Send,
)
from chatcore.errors import (
    CloseCode,
    Closed,
    InvalidBody,
    LoginRequired,
    NoSuchRecipient,
    SessionGone,
)
from chatcore.events import LoggedOut, Ping, Received, Refused
from chatcore.ids import AccountId, Position, Username
from chatcore.limits import KIB
from tests.unit.transports.client.scripted import (
    NOW_MS,
    WELCOME,
    accepted,
    logged_in,
    mail,
    resumed,
)
from tests.unit.transports.client.transcript import (
    HELLO,
    LOGIN,
    OTHER,
    URL,
    Transcript,
    own,
)
from transports import LinkUp
from transports.client.events import (
    ClientEnded,
    CommandAnswered,
    MailArrived,
    SessionEnded,
)
from transports.client.states import OWN_ID

# ---- asking and being answered


def test_a_login_is_asked_and_answered() -> None:
    client = Transcript()

    client.link(WELCOME)
    login = client.ask(LOGIN)

    assert client.told() == [LinkUp(URL)]
    assert client.said() == [Request(login, LOGIN)]
    client.hears(logged_in(login))
    assert client.told() == [CommandAnswered(login, logged_in(login))]
    assert client.protocol.session == logged_in(login)


def test_nothing_is_said_before_the_welcome() -> None:
    client = Transcript()

    client.link()
    login = client.ask(LOGIN)

    assert client.said() == []
    client.hears(WELCOME)
    assert client.said() == [Request(login, LOGIN)]


@pytest.mark.rule("M2")
def test_a_send_gets_a_key_of_the_servers_clock_and_its_own_receipt() -> None:
    client = Transcript()
    client.log_in()

    first, second = client.ask(HELLO), client.ask(HELLO)

    said = client.said()
    assert [it.id for it in said] == [first, second]
    keys = [it.command.key for it in said if isinstance(it.command, Send)]
    assert keys == sorted(set(keys))
    assert [int.from_bytes(it[:6]) for it in keys] == [NOW_MS, NOW_MS]
    client.hears(accepted(first), Refused(second, NoSuchRecipient(recipient="bob")))
    answer, refusal = client.told()
    assert answer == CommandAnswered(first, accepted(first))
    assert isinstance(refusal, CommandAnswered)
    assert refusal.command_id == second
    assert isinstance(refusal.answer, NoSuchRecipient)


def test_a_key_of_the_callers_own_is_kept() -> None:
    client = Transcript()
    client.log_in()
    send = Send("bob", "hello", bytes(range(16)))

    number = client.ask(send)

    assert client.said() == [Request(number, send)]


@pytest.mark.rule("M6")
@pytest.mark.parametrize("body", ["x" * (64 * KIB + 1), "\ud800"], ids=["long", "none"])
def test_a_body_that_no_server_takes_is_refused_unasked(body: str) -> None:
    client = Transcript()
    client.log_in()

    number = client.ask(Send("bob", body))

    [refused] = client.told()
    assert isinstance(refused, CommandAnswered)
    assert refused.command_id == number
    assert isinstance(refused.answer, InvalidBody)
    assert client.said() == []


@pytest.mark.rule("S5")
def test_however_many_pings_there_are_one_pong_is_said() -> None:
    client = Transcript()
    client.log_in()

    client.hears(*[Ping()] * 1000)

    assert client.said() == [own(Pong())]
    assert client.said() == []


@pytest.mark.rule("M8")
def test_a_notice_that_mail_was_received_is_passed_on() -> None:
    client = Transcript()
    client.log_in()
    notice = Received(Username("bob"), AccountId(2), (Position(1),))

    client.hears(notice)

    assert client.told() == [notice]


def test_nothing_can_be_asked_after_the_end() -> None:
    client = Transcript()
    client.log_in()
    number = client.ask(HELLO)
    end = Closed(CloseCode.LINK_LOST)

    client.protocol.end(end)

    assert client.told() == [CommandAnswered(number, end), ClientEnded(end)]
    with pytest.raises(Closed):
        client.ask(HELLO)
    assert client.said() == []


# ---- before and after a login


@pytest.mark.rule("B1")
def test_a_large_message_and_what_follows_wait_for_the_login_and_nothing_else() -> None:
    client = Transcript()
    client.link(WELCOME)

    login = client.ask(LOGIN)
    large = client.ask(Send("bob", "x" * 40 * KIB))
    small = client.ask(HELLO)

    assert client.said() == [Request(login, LOGIN)]
    assert not client.protocol.wants_to_write
    client.hears(Ping())
    assert client.said() == [own(Pong())]
    client.hears(logged_in(login))
    assert [it.id for it in client.said()] == [large, small]


@pytest.mark.rule("B1")
def test_a_large_message_before_the_login_is_refused_and_the_login_is_asked() -> None:
    client = Transcript()
    client.link(WELCOME)
    client.told()

    large = client.ask(Send("bob", "x" * 40 * KIB))
    login = client.ask(LOGIN)

    assert client.said() == [Request(login, LOGIN)]
    [refused] = client.told()
    assert isinstance(refused, CommandAnswered)
    assert refused.command_id == large
    assert isinstance(refused.answer, LoginRequired)


@pytest.mark.rule("S4")
def test_a_logout_ends_the_session_and_another_account_may_log_in() -> None:
    client = Transcript()
    client.log_in(acknowledged=50)
    logout = client.ask(Logout())
    client.said()

    client.hears(LoggedOut(logout))

    assert client.told() == [
        SessionEnded(),
        CommandAnswered(logout, LoggedOut(logout)),
    ]
    assert client.protocol.session is None
    login = client.ask(replace(LOGIN, username="bob"))
    client.said()
    bob = replace(logged_in(login), account=AccountId(2))  # type: ignore[type-var]
    client.hears(bob, mail(1), mail(2))
    client.protocol.take_mail()
    client.protocol.take_mail()
    assert client.said() == [own(Acknowledge(1))]


# ---- mail


@pytest.mark.rule("M4", "M5")
def test_mail_is_told_of_once_and_acknowledged_by_asking_for_the_next() -> None:
    client = Transcript()
    client.log_in()

    client.hears(mail(1), mail(2), mail(3))

    assert client.told() == [MailArrived()]
    assert client.protocol.take_mail() == mail(1)
    assert client.said() == []
    assert client.protocol.take_mail() == mail(2)
    assert client.said() == [own(Acknowledge(1))]
    client.protocol.acknowledge()
    assert client.said() == [own(Acknowledge(2))]
    assert client.said() == []


@pytest.mark.rule("M5", "S3")
def test_mail_is_handed_over_once_across_a_lost_link() -> None:
    client = Transcript(URL, OTHER)
    client.log_in()
    client.hears(mail(1), mail(2))
    assert client.protocol.take_mail() == mail(1)

    client.lose_link()
    url = client.link(WELCOME)

    assert url == OTHER
    assert client.said() == [own(Resume(b"first", 2, DeliveryMode.PUSH))]
    client.hears(resumed(2), mail(3))
    assert [client.protocol.take_mail() for _ in range(3)] == [mail(2), mail(3), None]
    assert client.said() == [own(Acknowledge(3))]


@pytest.mark.rule("M5", "S3")
def test_mail_is_handed_over_once_across_a_session_that_is_gone() -> None:
    client = Transcript()
    client.log_in()
    client.hears(mail(1), mail(2))
    assert client.protocol.take_mail() == mail(1)

    client.lose_link()
    client.link(WELCOME)
    client.said()
    client.hears(Refused(OWN_ID, SessionGone()))
    client.said()
    client.hears(logged_in(OWN_ID, token=b"second"), mail(1), mail(2), mail(3))

    assert [client.protocol.take_mail() for _ in range(3)] == [mail(2), mail(3), None]
    assert client.said() == [own(Acknowledge(3))]
