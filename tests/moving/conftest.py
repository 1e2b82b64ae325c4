"""Which cells are run: ``--moves whole`` for all of them."""

import pytest

from tests.moving.cells import Cell, is_chosen


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the option where this folder is named on the command line."""
    parser.getgroup("moving").addoption(
        "--moves",
        default="chosen",
        choices=("chosen", "whole"),
        help="whether sessions move in some cells, or in all of them",
    )


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Deselect the cells that are not chosen."""
    if config.getoption("--moves", default="chosen") == "whole":
        return
    left_out = [it for it in items if not _is_run(it)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [it for it in items if _is_run(it)]


def _is_run(item: pytest.Item) -> bool:
    params = (
        item.callspec.params
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
        else {}
    )
    cell = params.get("cell")
    return not isinstance(cell, Cell) or is_chosen(cell)
