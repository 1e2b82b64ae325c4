"""A cell of the matrix, with a folder of its own."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.conformance.cells import Cell


@pytest.fixture
def cell(request: pytest.FixtureRequest, tmp_path: Path) -> Cell:
    """The cell that ``each_cell`` and its like have chosen."""
    chosen: Cell = request.param
    return replace(chosen, folder=tmp_path)
