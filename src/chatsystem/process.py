"""What a program with many links asks of its process: sockets and an event loop."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Literal, TypeAlias, cast

LoopName: TypeAlias = Literal["auto", "asyncio", "uvloop"]
MakeLoop: TypeAlias = Callable[[], asyncio.AbstractEventLoop]


def loop_factory(name: LoopName) -> MakeLoop | None:
    """What makes the event loop of this name; None is asyncio's own.

    ``auto`` takes uvloop where it is installed.

    Raises:
        ImportError: ``uvloop`` was asked for and is not installed.
    """
    if name == "asyncio" or (name == "auto" and find_spec("uvloop") is None):
        return None
    return cast("MakeLoop", import_module("uvloop").new_event_loop)


def allow_many_sockets() -> None:
    """Raise the soft limit of open files, which is often 1,024, to the hard one."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  # Windows has none

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS has a limit below its hard limit, and a sandbox may forbid it.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
