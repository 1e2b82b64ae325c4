"""Runs the command of one source tree: ``python -P launch.py SRC SHARE serve …``.

It is the server's own process that sees where each package of the tree would come from,
before any is imported, and ends with status 3 where that is not ``SRC``: an installed
chatcore, editable or not, must not be measured in the tree's place. Only the standard
library is imported here, since nothing of today's belongs into that process.

A ``SHARE`` above 0 is a cost put in on purpose, by which the harness proves itself: so
much of the CPU time that the process has used is burned once more, on the event loop's
thread, after each of its turns.

With ``CHATBENCH_METRICS=HOST:PORT`` in the environment a tree that has metrics serves
them there; one of before has none, so that what they cost is what is measured.
"""

import asyncio
import os
import runpy
import sys
import time
from importlib.util import find_spec
from pathlib import Path

ELSEWHERE = 3
METRICS = "CHATBENCH_METRICS"


def packages_elsewhere(source: Path) -> list[str]:
    """The packages of this folder that Python would not import from it."""
    named = [it.parent.name for it in source.glob("*/__init__.py")]
    return [name for name in sorted(named) if not _is_from(source, name)]


def _is_from(source: Path, name: str) -> bool:
    spec = find_spec(name)
    origin = None if spec is None else spec.origin
    return origin is not None and Path(origin).resolve().is_relative_to(source)


def plant(share: float) -> None:
    """Have every event loop of this process burn this share of its CPU time again."""
    turn = asyncio.BaseEventLoop._run_once  # type: ignore[attr-defined]  # noqa: SLF001  # the one place that sees all of a loop's work
    burned_ns = 0.0

    def costly_turn(loop: asyncio.BaseEventLoop) -> None:
        nonlocal burned_ns
        turn(loop)
        due_ns = share * (time.process_time_ns() - burned_ns) - burned_ns
        until_ns = time.thread_time_ns() + due_ns
        while time.thread_time_ns() < until_ns:
            pass
        burned_ns += max(due_ns, 0.0)

    asyncio.BaseEventLoop._run_once = costly_turn  # type: ignore[attr-defined]  # noqa: SLF001  # see above


def main() -> None:
    """See the module."""
    source, share, *words = sys.argv[1:]
    sys.path.insert(0, source)
    os.environ["PYTHONPATH"] = source
    wrong = packages_elsewhere(Path(source).resolve())
    if wrong:
        sys.stderr.write(f"{', '.join(wrong)} would not be imported from {source}\n")
        sys.exit(ELSEWHERE)
    if float(share):
        plant(float(share))
    if METRICS in os.environ and find_spec("chatapp.monitoring") is not None:
        words += ["--metrics", os.environ[METRICS]]
    sys.argv = ["chatcore", *words]
    runpy.run_module("chatapp", run_name="__main__")


if __name__ == "__main__":
    main()
