"""The tables of a client's states, walked."""

from typing import Final, get_args

import pytest

from chatcore.errors import CloseCode
from chatcore.events import Closing, Event, Ping
from transports.client.states import (
    ANSWERS,
    CLIENT_STATES,
    OWN_ANSWERS,
    UNSOLICITED,
    ClientState,
    ClientTrigger,
    why_unexpected,
)


def test_every_state_is_reached_from_the_first() -> None:
    reached = {ClientState.DIALLING}
    for _ in ClientState:
        reached |= {to for (start, _), to in CLIENT_STATES.items() if start in reached}

    assert reached == set(ClientState)


@pytest.mark.parametrize("state", ClientState)
def test_every_state_can_end(state: ClientState) -> None:
    assert CLIENT_STATES[state, ClientTrigger.ENDED] is ClientState.ENDED


def test_nothing_follows_the_end() -> None:
    after = {step for (start, step) in CLIENT_STATES if start is ClientState.ENDED}

    assert after == {ClientTrigger.ENDED}


@pytest.mark.rule("S3")
@pytest.mark.parametrize(
    "state",
    [it for it in ClientState if it not in {ClientState.IDLE, ClientState.ENDED}],
)
def test_a_lost_link_leads_back_to_dialling_from_everywhere(state: ClientState) -> None:
    assert CLIENT_STATES[state, ClientTrigger.LINK_LOST] is ClientState.DIALLING


@pytest.mark.rule("S3")
def test_commands_flow_only_after_the_session_is_attached_again() -> None:
    resumed = [
        ClientTrigger.LINKED,
        ClientTrigger.WELCOMED_WITH_TOKEN,
        ClientTrigger.ATTACHED,
    ]
    logged_in = [
        ClientTrigger.LINKED,
        ClientTrigger.WELCOMED_WITH_TOKEN,
        ClientTrigger.SESSION_GONE,
        ClientTrigger.ATTACHED,
    ]

    assert walk(resumed) == [
        ClientState.GREETED,
        ClientState.RESUMING,
        ClientState.OPEN,
    ]
    assert walk(logged_in) == [
        ClientState.GREETED,
        ClientState.RESUMING,
        ClientState.LOGGING_IN,
        ClientState.OPEN,
    ]


def walk(steps: list[ClientTrigger]) -> list[ClientState]:
    """The states that steps lead through, from the first."""
    states = [ClientState.DIALLING]
    for step in steps:
        states.append(CLIENT_STATES[states[-1], step])
    return states[1:]


EVERY_EVENT: Final = get_args(Event)


@pytest.mark.parametrize("kind", EVERY_EVENT)
def test_every_event_is_expected_somewhere(kind: type[Event]) -> None:
    assert kind in UNSOLICITED or kind in OWN_ANSWERS or kind in ANSWERS


@pytest.mark.parametrize("kind", [Ping, Closing])
@pytest.mark.parametrize(
    "state", [ClientState.DIALLING, ClientState.IDLE, ClientState.ENDED]
)
def test_nothing_is_expected_where_there_is_no_link(
    state: ClientState, kind: type[Ping | Closing]
) -> None:
    event = Ping() if kind is Ping else Closing(CloseCode.LINK_LOST, "")

    assert why_unexpected(event, state, None)


def test_a_client_that_nobody_needs_dials_only_when_it_is_asked() -> None:
    assert walk([ClientTrigger.NOT_NEEDED, ClientTrigger.ASKED]) == [
        ClientState.IDLE,
        ClientState.DIALLING,
    ]
    assert {step for (start, step) in CLIENT_STATES if start is ClientState.IDLE} == {
        ClientTrigger.ASKED,
        ClientTrigger.ENDED,
    }
