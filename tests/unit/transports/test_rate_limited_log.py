"""Log lines that peers can bring about, in a bounded number."""

import logging

import pytest

from transports.rate_limited_log import RateLimitedLog


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was written."""
    return [record.getMessage() for record in caplog.records]


@pytest.mark.rule("B3")
def test_of_one_kind_of_line_so_many_are_written_and_of_others_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    log = RateLimitedLog(logging.getLogger("limited"), now_s=lambda: 0.0)

    for number in range(1000):
        log.info("Refused %d", number)
    log.info("Another kind")

    assert lines(caplog) == [*(f"Refused {n}" for n in range(20)), "Another kind"]


@pytest.mark.rule("B3")
def test_later_it_is_told_how_many_there_were(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    now_s = 0.0
    log = RateLimitedLog(logging.getLogger("limited"), now_s=lambda: now_s)
    for number in range(50):
        log.info("Refused %d", number)
    caplog.clear()

    now_s = 12.0
    log.info("Refused %d", 50)

    assert lines(caplog) == ["30 more lines in 12 s like: Refused %d", "Refused 50"]
