"""``chatcore bench``: found by its entry point, for it is a distribution of its own."""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Final, cast

from chatapp.bench_settings import BenchSettings
from chatapp.errors import ExtraMissing

GROUP: Final = "chatcore.commands"
_MISSING: Final = (
    "chatcore bench needs pip install chatcore-bench (in a clone of chatcore: "
    "pip install ./benchmarks)"
)


def run(settings: BenchSettings) -> int:
    """Run the comparison, or compare two; 1 where something failed in it, or was asked
    to fail.

    Raises:
        ExtraMissing: the comparison is not installed.
        CannotBench: it cannot be run as asked, or here.
        CannotWrite: the folder cannot be written.
    """
    for found in entry_points(group=GROUP, name="bench"):
        bench = cast("Callable[[BenchSettings], int]", found.load())
        return bench(settings)
    raise ExtraMissing(_MISSING)
