"""How long is waited before a webhook is tried again."""

import pytest

from chatcore import WebhookSettings


@pytest.mark.parametrize(
    ("attempts", "chance", "seconds"),
    [
        (1, 1.0, 1.0),
        (1, 0.0, 0.5),
        (2, 1.0, 2.0),
        (5, 0.5, 12.0),
        (12, 1.0, 2048.0),
        (13, 1.0, 3600.0),
        (36, 0.0, 1800.0),
        (10_000, 1.0, 3600.0),
    ],
)
def test_waits_double_up_to_an_hour_and_differ_by_chance(
    attempts: int, chance: float, seconds: float
) -> None:
    assert WebhookSettings().retry_s(attempts, chance) == seconds


def test_the_usual_number_of_attempts_takes_about_a_day() -> None:
    settings = WebhookSettings()

    waits = [settings.retry_s(it, 0.5) for it in range(1, settings.attempts)]

    assert 18 < sum(waits) / 3600 < 24
