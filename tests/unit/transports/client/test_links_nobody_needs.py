"""When a client has a link, when it dials, and when it waits (B3)."""

import asyncio
from typing import Final

import pytest

from chatcore.commands import Create, List, Login, Resume, Send
from chatcore.errors import (
    Busy,
    CloseCode,
    Closed,
    InvalidKey,
    LoginRequired,
    MalformedCommand,
    SessionGone,
    TooManyAttempts,
)
from chatcore.events import Closing, Created, Refused, Welcome
from chatcore.ids import AccountId, Username
from chatcore.limits import DAY_MS, KIB
from tests.unit.transports.client.scripted import (
    NOW_MS,
    PASSWORD,
    SOON,
    WELCOME,
    LinkEnded,
    Peer,
    accepted,
    logged_in,
    resumed,
    scripted,
)
from transports import LinkDown, LinkEvent, LinkUp, ReconnectPolicy, connect

TIMEOUT: Final = Closing(CloseCode.LOGIN_TIMEOUT, "Nobody logged in on this link.")
NUMBERS: Final = {it: getattr(WELCOME, it) for it in WELCOME.__slots__}


@pytest.mark.rule("B3")
async def test_a_client_that_asks_nothing_dials_only_when_it_asks() -> None:
    events: list[LinkEvent] = []
    is_lost = asyncio.Event()

    def take_note(event: LinkEvent) -> None:
        events.append(event)
        if isinstance(event, LinkDown):
            is_lost.set()

    async def nobody(peer: Peer) -> None:
        await peer.say(WELCOME)
        await peer.say(TIMEOUT)

    async def somebody(peer: Peer) -> None:
        await peer.log_in()
        await peer.hear_all()

    async with (
        scripted(nobody, somebody) as server,
        connect(server.url, reconnect=SOON, on_link=take_note) as client,
    ):
        await is_lost.wait()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(20 * SOON.longest_delay_s):
                await asyncio.Event().wait()
        links_before, told_before = server.links, list(events)

        await client.login("ada", PASSWORD)

    up, down = LinkUp(server.url), LinkDown(server.url)
    assert (links_before, told_before) == (1, [up, down])
    assert (server.links, events[:3]) == (2, [up, down, up])


@pytest.mark.rule("B3", "M5")
async def test_what_was_asked_is_repeated_after_a_link_that_nobody_logged_in_on() -> (
    None
):
    async def nobody(peer: Peer) -> None:
        await peer.say(WELCOME)
        await peer.hear(Create)
        await peer.say(TIMEOUT)

    async def again(peer: Peer) -> None:
        await peer.say(WELCOME)
        number, _ = await peer.hear(Create)
        await peer.say(Created(number, AccountId(1), Username("ada")))
        await peer.hear_all()

    async with (
        scripted(nobody, again) as server,
        connect(server.url, reconnect=SOON) as client,
    ):
        account = await client.create("ada", PASSWORD)

    assert account == AccountId(1)


async def test_a_server_with_too_many_connections_says_so_at_connect() -> None:
    async def full(peer: Peer) -> None:
        await peer.say(Closing(CloseCode.TOO_MANY_CONNECTIONS, "Too many."))

    async with scripted(full) as server:
        with pytest.raises(Closed) as closed:
            async with connect(server.url, reconnect=SOON):
                pass

    assert closed.value.code is CloseCode.TOO_MANY_CONNECTIONS


@pytest.mark.rule("B4")
@pytest.mark.parametrize("refusal", [TooManyAttempts, Busy])
async def test_a_login_of_its_own_waits_as_long_as_it_is_told(
    refusal: type[TooManyAttempts],
) -> None:
    at_s: list[float] = []
    loop = asyncio.get_running_loop()

    async def first(peer: Peer) -> None:
        await peer.log_in()

    async def throttled(peer: Peer) -> None:
        await peer.say(WELCOME)
        await peer.hear(Resume)
        await peer.say(Refused(0, SessionGone()))
        await peer.hear(Login)
        at_s.append(loop.time())
        await peer.say(Refused(0, refusal(retry_after_ms=200)))
        await peer.hear_all()

    async def again(peer: Peer) -> None:
        at_s.append(loop.time())
        await peer.resume()
        number, _ = await peer.hear(Send)
        await peer.say(accepted(number))
        await peer.hear_all()

    async with (
        scripted(first, throttled, again) as server,
        connect(server.url, reconnect=SOON) as client,
    ):
        await client.login("ada", PASSWORD)
        receipt = await client.send("bob", "hello")

    assert receipt.position == 1
    assert at_s[1] - at_s[0] >= 0.2  # as it was told


