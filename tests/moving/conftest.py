"""Which moves are run: some of ours, with ``--moves whole`` all of them, or those that
another transport has part in.
"""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from tests.conformance.options import load_transport
from tests.moving.cells import CELLS, Cell, cells_of, is_chosen
from tests.moving.link_ends import TRANSPORTS

_MODULE: Final = pytest.StashKey[ModuleType]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the option where this folder is named on the command line."""
    parser.getgroup("moving").addoption(
        "--moves",
        default="chosen",
        choices=("chosen", "whole"),
        help="whether sessions move in some cells, or in all of them",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Load another transport, and name the mark."""
    if path := config.getoption("--transport-module", default=""):
        config.stash[_MODULE] = load_transport(Path(path))
    config.addinivalue_line("markers", "moves(points, beyond): see tests.moving.cells")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test over its cells."""
    mark = metafunc.definition.get_closest_marker("moves")
    if mark is None:
        return
    points, beyond = mark.args
    chosen = [it for it in _cells(metafunc.config) if it.point in points]
    if beyond:
        chosen = [replace(it, number=it.number + beyond) for it in chosen]
    metafunc.parametrize("cell", chosen, ids=str)


def _cells(config: pytest.Config) -> list[Cell]:
    module = config.stash.get(_MODULE, None)
    if module is not None:
        return cells_of([*TRANSPORTS, module.SCHEME], must=module.SCHEME)
    if config.getoption("--moves", default="chosen") == "whole":
        return CELLS
    return [it for it in CELLS if is_chosen(it)]


@pytest.fixture(scope="module")
def transport_module(request: pytest.FixtureRequest) -> ModuleType | None:
    """The transport that is not ours; None without one."""
    return request.config.stash.get(_MODULE, None)
