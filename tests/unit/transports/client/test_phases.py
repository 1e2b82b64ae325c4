"""The table of a client's phases, walked."""

import pytest

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
