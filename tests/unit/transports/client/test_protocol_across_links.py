"""The client's protocol as a transcript: a link is lost, and another is opened."""

from dataclasses import replace
from typing import Final

import pytest

from chatcore.commands import (
    ChangePassword,
    Create,
    DeliveryMode,
    Login,
    Request,
    Resume,
    Send,
)
from chatcore.errors import (
    AccountInUse,
    CloseCode,
    Closed,
    InvalidKey,
    OutcomeUnknown,
    SessionGone,
    TooManyAttempts,
    WrongCredentials,
)
from chatcore.events import Closing, PasswordChanged, Refused, Welcome
from chatcore.ids import AccountId, ResumeToken
from chatcore.limits import DAY_MS
from tests.unit.transports.client.scripted import (
    NOW_MS,
    PASSWORD,
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
from transports import LinkDown, LinkUp, ReconnectPolicy
from transports.client.errors import SessionRefused
from transports.client.events import ClientEnded, CommandAnswered, LinkRejected
from transports.client.states import OWN_ID, ClientState
from transports.errors import CannotConnect, LinkClosed

RESUME: Final = Resume(b"first", 0, DeliveryMode.PUSH)
NUMBERS: Final = {it: getattr(WELCOME, it) for it in WELCOME.__slots__}


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
