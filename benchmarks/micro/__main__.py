"""``python -m benchmarks.micro``: measures, and is the gate of ``.ci/run``."""

import argparse
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.micro.base import Benchmark
from benchmarks.micro.catalogue import chosen
from benchmarks.micro.counting import CannotCount, count_instructions
from benchmarks.micro.references import (
    FILE,
    judge,
    kind_of_build,
    read_references,
    references_of,
    write_references,
)
from benchmarks.micro.timing import cpu_ns


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line says; 1 where a path is dearer than it was."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.micro", description=__doc__
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PART",
        help="only those whose name has this in it; may be given again",
    )
    does = parser.add_mutually_exclusive_group()
    does.add_argument(
        "--check",
        action="store_true",
        help="count instructions only; fail when a path is dearer than its reference",
    )
    does.add_argument(
        "--update", action="store_true", help="count, and write the references anew"
    )
    parser.add_argument(
        "--plant",
        default="",
        metavar="NAME",
        help="make this one 30 %% dearer, to see the check find it",
    )
    parser.add_argument("--references", type=Path, default=FILE, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    benchmarks = chosen(options.only)
    if len(benchmarks) == 1:
        parser.error(f"no benchmark has {' or '.join(options.only)} in its name")
    if options.plant and options.plant not in {it.name for it in benchmarks}:
        parser.error(f"no benchmark that is run is named {options.plant}")
    try:
        counts = count_instructions(benchmarks, planted=options.plant)
    except CannotCount as error:
        print(f"Not counted: {error}", file=sys.stderr)
        if options.check or options.update:
            return 1
        counts = {}
    if options.check:
        return check(counts, options.references, is_whole=not options.only)
    if options.update:
        return update(counts, options.references, is_whole=not options.only)
    show(benchmarks, counts)
    return 0


def check(counts: Mapping[str, float], file: Path, *, is_whole: bool) -> int:
    """Compare with the references of this kind of build; 1 where one is dearer."""
    then = read_references(file).get(kind_of_build())
    if then is None:
        print(f"Not judged: {file.name} has nothing for Python {kind_of_build()}.")
        return 0
    judgement = judge(references_of(counts), then, is_whole=is_whole)
    for line in judgement.lines:
        print(line)
    if judgement.is_dearer:
        print("If it is worth that: python -m benchmarks.micro --update")
        return 1
    print(f"micro: {len(counts) - 1} paths within their references")
    return 0


def update(counts: Mapping[str, float], file: Path, *, is_whole: bool) -> int:
    """Write what was counted; what was not stays, unless all was to be."""
    kinds = read_references(file)
    now, then = references_of(counts), kinds.get(kind_of_build())
    if then is not None and not is_whole:
        now = replace(now, figures={**then.figures, **now.figures})
    write_references(file, {**kinds, kind_of_build(): now})
    print(f"{file.name}: {len(now.figures)} figures for Python {kind_of_build()}")
    return 0


def show(benchmarks: Sequence[Benchmark], counts: Mapping[str, float]) -> None:
    """A line for each: CPU and instructions of a call."""
    print(f"Python {platform.python_version()} ({platform.python_compiler()})")
    print(f"{'a call of':32}{'CPU ns':>12}{'instructions':>15}")
    for it in benchmarks:
        counted = f"{counts[it.name]:15,.0f}" if counts else f"{'-':>15}"
        print(f"{it.name:32}{cpu_ns(it):12,.0f}{counted}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
