"""That the suite finds what is wrong with a transport: faults are planted in ours."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import pytest

from tests.conformance import links, test_links
from tests.conformance.faulty_transports import (
    UNASKED,
    Alarmist,
    Busy,
    Closing,
    CodelessLink,
    FaultyTransport,
    ForgetfulLink,
    GreedyLink,
    Muffled,
    SilentLink,
    StillLink,
)
from tests.conformance.matrix import Cell
from tests.stores import OURS
from transports import loopback, registry, tcp, websocket
from transports.base import Transport
from transports.errors import CannotConnect, LinkClosed

Check: TypeAlias = Callable[[Cell], Awaitable[None]]
SOON_S: Final = 0.2
FAILURES: Final = (
    AssertionError,
    TimeoutError,
    CannotConnect,
    LinkClosed,
    pytest.fail.Exception,
)
"""What a test fails by."""

LOOPBACK: Final = Cell(
    transport="loopback",
    codec="msgpack",
    store=OURS[0],
    listens="loopback:",
    tells_code=False,
)
WEBSOCKET: Final = Cell(
    transport="ws", codec="json", store=OURS[0], listens="ws://127.0.0.1:0"
)
TCP: Final = Cell(
    transport="tcp",
    codec="json",
    store=OURS[0],
    listens="tcp://127.0.0.1:0",
    tells_code=False,
)


def closing() -> Transport:
    transport = Closing(loopback)
    transport.ours = transport.turning_away
    return transport


@pytest.mark.own_server
@pytest.mark.parametrize(
    ("plant", "at", "check"),
    [
        pytest.param(
            lambda: FaultyTransport(loopback, ours=StillLink),
            LOOPBACK,
            test_links.test_what_is_read_shows_that_the_peer_lives,
            id="active_s never moves",
        ),
        pytest.param(
            lambda: FaultyTransport(loopback, ours=GreedyLink),
            LOOPBACK,
            test_links.test_a_server_is_held_up_by_a_peer_that_takes_nothing,
            id="a server writes without back-pressure",
        ),
        pytest.param(
            lambda: FaultyTransport(loopback, theirs=GreedyLink),
            LOOPBACK,
            test_links.test_a_client_is_held_up_by_a_server_that_does_not_read,
            id="a client writes without back-pressure",
        ),
        pytest.param(
            lambda: FaultyTransport(websocket, ours=CodelessLink),
            WEBSOCKET,
            test_links.test_what_was_written_before_a_close_arrives_and_then_its_code,
            id="close loses its code",
        ),
        pytest.param(
            lambda: FaultyTransport(tcp, ours=ForgetfulLink),
            TCP,
            test_links.test_what_was_written_before_a_close_arrives_and_then_its_code,
            id="close loses what was written",
        ),
        pytest.param(
            lambda: FaultyTransport(tcp, ours=SilentLink),
            TCP,
            test_links.test_a_link_whose_peer_has_gone_is_gone_for_good,
            id="nobody is told that a link is gone",
        ),
        pytest.param(
            closing,
            LOOPBACK,
            test_links.test_a_listener_that_takes_nobody_any_more_serves_its_links_to_their_end,
            id="a listener turns later requests of open links away",
        ),
        pytest.param(
            lambda: Busy(loopback),
            LOOPBACK,
            test_links.test_a_link_that_is_aborted_ends_at_both_ends,
            id="what was spawned does not return",
        ),
        pytest.param(
            lambda: Muffled(loopback),
            LOOPBACK,
            test_links.test_who_is_refused_learns_the_code,
            id="dial takes a refusal for an unreachable server",
        ),
        pytest.param(
            lambda: Alarmist(loopback),
            LOOPBACK,
            test_links.test_a_server_that_is_not_there_is_told_from_one_that_refuses,
            id="dial takes an unreachable server for a refusal",
        ),
        pytest.param(
            lambda: FaultyTransport(loopback, settings=UNASKED),
            LOOPBACK,
            test_links.test_a_listener_asks_for_room_and_gives_it_back,
            id="a listener does not ask for room",
        ),
    ],
)
async def test_a_fault_of_a_transport_fails_the_check_that_it_passes_without_it(
    plant: Callable[[], Transport],
    at: Cell,
    check: Check,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scheme = at.listens.partition(":")[0]
    await check(at)

    monkeypatch.setattr(links, "WITHIN_S", SOON_S)
    monkeypatch.setitem(registry.TRANSPORTS.registered, scheme, plant())

    with pytest.raises(FAILURES):
        await check(at)
