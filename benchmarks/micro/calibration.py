"""What this build of Python costs by itself: others' figures are told in it.

The same work takes other numbers of instructions in other builds. What a benchmark
takes is divided by what this takes: calls, attributes, tuples, dictionaries, text.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks.micro.base import Benchmark, Call


class _Account:
    __slots__ = ("name", "positions")

    def __init__(self, name: str) -> None:
        self.name = name
        self.positions: list[int] = []

    def add(self, position: int) -> tuple[str, int]:
        self.positions.append(position)
        return self.name, position


def work() -> dict[str, int]:
    """Some of what programs do."""
    account = _Account("ada")
    added: dict[str, int] = {}
    for number in range(50):
        name, position = account.add(number * 1000)
        added[f"{name} {position}".upper()] = len(b"x" * (number % 8))
    return added


@contextmanager
def _opened() -> Iterator[Call]:
    yield work


CALIBRATION: Final = Benchmark("calibration", _opened)
