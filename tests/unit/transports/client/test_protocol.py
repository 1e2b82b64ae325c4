"""The client's protocol as a transcript: frames in, frames and events out."""

from dataclasses import replace
from typing import Final

import pytest

from chatcore.commands import (
    Acknowledge,
    ChangePassword,
    Create,
    DeliveryMode,
    Login,
    Logout,
    Pong,
    Request,
    Resume,
    Send,
)
from chatcore.errors import (
    AccountInUse,
    CloseCode,
    Closed,
    InvalidBody,
    InvalidKey,
    LoginRequired,
    NoSuchRecipient,
    OutcomeUnknown,
    SessionGone,
    TooManyAttempts,
    WrongCredentials,
)
from chatcore.events import (
    Accepted,
    Closing,
    LoggedOut,
    PasswordChanged,
    Ping,
    Received,
    Refused,
    Welcome,
)
from chatcore.ids import AccountId, Position, ResumeToken, Username
from chatcore.limits import DAY_MS, KIB
from tests.unit.transports.client.scripted import (
    NOW_MS,
    PASSWORD,
    WELCOME,
    logged_in,
    mail,
    resumed,
)
from tests.unit.transports.client.transcript import LOGIN, OTHER, URL, Transcript
from transports import LinkDown, LinkUp, ReconnectPolicy
from transports.client.errors import SessionRefused
from transports.client.events import (
    ClientEnded,
    CommandAnswered,
    LinkRejected,
    MailArrived,
    SessionEnded,
)
from transports.client.states import OWN_ID, ClientState
from transports.errors import CannotConnect, LinkClosed

HELLO: Final = Send("bob", "hello")
RESUME: Final = Resume(b"first", 0, DeliveryMode.PUSH)
NUMBERS: Final = {it: getattr(WELCOME, it) for it in WELCOME.__slots__}


def own(command: Resume | Login | Acknowledge | Pong) -> Request:
    """What the client says by itself."""
    return Request(OWN_ID, command)


def accepted(number: int) -> Accepted:
    """A message is stored."""
    return Accepted(number, AccountId(2), Position(1), 0, durable=True)


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


# ---- a link that is lost


@pytest.mark.rule("S3", "M2")
def test_what_has_no_answer_is_repeated_under_its_key_after_the_resume() -> None:
    client = Transcript()
    client.log_in()
    answered, lost = client.ask(HELLO), client.ask(HELLO)
    [_, said_before] = client.said()
    client.hears(accepted(answered))
    client.told()

    client.lose_link()
    while_down = client.ask(HELLO)
    client.link(WELCOME)

    assert client.said() == [own(RESUME)]
    client.hears(resumed(0))
    assert client.told() == [LinkDown(URL), LinkUp(URL)]
    again, first = client.said()
    assert again == said_before
    assert (again.id, first.id) == (lost, while_down)


@pytest.mark.rule("S3")
def test_a_session_that_is_gone_is_opened_again_with_the_same_login() -> None:
    client = Transcript()
    client.log_in()
    client.lose_link()

    client.link(WELCOME)

    assert client.said() == [own(RESUME)]
    client.hears(Refused(OWN_ID, SessionGone()))
    assert client.said() == [own(LOGIN)]
    client.hears(logged_in(OWN_ID, token=b"second"))
    assert client.told() == [LinkDown(URL), LinkUp(URL)]
    client.lose_link()
    client.link(WELCOME)
    assert client.said() == [own(replace(RESUME, token=b"second"))]


@pytest.mark.rule("A5")
def test_a_name_that_somebody_else_has_by_now_ends_the_client() -> None:
    client = Transcript()
    client.log_in()
    client.lose_link()
    client.link(WELCOME)
    client.said()
    client.hears(Refused(OWN_ID, SessionGone()))
    client.said()

    other = replace(logged_in(OWN_ID), account=AccountId(9))  # type: ignore[type-var]
    client.hears(other, mail(1))

    *_, ended = client.told()
    assert isinstance(ended, ClientEnded)
    assert isinstance(ended.failure, Closed)
    assert ended.failure.code is CloseCode.ACCOUNT_DELETED
    assert client.protocol.take_mail() is None


