"""A server that is broken or hostile ends its link, and nothing else of a client."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import is_dataclass, replace
from typing import Final, TypeAlias, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatcore.commands import Delete, InboxAction, List, Login, Logout, Send
from chatcore.errors import ChatError, CloseCode, Closed
from chatcore.events import (
    Accepted,
    Created,
    Deleted,
    Event,
    Listed,
    LoggedOut,
    PasswordChanged,
    Ping,
    Started,
    Welcome,
)
from chatcore.ids import AccountId, ResumeToken, Username
from chatcore.limits import MIB
from chatcore.model import DeletionReceipt
from tests.unit.transports.client.scripted import (
    BRIEFLY,
    PASSWORD,
    SOON,
    WELCOME,
    Peer,
    Script,
    accepted,
    framed,
    logged_in,
    mail,
    resumed,
    scripted,
)
from tests.unit.transports.codec.test_laws import EVENTS
from transports import Client, ListedAccount, connect
from transports.client.page_buffer import MOST_PAGES
from transports.errors import LinkClosed

RECEIPT: Final = DeletionReceipt(
    dry_run=False, delivered=0, discarded=0, bounces=0, kept=0, retracted=0
)
MISFITS: Final[dict[str, Event]] = {
    "a second welcome": WELCOME,
    "a session that nobody resumes": resumed(0),
    "a login that the client did not repeat": logged_in(0),
    "an answer to nothing": Created(77, AccountId(1), Username("ada")),
    "a login that nobody asked for": logged_in(77),
    "a logout that nobody asked for": LoggedOut(77),
    "a deletion that nobody asked for": Deleted(77, RECEIPT),
    "a token that nobody asked for": PasswordChanged(77, ResumeToken(b"other")),
    "a page of no list": Listed(77, (Username("ada"),), (True,), complete=False),
    "something that starts, which nobody asked for": Started(77),
    "a message that follows one that never came": mail(5),
    "a message that stands before the one before it": mail(0, follows=0),
}


@pytest.mark.parametrize("event", MISFITS.values(), ids=MISFITS)
async def test_what_does_not_fit_ends_the_link_and_the_next_one_goes_on(
    event: Event, caplog: pytest.LogCaptureFixture
) -> None:
    async def hostile(peer: Peer) -> None:
        await peer.log_in()
        await peer.say(event)
        await peer.hear_all()

    async def good(peer: Peer) -> None:
        assert (await peer.resume()).token == b"first"
        number, _ = await peer.hear(Send)
        await peer.say(accepted(number))
        number, _ = await peer.hear(Logout)
        await peer.say(LoggedOut(number))

    async with (
        scripted(hostile, good) as server,
        connect(server.url, reconnect=SOON) as client,
    ):
        await client.login("ada", PASSWORD)
        receipt = await client.send("bob", "hello")

    assert receipt.position == 1
    assert server.links == 2
    [warning] = [it for it in caplog.records if it.levelno == logging.WARNING]
    assert "Giving up a link" in warning.getMessage()


async def test_an_answer_of_another_kind_ends_the_link() -> None:
    async def hostile(peer: Peer) -> None:
        await peer.log_in()
        number, _ = await peer.hear(Send)
        await peer.say(Created(number, AccountId(1), Username("ada")))
        await peer.hear_all()

    async with scripted(hostile) as server:
        with pytest.raises(Closed) as closed:  # noqa: PT012  # the first that is raised
            async with connect(server.url, reconnect=None) as client:
                await client.login("ada", PASSWORD)
                await client.send("bob", "hello")

    assert closed.value.code is CloseCode.LINK_LOST
    assert closed.value.text == "Created is no answer to Send"


@pytest.mark.parametrize(
    "told",
    [
        {"frame_bytes": 0},
        {"login_frame_bytes": 1},
        {"body_bytes": 0},
        {"window_messages": 0},
        {"server_time_ms": -1},
        {"server_time_ms": 2**62},
    ],
    ids=str,
)
async def test_limits_that_nothing_fits_into_are_refused_at_the_welcome(
    told: dict[str, int],
) -> None:
    numbers = {it: getattr(WELCOME, it) for it in WELCOME.__slots__}

    async def hostile(peer: Peer) -> None:
        await peer.say(Welcome(**{**numbers, **told}))
        await peer.hear_all()

    async with scripted(hostile) as server:
        with pytest.raises(LinkClosed) as closed:
            async with connect(server.url, reconnect=SOON):
                pass

    assert next(iter(told)) in closed.value.text


async def test_a_frame_is_refused_before_it_is_buffered_when_it_is_too_large() -> None:
    async def hostile(peer: Peer) -> None:
        await peer.say(WELCOME)
        await peer.hear(Login)
        await peer.write((5 * MIB).to_bytes(4))
        await peer.hear_all()

    async with scripted(hostile) as server:
        with pytest.raises(Closed):
            async with connect(server.url, reconnect=None) as client:
                await client.login("ada", PASSWORD)


@pytest.mark.rule("W8", "M5")
async def test_mail_over_the_window_ends_the_link_and_comes_again() -> None:
    window = WELCOME.window_messages
    has_resumed = asyncio.Event()

    async def hostile(peer: Peer) -> None:
        await peer.log_in()
        await peer.say(*(mail(it) for it in range(1, window + 50)))
        await peer.hear_all()

    async def good(peer: Peer) -> None:
        last_seen = (await peer.resume()).last_seen
        assert last_seen == window
        has_resumed.set()
        await peer.say(*(mail(it) for it in range(last_seen + 1, window + 50)))
        await peer.hear_all()

    async with (
        scripted(hostile, good) as server,
        connect(server.url, reconnect=SOON) as client,
    ):
        await client.login("ada", PASSWORD)
        await has_resumed.wait()
        messages = client.messages()
        positions = [(await anext(messages)).position for _ in range(window + 49)]

    assert positions == list(range(1, window + 50))


@pytest.mark.rule("L1")
async def test_a_list_that_nobody_reads_holds_up_no_other_command() -> None:
    names = [Username(f"{it:04}") for it in range(MOST_PAGES + 100)]
    asked: list[str] = []

    async def serve(peer: Peer) -> None:
        await peer.log_in()
        while True:
            number, command = await peer.hear()
            match command:
                case List(after=after):
                    asked.append(after)
                    for name in (it for it in names if it > after):
                        complete = name == names[-1]
                        await peer.say(Listed(number, (name,), (True,), complete))
                case Send():
                    await peer.say(accepted(number))
                case Logout():
                    await peer.say(LoggedOut(number))
                case _:
                    pass

    async with (
        scripted(serve) as server,
        connect(server.url, reconnect=SOON) as client,
    ):
        await client.login("ada", PASSWORD)
        entries = client.list()
        first = await anext(entries)

        receipt = await client.send("bob", "hello")
        rest = [it.username async for it in entries]

    assert receipt.position == 1
    assert [first.username, *rest] == names
    assert len(asked) > 1


async def test_a_list_that_is_left_leaves_no_pages_behind() -> None:
    async def serve(peer: Peer) -> None:
        await peer.log_in()
        number, _ = await peer.hear(List)
        await peer.say(Listed(number, (Username("ada"),), (True,), complete=False))
        await peer.hear(Send)
        await peer.say(Listed(number, (Username("bob"),), (True,), complete=True))
        number, _ = await peer.hear(Delete)
        await peer.say(Deleted(number, RECEIPT))

    async with (
        scripted(serve) as server,
        connect(server.url, reconnect=SOON) as client,
    ):
        await client.login("ada", PASSWORD)
        listing = cast("AsyncGenerator[ListedAccount]", client.list())
        async with aclosing(listing) as names:
            await anext(names)
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(client.send("bob", "hello"))
            deleting = tasks.create_task(
                client.delete("ada", PASSWORD, inbox=InboxAction.DISCARD)
            )
            await deleting
            sending.cancel()

        assert client.username is None


async def test_however_many_pings_there_are_one_answer_is_owed() -> None:
    async def serve(peer: Peer) -> None:
        await peer.say(WELCOME)
        await peer.say(*[Ping()] * 10_000)
        await peer.hear(Login)
        peer.cut()

    async with scripted(serve) as server:
        with pytest.raises(Closed):
            async with connect(server.url, reconnect=BRIEFLY) as client:
                await client.login("ada", PASSWORD)


Told: TypeAlias = tuple[tuple[Event, ...], list[Event], int]
IDS: Final = st.integers(0, 6)


@st.composite
def likely_events(draw: st.DrawFn) -> Event:
    """Any event, more often under an id that means something to a client."""
    event: Event = draw(EVENTS)
    if isinstance(event, Accepted):
        return event._replace(id=draw(IDS))
    if is_dataclass(event) and hasattr(event, "id") and draw(st.booleans()):
        event = replace(event, id=draw(IDS))  # type: ignore[arg-type]  # it has one
    return event


GOOD_STARTS: Final = st.sampled_from(
    [
        (),
        (WELCOME,),
        (WELCOME, logged_in(1)),
        (WELCOME, resumed(0)),
        (WELCOME, logged_in(0)),
        (WELCOME, logged_in(1), mail(1), mail(2)),
    ]
)
LINKS: Final = st.lists(
    st.tuples(
        GOOD_STARTS, st.lists(likely_events(), max_size=12), st.integers(0, 2**32)
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(links=LINKS)
def test_whatever_a_server_says_a_client_raises_what_the_library_raises(
    links: list[Told],
) -> None:
    outcomes = asyncio.run(talk_to(links))

    assert [it for it in outcomes if not isinstance(it, ChatError)] == []


async def talk_to(links: list[Told]) -> list[BaseException]:
    """What a client's calls raise, of one that is told this on each of its links."""

    def script(start: tuple[Event, ...], events: list[Event], seed: int) -> Script:
        lots = random.Random(seed)  # noqa: S311  # no secret

        async def say(peer: Peer) -> None:
            stream = b"".join(framed(it) for it in (*start, *events))
            while stream:
                size = lots.randint(1, len(stream))
                await peer.write(stream[:size])
                stream = stream[size:]
                await asyncio.sleep(0)

        return say

    async with scripted(*(script(*it) for it in links)) as server:
        try:
            async with connect(server.url, reconnect=BRIEFLY) as client:
                calls = [
                    client.login("ada", PASSWORD),
                    client.send("bob", "hello"),
                    all_names(client),
                    client.change_password(PASSWORD, "another one"),
                    client.delete("ada", PASSWORD, dry_run=True),
                    client.deliver(),
                    all_mail(client),
                ]
                answers = await asyncio.gather(*calls, return_exceptions=True)
                return [it for it in answers if isinstance(it, BaseException)]
        except ChatError as error:
            return [error]


async def all_names(client: Client) -> None:
    """Read a list to its end."""
    async for _ in client.list():
        pass


async def all_mail(client: Client) -> None:
    """Read mail until there is no session."""
    async for _ in client.mail():
        pass
