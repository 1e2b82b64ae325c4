"""A client process whose link is cut during a replay: the short run of ``replay_cut``.

``python -m tests.faults.replay_cut`` is the long one; ``CHATCORE_SEED`` repeats a run.
"""

import os
import random
from typing import Final

import pytest

from tests.faults.replay_cut import Faults, Handed, compare, replay

SEED: Final = int(os.environ.get("CHATCORE_SEED", "0")) or random.randrange(2**32)  # noqa: S311  # no secret
ONE, TWO, THREE = (Handed(n, "ada", str(n)) for n in (1, 2, 3))


@pytest.mark.slow
@pytest.mark.rule("M5", "S3", "M3")
async def test_a_process_that_is_cut_off_often_hands_each_message_over_once() -> None:
    told, is_right = await replay(messages=1000, cuts=50, seed=SEED)

    assert is_right, told
    assert told.startswith("1000 of 1000 real messages handed over, 5")


@pytest.mark.parametrize(
    ("handed", "faults"),
    [
        ([ONE, TWO, THREE], Faults(lost=0, extra=0, out_of_order=0)),
        ([ONE, THREE], Faults(lost=1, extra=0, out_of_order=0)),
        ([ONE, TWO, TWO, THREE], Faults(lost=0, extra=1, out_of_order=0)),
        ([ONE, TWO._replace(body="?"), THREE], Faults(lost=1, extra=1, out_of_order=0)),
        ([ONE, THREE, TWO], Faults(lost=0, extra=0, out_of_order=2)),
    ],
    ids=["each once in order", "lost", "twice", "changed", "out of order"],
)
def test_what_is_wrong_with_a_replay_is_found(
    handed: list[Handed], faults: Faults
) -> None:
    stored = [ONE, TWO, THREE]

    assert compare(stored, handed) == faults


def test_messages_stored_in_another_order_than_sent_are_out_of_order() -> None:
    stored = [ONE, THREE._replace(position=2), TWO._replace(position=3)]
    handed = [ONE, TWO._replace(position=2), THREE._replace(position=3)]

    faults = compare(stored, handed)

    assert faults
