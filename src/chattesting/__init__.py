"""A chat for an application's own tests, and a plug-in of pytest that gives it to them.

pytest finds ``chattesting.plugin`` by its entry point, in each run where chatcore is
installed. So nothing of the chat is imported before a test asks for one: the names here
are looked up when they are first used, and their types stand in ``__init__.pyi``.

PYTEST_DONT_REWRITE: no assertion of ours is a test of somebody's.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

_HOMES: Final[Mapping[str, str]] = {
    "ChatSettings": "chattesting.settings",
    "ClientFactory": "chattesting.clients",
    "ManualClock": "chattesting.manual_clock",
    "PASSWORD": "chattesting.clients",
    "RunningChat": "chattesting.running_chat",
    "StillBusy": "chattesting.errors",
    "WrongEventLoop": "chattesting.errors",
    "open_chat": "chattesting.running_chat",
}

__all__ = [*_HOMES]  # noqa: PLE0604  # they are strings


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'chattesting' has no attribute {name!r}")
    found: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found
