"""Random users do anything at all, and see what the model says, step by step.

A run is a real ``Chat`` over a real store. After each step of ``random_users`` a
``House`` compares what came out of each link with the model; at the end ``history``
judges all that the clients saw. The long way, for a night::

    RANDOM_USERS=long python -m pytest tests/proof/test_random_users.py
"""

import os
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.random_users import OverFile, OverMemory, RandomUsers

IS_LONG: Final = os.environ.get("RANDOM_USERS") == "long"
RUNS: Final = 20_000 if IS_LONG else 150
SETTINGS: Final = settings(
    max_examples=RUNS,
    stateful_step_count=60,
    deadline=None,
    derandomize=not IS_LONG,
    database=None,
    # What fails in the suite is told at once; the long way also makes it short.
    phases=(Phase.generate, Phase.shrink) if IS_LONG else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(0 if IS_LONG else 120)
@pytest.mark.rule("A3", "A4", "A5", "S1", "S3", "S4", "S6", "M1", "M2", "M3", "M4")
@pytest.mark.rule("M6", "M7", "L1", "D1", "D2", "D3", "D4", "D5", "D6", "E2")
@pytest.mark.parametrize(
    ("users", "runs"),
    [(OverMemory, RUNS), (OverFile, RUNS // 3)],
    ids=["memory", "sqlite"],
)
def test_whatever_users_do_they_see_what_the_model_says(
    users: type[RandomUsers], runs: int
) -> None:
    run_state_machine_as_test(users, settings=settings(SETTINGS, max_examples=runs))
