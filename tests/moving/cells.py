"""The cells: by which transport one comes and comes back, where and how one goes."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Final

import pytest

from tests.moving.link_ends import TRANSPORTS, Point, Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One move.

    Attributes:
        number: makes the names of its accounts its own.
    """

    number: int
    first: str
    second: str
    point: Point
    way: Way

    def __str__(self) -> str:
        return f"{self.first}-{self.second}-{self.point.value}-{self.way.value}"

    @property
    def ada(self) -> str:
        """Who sends."""
        return f"ada{self.number}"

    @property
    def bob(self) -> str:
        """To whom."""
        return f"bob{self.number}"

    def bodies(self, count: int) -> list[str]:
        """What Ada says to Bob; nobody else says the same."""
        return [f"{self.number}-{it}" for it in range(count)]


def cells_of(transports: Iterable[str], *, must: str = "") -> list[Cell]:
    """Each move between two of these; with ``must`` only those that it has part in."""
    names = list(transports)
    moves = enumerate(product(Point, Way, names, names))
    return [
        Cell(number=number, first=first, second=second, point=point, way=way)
        for number, (point, way, first, second) in moves
        if not must or must in {first, second}
    ]


CELLS: Final = cells_of(TRANSPORTS)


_PLACES: Final = {
    it: {value: n for n, value in enumerate(values)}
    for it, values in (("point", Point), ("way", Way), ("transport", TRANSPORTS))
}


def is_chosen(cell: Cell) -> bool:
    """Whether a cell is one of those that are always run: of any two of its transports,
    its point and its way, each combination is in some of them.

    For each point and way they are one of a Latin square's four diagonals; each pair of
    transports is on one of them at some point, for either way.
    """
    transports = _PLACES["transport"]
    diagonal = transports[cell.first] + transports[cell.second]
    turn = _PLACES["point"][cell.point] + 2 * _PLACES["way"][cell.way]
    return (diagonal + turn) % len(transports) == 0


def at(*points: Point, beyond: int = 0) -> pytest.MarkDecorator:
    """The cells of these points; those ``beyond`` the matrix have other accounts.

    ``conftest`` chooses them once it knows the options.
    """
    return pytest.mark.moves.with_args(points, beyond)
