"""That the suite runs on every event loop that is installed."""

import asyncio
from collections import defaultdict

import pytest

from tests.conformance.cells import Cell, each_cell
from tests.conformance.loops import LOOPS, loop_for
from tests.conformance.matrix import TRANSPORTS, Matrix
from tests.stores import OURS

NAMES = ("test_one", "test_another", "test_a_third", "test_a_fourth")


@each_cell
async def test_a_test_runs_on_the_loop_of_its_cell(
    cell: Cell, request: pytest.FixtureRequest
) -> None:
    expected = LOOPS[loop_for(request.node.originalname, cell)]()
    expected.close()

    running = asyncio.get_running_loop()

    assert type(running) is type(expected)


@pytest.mark.parametrize("name", NAMES)
def test_each_transport_codec_and_store_meets_each_loop_in_one_test(name: str) -> None:
    met: dict[str, set[str]] = defaultdict(set)
    for cell in Matrix(TRANSPORTS, OURS).cells:
        for what in (cell.transport, cell.codec, str(cell.store)):
            met[what].add(loop_for(name, cell))

    assert met == {it: set(LOOPS) for it in met}
    assert met.keys() >= {*TRANSPORTS, *map(str, OURS), "json"}


def test_each_cell_meets_each_loop_from_one_test_to_another() -> None:
    met: dict[str, set[str]] = defaultdict(set)
    for cell in Matrix(TRANSPORTS, OURS).cells:
        met[str(cell)] |= {loop_for(name, cell) for name in NAMES}

    assert met == {it: set(LOOPS) for it in met}
