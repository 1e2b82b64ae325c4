"""That the matrix is whole, and what is chosen of it leaves no pair out."""

from itertools import combinations, product

from tests.moving.cells import CELLS, is_chosen
from tests.moving.link_ends import TRANSPORTS, Point, Way


def test_each_point_each_way_and_each_pair_of_transports_is_a_cell() -> None:
    cells = {(it.first, it.second, it.point, it.way) for it in CELLS}

    assert cells == set(product(TRANSPORTS, TRANSPORTS, Point, Way))
    assert len(CELLS) == 4 * 4 * 5 * 2


def test_any_two_of_a_cell_are_together_in_one_that_is_always_run() -> None:
    def pairs(cells: list[tuple[object, ...]]) -> set[tuple[object, ...]]:
        return {
            (*places, *(cell[it] for it in places))
            for cell in cells
            for places in combinations(range(4), 2)
        }

    all_cells = [(it.first, it.second, it.point, it.way) for it in CELLS]
    chosen = [(it.first, it.second, it.point, it.way) for it in CELLS if is_chosen(it)]

    assert pairs(list(chosen)) == pairs(list(all_cells))
    assert len(chosen) == len(all_cells) / 4
