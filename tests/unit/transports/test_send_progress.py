"""Whether a peer takes what is written to it (S5, B1)."""

from asyncio import AbstractEventLoop
from typing import cast

import pytest

from transports.send_progress import SendProgress


class Loop:
    """Only the time of an event loop, which the test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def time(self) -> float:
        """See ``asyncio.AbstractEventLoop``."""
        return self.now_s


class Watched:
    """Somebody's taking, and the time."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.taking = SendProgress(cast("AbstractEventLoop", self.loop))

    def look(self, unsent_bytes: int, *, after_s: float) -> None:
        """Look, some seconds later."""
        self.loop.now_s += after_s
        self.taking.look(unsent_bytes)


@pytest.mark.rule("S5", "B1")
def test_while_nothing_waits_all_is_taken() -> None:
    watched = Watched()

    watched.look(0, after_s=50)

    assert watched.taking.taken_s == 150
    assert watched.taking.progress_s == 100


@pytest.mark.rule("S5", "B1")
def test_what_waits_and_does_not_move_is_not_taken() -> None:
    watched = Watched()
    watched.taking.wrote(1000)
    watched.look(600, after_s=1)

    watched.look(600, after_s=10)
    watched.look(600, after_s=10)

    assert watched.taking.taken_s == 101


@pytest.mark.rule("S5", "B1")
def test_what_moves_while_more_is_written_is_taken() -> None:
    watched = Watched()
    watched.taking.wrote(1000)
    watched.look(600, after_s=1)

    watched.taking.wrote(500)
    watched.look(800, after_s=10)

    assert watched.taking.taken_s == 111
    assert watched.taking.progress_s == 111


@pytest.mark.rule("S5", "B1")
def test_more_that_is_written_is_no_progress() -> None:
    watched = Watched()
    watched.taking.wrote(1000)
    watched.look(600, after_s=1)

    watched.taking.wrote(500)
    watched.look(1100, after_s=10)

    assert watched.taking.taken_s == 101
