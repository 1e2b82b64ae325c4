"""The fixtures that pytest-asyncio sets up: one for each scope that a loop may have.

A fixture has to run on the loop of its test, and pytest-asyncio takes the loop from the
fixture's own definition.
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final, Literal

import pytest_asyncio

if TYPE_CHECKING:
    from chattesting import ChatSettings, ManualClock, RunningChat


def _on_loop(
    loop_scope: Literal["function", "class", "module", "package", "session"],
) -> object:
    @pytest_asyncio.fixture(name=f"_chat_on_{loop_scope}_loop", loop_scope=loop_scope)
    async def chat_on_loop(
        _chat_settings_in_force: "ChatSettings", chat_clock: "ManualClock"
    ) -> AsyncIterator["RunningChat"]:
        from chattesting.running_chat import open_chat  # noqa: PLC0415  # see plugin.py

        async with open_chat(_chat_settings_in_force, clock=chat_clock) as running:
            yield running

    return chat_on_loop


on_function_loop: Final = _on_loop("function")
on_class_loop: Final = _on_loop("class")
on_module_loop: Final = _on_loop("module")
on_package_loop: Final = _on_loop("package")
on_session_loop: Final = _on_loop("session")
