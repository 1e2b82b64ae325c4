"""What bounds the client's protocol: its own commands, slow lists, hostile servers."""

import pytest

from chatcore.commands import ChangePassword, List, Request
from chatcore.errors import CloseCode
from chatcore.events import Closing, Created, Event, Listed, PasswordChanged
from chatcore.ids import AccountId, ResumeToken, Username
from chatcore.limits import MIB
from tests.unit.transports.client.scripted import (
    WELCOME,
    accepted,
    logged_in,
    mail,
    resumed,
)
from tests.unit.transports.client.test_hostile_servers import MISFITS
from tests.unit.transports.client.transcript import HELLO, LOGIN, Transcript
from transports.client.errors import MailMissing, WindowExceeded
from transports.client.events import (
    CommandAnswered,
    LinkDown,
    LinkRejected,
    LinkUp,
    PageArrived,
)
from transports.client.page_buffer import MOST_PAGES
from transports.client.pending_commands import MOST_UNDER_WAY
from transports.client.states import ClientState


def page(number: int, *names: str, complete: bool = False) -> Listed:
    """A page of a list."""
    return Listed(
        number, tuple(map(Username, names)), (True,) * len(names), complete=complete
    )


def ids(requests: list[Request]) -> list[int]:
    """The commands' ids."""
    return [it.id for it in requests]


# ---- the bound on commands under way


@pytest.mark.rule("W8")
def test_no_more_commands_than_the_bound_are_said_without_an_answer() -> None:
    client = Transcript()
    client.log_in()

    asked = [client.ask(HELLO) for _ in range(MOST_UNDER_WAY + 500)]

    assert ids(client.said()) == asked[:MOST_UNDER_WAY]
    assert client.said() == []
    client.hears(*map(accepted, asked[:3]))
    assert ids(client.said()) == asked[MOST_UNDER_WAY : MOST_UNDER_WAY + 3]
    assert not client.protocol.wants_to_write


@pytest.mark.rule("W8")
def test_commands_of_every_kind_count_and_go_on_in_the_order_they_were_asked() -> None:
    client = Transcript()
    client.log_in()
    lists = [client.ask(List()) for _ in range(MOST_UNDER_WAY)]

    waiting = [client.ask(it) for it in (HELLO, List("bob"), HELLO)]

    assert ids(client.said()) == lists
    client.hears(page(lists[0], "ada", complete=True))
    assert ids(client.said()) == waiting[:1]
    client.hears(page(lists[1], complete=True), page(lists[2], complete=True))
    assert ids(client.said()) == waiting[1:]


@pytest.mark.rule("W8")
def test_a_command_that_is_abandoned_while_it_waits_is_never_said() -> None:
    client = Transcript()
    client.log_in()
    asked = [client.ask(HELLO) for _ in range(MOST_UNDER_WAY)]
    client.said()
    first, second = client.ask(HELLO), client.ask(HELLO)

    client.protocol.abandon(first)

    assert client.said() == []
    client.hears(accepted(asked[0]), accepted(asked[1]))
    assert ids(client.said()) == [second]


@pytest.mark.rule("W8")
def test_a_command_that_is_abandoned_under_way_counts_until_it_is_answered() -> None:
    client = Transcript()
    client.log_in()
    asked = [client.ask(HELLO) for _ in range(MOST_UNDER_WAY)]
    client.said()
    waiting = client.ask(HELLO)

    client.protocol.abandon(asked[0])

    assert client.said() == []
    client.hears(accepted(asked[0]))
    assert client.told() == []
    assert ids(client.said()) == [waiting]


@pytest.mark.rule("S3", "W8")
def test_the_bound_holds_on_a_new_link_and_what_was_abandoned_is_not_repeated() -> None:
    client = Transcript()
    client.log_in()
    asked = [client.ask(HELLO) for _ in range(MOST_UNDER_WAY + 2)]
    client.said()
    client.protocol.abandon(asked[0])

    client.lose_link()
    client.link(WELCOME)
    client.said()
    client.hears(resumed(0))

    assert ids(client.said()) == asked[1 : MOST_UNDER_WAY + 1]


# ---- lists


@pytest.mark.rule("L1")
def test_a_list_comes_in_pages_and_its_end_is_its_answer() -> None:
    client = Transcript()
    client.log_in()
    number = client.ask(List("*"))
    client.said()

    client.hears(page(number, "ada"), page(number, "bob", complete=True))

    assert client.told() == [
        PageArrived(number),
        PageArrived(number),
        CommandAnswered(number, page(number, "bob", complete=True)),
    ]
    taken = [client.protocol.take_page(number) for _ in range(3)]
    assert [it and it.names for it in taken] == [("ada",), ("bob",), None]


@pytest.mark.rule("L1", "S3")
def test_a_list_that_is_cut_off_with_its_link_goes_on_after_its_last_name() -> None:
    client = Transcript()
    client.log_in()
    number = client.ask(List("*"))
    client.said()
    client.hears(page(number, "ada"))

    client.lose_link()
    client.link(WELCOME)
    client.said()
    client.hears(resumed(0))

    assert client.said() == [Request(number, List("*", after="ada"))]


