"""That the matrix is whole."""

from itertools import product

from tests.moving.cells import CELLS
from tests.moving.link_ends import TRANSPORTS, Point, Way


def test_each_point_each_way_and_each_pair_of_transports_is_a_cell() -> None:
    cells = {(it.first, it.second, it.point, it.way) for it in CELLS}

    assert cells == set(product(TRANSPORTS, TRANSPORTS, Point, Way))
    assert len(CELLS) == 3 * 3 * 5 * 2