@pytest.mark.rule("B4")
async def test_a_wait_that_is_too_long_ends_in_the_refusal_that_asks_for_it() -> None:
    async def first(peer: Peer) -> None:
        await peer.log_in()

    async def throttled(peer: Peer) -> None:
        await peer.say(WELCOME)
        await peer.hear(Resume)
        await peer.say(Refused(0, TooManyAttempts(retry_after_ms=3_600_000)))
        await peer.hear_all()

    async with scripted(first, throttled) as server:
        with pytest.raises(TooManyAttempts):  # noqa: PT012  # at the second
            async with connect(server.url, reconnect=SOON) as client:
                await client.login("ada", PASSWORD)
                await client.send("bob", "hello")


async def test_a_refusal_of_a_callers_own_login_is_raised() -> None:
    async def busy(peer: Peer) -> None:
        await peer.say(WELCOME)
        number, _ = await peer.hear(Login)
        await peer.say(Refused(number, TooManyAttempts(retry_after_ms=10)))
        await peer.hear_all()

    async with scripted(busy) as server, connect(server.url) as client:
        with pytest.raises(TooManyAttempts):
            await client.login("ada", PASSWORD)


def test_a_crowded_server_is_left_alone_for_half_the_longest_delay() -> None:
    delays = [ReconnectPolicy().crowded_delay_s(it / 100) for it in range(101)]

    assert min(delays) >= ReconnectPolicy().longest_delay_s / 2
    assert max(delays) <= ReconnectPolicy().longest_delay_s


@pytest.mark.rule("B1")
async def test_a_large_message_waits_until_the_login_is_answered() -> None:
    body = "x" * 40 * KIB
    frames_before: list[int] = []

    async def serve(peer: Peer) -> None:
        await peer.say(WELCOME)
        number, _ = await peer.hear(Login)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await peer.hear()
        frames_before.append(number)
        await peer.say(logged_in(number))
        number, command = await peer.hear(Send)
        assert isinstance(command, Send)
        assert command.body == body
        await peer.say(accepted(number))
        await peer.hear_all()

    async with (
        scripted(serve) as server,
        connect(server.url) as client,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(client.login("ada", PASSWORD))
        sending = tasks.create_task(client.send("bob", body))

    assert sending.result().position == 1
    assert frames_before == [1]


@pytest.mark.rule("B1")
async def test_a_large_message_of_nobody_is_refused_here_as_it_would_be_there() -> None:
    async def serve(peer: Peer) -> None:
        await peer.say(WELCOME)
        assert await peer.hear_all() == []

    async with scripted(serve) as server, connect(server.url) as client:
        with pytest.raises(LoginRequired):
            await client.send("bob", "x" * 40 * KIB)


async def test_what_is_no_text_is_refused_here() -> None:
    async def serve(peer: Peer) -> None:
        await peer.say(WELCOME)
        await peer.hear(List)
        raise LinkEnded

    async with scripted(serve) as server, connect(server.url) as client:
        with pytest.raises(MalformedCommand):
            await client.create("\ud800", PASSWORD)


@pytest.mark.rule("B7")
async def test_a_refused_key_of_what_was_never_sent_is_made_by_the_new_clock() -> None:
    later = Welcome(**{**NUMBERS, "server_time_ms": NOW_MS - 30 * DAY_MS})

    async def ahead(peer: Peer) -> None:
        await peer.log_in()
        number, _ = await peer.hear(Send)
        await peer.say(Refused(number, InvalidKey(reason="in the future")))
        await peer.hear_all()

    async def behind(peer: Peer) -> None:
        await peer.say(later)
        _, resume = await peer.hear(Resume)
        assert isinstance(resume, Resume)
        await peer.say(resumed(resume.last_seen))
        number, command = await peer.hear(Send)
        assert isinstance(command, Send)
        made_ms.append(int.from_bytes(command.key[:6]))
        await peer.say(accepted(number))
        await peer.hear_all()

    made_ms: list[int] = []

    async with (
        scripted(ahead, behind) as server,
        connect(server.url, reconnect=SOON) as client,
    ):
        await client.login("ada", PASSWORD)
        receipt = await client.send("bob", "hello")

    assert receipt.position == 1
    assert abs(made_ms[0] - later.server_time_ms) < DAY_MS


@pytest.mark.rule("B7")
async def test_a_refused_key_of_what_may_be_stored_is_told() -> None:
    keys: list[bytes] = []

    async def read(peer: Peer) -> None:
        await peer.log_in()
        _, command = await peer.hear(Send)
        assert isinstance(command, Send)
        keys.append(command.key)

    async def refuse(peer: Peer) -> None:
        await peer.resume()
        number, command = await peer.hear(Send)
        assert isinstance(command, Send)
        keys.append(command.key)
        await peer.say(Refused(number, InvalidKey(reason="in the future")))
        await peer.hear_all()

    async with (
        scripted(read, refuse) as server,
        connect(server.url, reconnect=SOON) as client,
    ):
        await client.login("ada", PASSWORD)
        with pytest.raises(InvalidKey):
            await client.send("bob", "hello")

    assert keys[0] == keys[1]
