"""The table of a client's phases, walked."""

from typing import Final, get_args

import pytest

from chatcore.errors import CloseCode
from chatcore.events import Closing, Event, Ping
from transports.client.fitting import ANSWERS, OWN_ANSWERS, UNASKED, misfit
from transports.client.phases import PHASES, Phase, Step


def test_every_phase_is_reached_from_the_first() -> None:
    reached = {Phase.DIALLING}
    for _ in Phase:
        reached |= {to for (start, _), to in PHASES.items() if start in reached}

    assert reached == set(Phase)


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_can_end(phase: Phase) -> None:
    assert PHASES[phase, Step.ENDED] is Phase.ENDED


def test_nothing_follows_the_end() -> None:
    after = {step for (start, step) in PHASES if start is Phase.ENDED}

    assert after == {Step.ENDED}


@pytest.mark.rule("S3")
@pytest.mark.parametrize(
    "phase", [it for it in Phase if it not in {Phase.IDLE, Phase.ENDED}]
)
def test_a_lost_link_leads_back_to_dialling_from_everywhere(phase: Phase) -> None:
    assert PHASES[phase, Step.LINK_LOST] is Phase.DIALLING


@pytest.mark.rule("S3")
def test_commands_flow_only_after_the_session_is_attached_again() -> None:
    resumed = [Step.LINKED, Step.WELCOMED_WITH_TOKEN, Step.ATTACHED]
    logged_in = [
        Step.LINKED,
        Step.WELCOMED_WITH_TOKEN,
        Step.SESSION_GONE,
        Step.ATTACHED,
    ]

    assert walk(resumed) == [Phase.GREETED, Phase.RESUMING, Phase.OPEN]
    assert walk(logged_in) == [
        Phase.GREETED,
        Phase.RESUMING,
        Phase.LOGGING_IN,
        Phase.OPEN,
    ]


def walk(steps: list[Step]) -> list[Phase]:
    """The phases that steps lead through, from the first."""
    phases = [Phase.DIALLING]
    for step in steps:
        phases.append(PHASES[phases[-1], step])
    return phases[1:]


EVERY_EVENT: Final = get_args(Event)


@pytest.mark.parametrize("kind", EVERY_EVENT)
def test_every_event_fits_somewhere(kind: type[Event]) -> None:
    assert kind in UNASKED or kind in OWN_ANSWERS or kind in ANSWERS


@pytest.mark.parametrize("kind", [Ping, Closing])
@pytest.mark.parametrize("phase", [Phase.DIALLING, Phase.IDLE, Phase.ENDED])
def test_nothing_fits_where_there_is_no_link(
    phase: Phase, kind: type[Ping | Closing]
) -> None:
    event = Ping() if kind is Ping else Closing(CloseCode.LINK_LOST, "")

    assert misfit(event, phase, None)


def test_a_client_that_nobody_needs_dials_only_when_it_is_asked() -> None:
    assert walk([Step.NOT_NEEDED, Step.ASKED]) == [Phase.IDLE, Phase.DIALLING]
    assert {step for (start, step) in PHASES if start is Phase.IDLE} == {
        Step.ASKED,
        Step.ENDED,
    }
