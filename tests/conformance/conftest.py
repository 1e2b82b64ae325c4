"""The suite's options, and a cell of the matrix with a folder of its own.

Two marks leave a test out of some runs: ``own_server``, which a test has that needs a
server to itself (its limits, clock, hashing, policy or restart), where ``--target``
names one that is up; and none of a test's cells being in the matrix.
"""

from collections.abc import AsyncIterator, Callable, Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from chatsystem.process import MakeLoop
from tests.conformance.loops import LOOPS, loop_for
from tests.conformance.matrix import Cell, Matrix, whole
from tests.conformance.options import matrix_of
from tests.conformance.sweeping import NotForTests, sweep
from tests.conftest import store_kinds
from tests.faults.splitting import splitting_transports
from transports import registry
from transports.errors import CannotConnect

_MATRIX: Final = pytest.StashKey[Matrix]()
_IS_WHOLE: Final = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the options where this folder is named on the command line."""
    group = parser.getgroup("conformance")
    group.addoption(
        "--target",
        default="",
        metavar="URL",
        help="a server for tests that is up, such as tcp://127.0.0.1:7400; "
        "every account on it is deleted",
    )
    group.addoption(
        "--matrix",
        default="chosen",
        choices=("chosen", "whole"),
        help="whether a test runs over one cell of each transport, or over all cells",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose the matrix, and name the marks."""
    # Without this folder on the command line its options are not known in time.
    target = config.getoption("--target", default="")
    module = config.getoption("--transport-module", default="")
    asked = config.getoption("--matrix", default="chosen")
    config.stash[_MATRIX] = matrix_of(
        target, module, is_whole=asked == "whole", stores=store_kinds(config)
    )
    config.stash[_IS_WHOLE] = asked == "whole" or bool(target or module)
    for line in (
        "cells(choice): the cells of the matrix that it runs over (tests.conformance)",
        "own_server: needs a server of its own; not with --target",
        "no_cell: runs over none of the cells that were asked for",
    ):
        config.addinivalue_line("markers", line)


@pytest.hookimpl(trylast=True)  # the test's own parameters come first
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test over its cells."""
    mark = metafunc.definition.get_closest_marker("cells")
    if mark is None:
        return
    choice: Callable[[Matrix], list[Cell]] = mark.args[0]
    matrix = metafunc.config.stash[_MATRIX]
    cells = choice(matrix)
    if choice is whole and not metafunc.config.stash[_IS_WHOLE]:
        cells = matrix.chosen_for(metafunc.definition.originalname)
    nowhere = pytest.param(None, id="nowhere", marks=pytest.mark.no_cell)
    metafunc.parametrize("cell", cells or [nowhere], ids=str, indirect=True)


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, MakeLoop]:
    """Offer a test of cells every loop, of which one is chosen below."""
    has_cells = item.get_closest_marker("cells") is not None
    return LOOPS if has_cells else {"asyncio": LOOPS["asyncio"]}


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem() -> Generator[None, object, object]:
    """Leave each cell of a test the loop whose turn it is."""
    made = yield
    if isinstance(made, list):
        made = [it for it in made if _is_on_its_loop(it)]
    return made


def _is_on_its_loop(item: object) -> bool:
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
        return True
    values = list(item.callspec.params.values())
    cell = item.callspec.params.get("cell")
    if not isinstance(cell, Cell):
        return True
    return LOOPS[loop_for(item.originalname, cell)] in values


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Deselect what does not apply: a skip would say that something is missing."""
    unfit = {"no_cell"}
    if config.getoption("--target", default=""):
        unfit.add("own_server")
    left_out = [it for it in items if any(map(it.get_closest_marker, unfit))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [it for it in items if it not in set(left_out)]


@pytest.fixture(autouse=True)
def _frames_come_apart(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for scheme, transport in splitting_transports(request.node.nodeid).items():
        monkeypatch.setitem(registry.TRANSPORTS.registered, scheme, transport)


@pytest.fixture
async def cell(request: pytest.FixtureRequest) -> AsyncIterator[Cell]:
    """The cell that ``each_cell`` and its like have chosen, with nobody on it."""
    chosen: Cell = request.param
    if chosen.is_target:
        try:
            await sweep(chosen.listens, chosen.codec)
        except (CannotConnect, NotForTests) as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
        yield chosen
        return
    folder: Path = request.getfixturevalue("tmp_path")
    listens = chosen.listens.format(folder=folder)
    with chosen.store.running(folder):
        yield replace(chosen, folder=folder, listens=listens)
