"""Over which cells of the matrix a test runs; it takes a ``cell`` and has a mark:

- ``each_cell``: over one cell of each transport, chosen by the test's name; with
  ``--matrix whole`` over all of them;
- ``each_wire``: each transport and codec, over memory: what no store can change;
- ``each_transport``: each transport with its first codec, over memory: timing;
- ``each_listener``: the same, without what a server of others listens for;
- ``each_store``: loopback with its first codec, over each store: what no wire changes;
- ``each_durable_store``: the same, over stores that outlive their server;
- ``over("tcp")``: one transport with each codec, over memory.

``conftest`` asks the ``matrix`` for the cells once it knows the options, with which
another one may be in its place; over none of them, a test is deselected.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import pytest

from tests.conformance.matrix import TRANSPORTS, Cell, Matrix, whole

__all__ = [
    "TRANSPORTS",
    "Cell",
    "each_cell",
    "each_durable_store",
    "each_listener",
    "each_store",
    "each_transport",
    "each_wire",
    "over",
]

Choice: TypeAlias = Callable[[Matrix], list[Cell]]
"""Which cells of a matrix a test runs over; perhaps none of them."""


def _over(choice: Choice) -> pytest.MarkDecorator:
    return pytest.mark.cells.with_args(choice)


each_cell: Final = _over(whole)
each_wire: Final = _over(Matrix.wires)
each_transport: Final = _over(Matrix.transports)
each_listener: Final = _over(Matrix.listeners)
each_store: Final = _over(Matrix.stores)
each_durable_store: Final = _over(Matrix.durable_stores)


def over(transport: str, *codecs: str) -> pytest.MarkDecorator:
    """One transport with these codecs, or with all, over the first store."""
    return _over(
        lambda matrix: [
            it
            for it in matrix.wires()
            if it.transport == transport and (not codecs or it.codec in codecs)
        ]
    )
