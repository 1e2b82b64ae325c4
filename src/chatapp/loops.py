"""Which event loop runs: the standard one, or uvloop where it is installed."""

import asyncio
from collections.abc import Callable, Coroutine
from importlib import import_module
from importlib.util import find_spec
from typing import Literal, TypeAlias, TypeVar, cast

from chatapp.faults import SettingWrong

T = TypeVar("T")
LoopName: TypeAlias = Literal["auto", "asyncio", "uvloop"]
_Make: TypeAlias = Callable[[], asyncio.AbstractEventLoop]


def run_on(name: LoopName, main: Coroutine[object, None, T]) -> T:
    """Run a program to its end on the event loop of this name.

    Raises:
        SettingWrong: ``uvloop`` was asked for and is not installed.
    """
    try:
        make = _loop_factory(name)
    except SettingWrong:
        main.close()
        raise
    with asyncio.Runner(loop_factory=make) as runner:
        return runner.run(main)


def _loop_factory(name: LoopName) -> _Make | None:
    if name == "asyncio" or (name == "auto" and find_spec("uvloop") is None):
        return None
    try:
        return cast("_Make", import_module("uvloop").new_event_loop)
    except ImportError as error:
        raise SettingWrong(
            "uvloop is not installed; pip install 'chatcore[speed]' brings it."
        ) from error