@pytest.mark.rule("S1", "B4")
def test_a_resume_that_is_refused_for_now_is_tried_again_when_the_server_says() -> None:
    client = Transcript(reconnect=ReconnectPolicy(first_delay_s=0.1))
    client.log_in()
    client.lose_link()
    client.link(WELCOME)
    client.said()
    client.told()

    client.hears(Refused(OWN_ID, TooManyAttempts(retry_after_ms=7000)))

    [rejected] = client.told()
    assert isinstance(rejected, LinkRejected)
    assert isinstance(rejected.error, SessionRefused)
    assert client.protocol.is_link_over
    client.lose_link()
    assert client.protocol.state is ClientState.DIALLING
    assert client.protocol.dial_after_s == 7.0


@pytest.mark.rule("B4")
def test_a_wait_over_the_time_to_give_up_ends_in_the_refusal_that_asks_for_it() -> None:
    client = Transcript()
    client.log_in()
    client.lose_link()
    client.link(WELCOME)
    client.said()
    client.hears(Refused(OWN_ID, TooManyAttempts(retry_after_ms=3_600_000)))

    client.lose_link()

    assert isinstance(client.protocol.failure, TooManyAttempts)


@pytest.mark.rule("S1")
def test_a_repeated_login_that_meets_its_own_session_is_tried_for_some_seconds() -> (
    None
):
    client = Transcript()
    client.link(WELCOME)
    login = client.ask(LOGIN)
    client.said()
    client.lose_link()
    in_use = Refused(login, AccountInUse(username="ada"))
    client.told()

    client.link(WELCOME)
    client.said()
    client.hears(in_use)
    client.lose_link()
    states = [client.protocol.state]
    client.now_s += 6.0
    client.link(WELCOME)
    client.said()
    client.told()
    client.hears(in_use)

    assert states == [ClientState.DIALLING]
    [refused] = client.told()
    assert isinstance(refused, CommandAnswered)
    assert isinstance(refused.answer, AccountInUse)


@pytest.mark.rule("E2")
@pytest.mark.parametrize("code", [it for it in CloseCode if not it.may_reconnect])
def test_a_code_that_forbids_to_come_back_ends_the_client(code: CloseCode) -> None:
    client = Transcript()
    client.log_in()
    number = client.ask(HELLO)

    client.hears(Closing(code, "For good."))
    client.lose_link()

    refused, ended = client.told()
    assert isinstance(refused, CommandAnswered)
    assert isinstance(ended, ClientEnded)
    assert refused.command_id == number
    assert refused.answer is ended.failure is client.protocol.failure
    assert isinstance(ended.failure, Closed)
    assert (ended.failure.code, ended.failure.text) == (code, "For good.")


def test_without_reconnecting_a_lost_link_is_the_end() -> None:
    client = Transcript(reconnect=None)
    client.log_in()

    client.lose_link()

    [ended] = client.told()
    assert isinstance(ended, ClientEnded)
    assert client.protocol.state is ClientState.ENDED


def test_each_url_is_tried_once_before_a_first_link_is_given_up() -> None:
    client = Transcript(URL, OTHER)
    refused = [CannotConnect(it, "nobody is there") for it in (URL, OTHER)]
    failures = []

    for error in refused:
        assert client.protocol.next_url() == error.url
        client.protocol.link_lost(error, now_s=client.now_s, jitter=0.0)
        failures.append(client.protocol.failure)

    assert failures == [None, refused[1]]


def test_attempts_come_later_and_later_until_the_time_is_up() -> None:
    policy = ReconnectPolicy(first_delay_s=1.0, longest_delay_s=4.0, give_up_s=20.0)
    client = Transcript(reconnect=policy)
    client.log_in()
    delays: list[float] = []

    client.lose_link()
    while client.protocol.state is ClientState.DIALLING:
        delays.append(client.protocol.dial_after_s)
        client.now_s += delays[-1]
        client.protocol.next_url()
        client.protocol.link_lost(LinkClosed(), now_s=client.now_s, jitter=1.0)

    assert delays == [1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0]
    assert client.protocol.failure is not None