@pytest.mark.rule("L1")
def test_a_list_that_nobody_reads_keeps_some_pages_and_asks_for_the_rest_later() -> (
    None
):
    client = Transcript()
    client.log_in()
    number = client.ask(List())
    client.said()
    names = [f"{it:04}" for it in range(MOST_PAGES + 10)]

    client.hears(*(page(number, it, complete=it == names[-1]) for it in names))
    kept = [client.protocol.take_page(number) for _ in range(MOST_PAGES)]
    said_before = client.said()
    end = client.protocol.take_page(number)

    assert [it.names[0] for it in kept if it] == names[:MOST_PAGES]
    assert (said_before, end) == ([], None)
    assert client.said() == [Request(number, List(after=names[MOST_PAGES - 1]))]


@pytest.mark.rule("L1", "W8")
def test_a_list_that_waits_for_its_reader_holds_up_no_other_command() -> None:
    client = Transcript()
    client.log_in()
    lists = [client.ask(List()) for _ in range(MOST_UNDER_WAY)]
    client.said()
    other = client.ask(HELLO)

    pages = [page(lists[0], f"{it:04}") for it in range(MOST_PAGES + 1)]
    client.hears(*pages, page(lists[0], complete=True))

    assert ids(client.said()) == [other]


# ---- servers that are broken or hostile


@pytest.mark.parametrize("event", MISFITS.values(), ids=MISFITS)
def test_what_may_not_come_has_the_link_rejected_and_the_next_one_goes_on(
    event: Event,
) -> None:
    client = Transcript()
    client.log_in()
    number = client.ask(HELLO)
    client.said()

    client.hears(event, accepted(number))

    [rejected] = client.told()
    assert isinstance(rejected, LinkRejected)
    assert client.protocol.is_link_over
    client.lose_link()
    client.link(WELCOME)
    client.said()
    client.hears(resumed(0))
    assert [type(it) for it in client.told()] == [LinkDown, LinkUp]
    assert ids(client.said()) == [number]


@pytest.mark.parametrize(
    "frame", [b"\xff" * 20, bytes(4 * MIB + 1)], ids=["broken", "large"]
)
def test_a_frame_that_no_client_reads_has_the_link_rejected(frame: bytes) -> None:
    client = Transcript()
    client.log_in()

    client.protocol.receive_frame(frame, client.now_s)

    [rejected] = client.told()
    assert isinstance(rejected, LinkRejected)


def test_a_link_that_is_rejected_is_neither_read_nor_written() -> None:
    client = Transcript()
    client.log_in()
    client.hears(Created(77, AccountId(1), Username("ada")))
    client.told()

    number = client.ask(HELLO)
    client.hears(mail(1), accepted(number))

    assert client.told() == []
    assert client.said() == []
    assert client.protocol.take_mail() is None


@pytest.mark.rule("M3")
def test_a_loss_of_mail_has_the_session_resumed_after_what_did_come() -> None:
    client = Transcript()
    client.log_in()

    client.hears(mail(1), mail(3))

    *_, rejected = client.told()
    assert isinstance(rejected, LinkRejected)
    assert isinstance(rejected.error, MailMissing)
    client.lose_link()
    client.link(WELCOME)
    [resume] = client.said()
    assert getattr(resume.command, "last_seen", None) == 1


@pytest.mark.rule("W8")
def test_mail_over_the_window_has_the_link_rejected() -> None:
    client = Transcript()
    client.log_in()

    client.hears(*(mail(it) for it in range(1, WELCOME.window_messages + 2)))

    *_, rejected = client.told()
    assert isinstance(rejected, LinkRejected)
    assert isinstance(rejected.error, WindowExceeded)


def test_a_token_of_a_login_that_fits_into_no_resume_is_not_kept() -> None:
    client = Transcript()
    client.link(WELCOME)
    login = client.ask(LOGIN)
    client.said()
    client.told()

    client.hears(logged_in(login, token=b"x" * 129))

    [rejected] = client.told()
    assert isinstance(rejected, LinkRejected)
    assert client.protocol.session is None


def test_a_token_of_a_change_that_fits_into_no_resume_is_not_kept() -> None:
    client = Transcript()
    client.log_in()
    number = client.ask(ChangePassword("old password", "new password"))
    client.said()

    client.hears(PasswordChanged(number, ResumeToken(b"x" * 129)))

    [rejected] = client.told()
    assert isinstance(rejected, LinkRejected)
    client.lose_link()
    client.link(WELCOME)
    [resume] = client.said()
    assert getattr(resume.command, "token", None) == b"first"


def test_a_closing_is_why_the_link_was_lost() -> None:
    client = Transcript()
    client.link()

    client.hears(Closing(CloseCode.TOO_MANY_CONNECTIONS, "Too many."))
    client.lose_link()

    assert client.protocol.state is ClientState.ENDED
    assert str(client.protocol.failure) == "[4006] Too many."
