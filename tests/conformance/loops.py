"""The event loops that the suite runs on: asyncio's, and uvloop where it exists.

A test runs in each of its cells on one of them, so that there are no more tests for it.
Along a test's cells they take turns, and which comes first is another matter from one
test to the next, so that each cell meets both.
"""

import asyncio
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final
from zlib import crc32

from chatsystem.process import MakeLoop
from tests.conformance.matrix import Cell


def _loops() -> Mapping[str, MakeLoop]:
    loops: dict[str, MakeLoop] = {"asyncio": asyncio.new_event_loop}
    if find_spec("uvloop") is not None:
        import uvloop  # noqa: PLC0415  # it is not made for every system

        loops["uvloop"] = uvloop.new_event_loop
    return loops


LOOPS: Final = _loops()
"""What makes a loop, by name."""


def loop_for(test: str, cell: Cell) -> str:
    """The name of the loop that a test runs on in a cell, the same each time."""
    return list(LOOPS)[(crc32(test.encode()) + cell.turn) % len(LOOPS)]