@pytest.mark.rule("B3")
def test_without_a_session_a_lost_link_is_dialled_only_for_what_is_asked() -> None:
    client = Transcript()
    client.link(WELCOME)

    client.lose_link()
    state_before = client.protocol.state
    create = client.ask(Create("ada", PASSWORD))

    assert state_before is ClientState.IDLE
    assert client.protocol.state is ClientState.DIALLING
    assert client.protocol.dial_after_s == 0.0
    client.link(WELCOME)
    assert [it.id for it in client.said()] == [create]


# ---- keys that are refused


@pytest.mark.rule("B7")
def test_a_refused_key_of_what_was_never_sent_is_made_by_the_next_links_clock() -> None:
    client = Transcript()
    client.log_in()
    number = client.ask(HELLO)
    client.said()

    client.hears(Refused(number, InvalidKey(reason="in the future")))
    [rejected] = client.told()
    client.lose_link()
    behind_ms = NOW_MS - 30 * DAY_MS
    client.link(Welcome(**{**NUMBERS, "server_time_ms": behind_ms}))
    client.said()
    client.hears(resumed(0))

    assert isinstance(rejected, LinkRejected)
    [again] = client.said()
    assert again.id == number
    assert isinstance(again.command, Send)
    assert int.from_bytes(again.command.key[:6]) == behind_ms


@pytest.mark.rule("B7")
def test_a_key_is_refused_to_its_caller_where_something_may_be_stored_under_it() -> (
    None
):
    client = Transcript()
    client.log_in()
    number = client.ask(HELLO)
    client.said()
    client.lose_link()
    client.link(WELCOME)
    client.said()
    client.hears(resumed(0))
    client.said()
    client.told()

    client.hears(Refused(number, InvalidKey(reason="in the future")))

    [refused] = client.told()
    assert isinstance(refused, CommandAnswered)
    assert isinstance(refused.answer, InvalidKey)


# ---- a change of password whose answer is lost


@pytest.mark.rule("A6")
@pytest.mark.parametrize(
    ("right", "was_changed"), [("a new password", True), (PASSWORD, False)]
)
def test_the_password_that_logs_in_tells_whether_it_was_changed(
    right: str,
    was_changed: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    client = Transcript()
    client.log_in()
    change = ChangePassword(PASSWORD, "a new password")
    number = client.ask(change)
    client.said()
    client.lose_link()
    client.link(WELCOME)
    client.said()
    client.hears(Refused(OWN_ID, SessionGone()))
    client.told()

    [login] = client.said()
    while isinstance(login.command, Login) and login.command.password != right:
        client.hears(Refused(OWN_ID, WrongCredentials()))
        [login] = client.said()
    client.hears(logged_in(OWN_ID, token=b"second"))

    answer = CommandAnswered(number, PasswordChanged(number, ResumeToken(b"second")))
    assert client.told() == ([answer] if was_changed else []) + [LinkUp(URL)]
    assert client.said() == ([] if was_changed else [Request(number, change)])


@pytest.mark.rule("A6")
def test_where_no_password_logs_in_nobody_knows_what_became_of_the_change() -> None:
    client = Transcript()
    client.log_in()
    number = client.ask(ChangePassword(PASSWORD, "a new password"))
    client.said()
    client.lose_link()
    client.link(WELCOME)
    client.said()
    client.hears(Refused(OWN_ID, SessionGone()))
    client.told()

    for _ in range(2):
        client.said()
        client.hears(Refused(OWN_ID, WrongCredentials()))

    refused, ended = client.told()
    assert isinstance(refused, CommandAnswered)
    assert refused.command_id == number
    assert isinstance(refused.answer, OutcomeUnknown)
    assert isinstance(ended, ClientEnded)
    assert isinstance(ended.failure, WrongCredentials)
