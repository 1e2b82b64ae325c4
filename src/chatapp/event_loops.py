"""Which event loop runs: the standard one, or uvloop where it is installed."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from chatapp.errors import SettingWrong
from chatsystem.process import LoopName, loop_factory

T = TypeVar("T")


def run_on(name: LoopName, main: Coroutine[object, None, T]) -> T:
    """Run a program to its end on the event loop of this name.

    Raises:
        SettingWrong: ``uvloop`` was asked for and is not installed.
    """
    try:
        make = loop_factory(name)
    except ImportError as error:
        main.close()
        raise SettingWrong(
            "uvloop is not installed; pip install 'chatcore[speed]' brings it."
        ) from error
    with asyncio.Runner(loop_factory=make) as runner:
        return runner.run(main)
