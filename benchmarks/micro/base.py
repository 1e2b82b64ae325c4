"""What a benchmark is."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, TypeAlias

Call: TypeAlias = Callable[[], object]

SIZES: Final = (1, 16)
"""Items in a batch: alone, as where people chat, and as under load."""
BODY: Final = "x" * 64


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One path.

    Attributes:
        open: makes what the path needs, and gives one call of it, which can be repeated
            for ever and costs the same each time.
    """

    name: str
    open: Callable[[], AbstractContextManager[Call]]
