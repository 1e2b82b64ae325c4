"""Instructions of a call: what valgrind counts is the same in each run.

One process runs all benchmarks under callgrind, with a fixed hash seed. It calls
``getpgid``, which nothing else here calls, before and after each loop, and callgrind
writes down its count each time. A benchmark's loop is run with two numbers of calls:
the difference has nothing in it but calls. The garbage collector is off, since when it
runs hangs on all that was allocated before.

On its own, as ``python -m benchmarks.micro.counting FILE NAME...``, this module is what
runs under valgrind.
"""

import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.micro.base import Benchmark, Call
from benchmarks.micro.catalogue import BENCHMARKS

_WARM_UP: Final = 30
"""Calls that are not counted: the interpreter adapts its code to what is repeated."""
_FEW: Final = 10
_MANY: Final = 30
_MARK: Final = "getpgid"
_TRIGGER: Final = re.compile(rf"^desc: Trigger: --dump-before={_MARK}$", re.MULTILINE)
_COUNT: Final = re.compile(r"^summary: (\d+)", re.MULTILINE)
_PLANTED_OF_TEN: Final = 3


class CannotCount(Exception):
    """Valgrind is not there, or has not counted."""


def count_instructions(
    benchmarks: Sequence[Benchmark], *, planted: str = ""
) -> Mapping[str, float]:
    """Instructions of a call of each, by name.

    Of a benchmark that is ``planted``, three calls of ten are made twice: it has to be
    found 30 % dearer.

    Raises:
        CannotCount: with what valgrind has said.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise CannotCount("valgrind is not installed (Debian: apt install valgrind)")
    names = [it.name for it in benchmarks]
    with tempfile.TemporaryDirectory() as folder:
        pieces = Path(folder) / "callgrind"
        counted = subprocess.run(
            [
                valgrind,
                "--tool=callgrind",
                f"--callgrind-out-file={pieces}",
                f"--dump-before={_MARK}",
                *(sys.executable, "-m", __spec__.name, planted or "-", *names),
            ],
            env={**os.environ, "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        counts = list(_counts_between_marks(Path(folder)))
    if counted.returncode or len(counts) != len(names) * 2:
        raise CannotCount(f"{len(counts)} loops were counted\n{counted.stderr}")
    few, many = counts[::2], counts[1::2]
    return {
        name: (more - less) / (_MANY - _FEW)
        for name, less, more in zip(names, few, many, strict=True)
    }


def _counts_between_marks(folder: Path) -> Iterator[int]:
    """What was counted between the first mark and the second, the third and fourth …"""
    by_number = sorted(
        folder.glob("callgrind.*"), key=lambda it: int(it.suffix.removeprefix("."))
    )
    pieces = [it.read_text(encoding="utf-8", errors="replace") for it in by_number]
    marked = [it for it in pieces if _TRIGGER.search(it)]
    for piece in marked[1::2]:
        found = _COUNT.search(piece)
        if found:
            yield int(found[1])


def _mark() -> None:
    os.getpgid(0)


def _loop(call: Call, calls: int, *, planted: bool) -> None:
    for number in range(calls):
        call()
        if planted and number % 10 < _PLANTED_OF_TEN:
            call()


def run(names: Sequence[str], planted: str) -> None:
    """Run these between marks, as the process that is counted."""
    by_name = {it.name: it for it in BENCHMARKS}
    gc.disable()
    for name in names:
        with by_name[name].open() as call:
            _loop(call, _WARM_UP, planted=False)
            for calls in (_FEW, _MANY):
                _mark()
                _loop(call, calls, planted=name == planted)
                _mark()


if __name__ == "__main__":
    run(sys.argv[2:], sys.argv[1])
