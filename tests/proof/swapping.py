"""Replaces parts of the product in this process, for good."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeAlias

Method: TypeAlias = Callable[..., Any]


def swap(owner: object, name: str, make: Callable[[Method], object]) -> None:
    """Replace an attribute by what ``make`` makes of the original."""
    setattr(owner, name, make(getattr(owner, name)))


def swap_everywhere(home: ModuleType, name: str, make: Callable[[Any], object]) -> None:
    """Replace what a module offers, also where others have imported it by its name."""
    offered = getattr(home, name)
    made = make(offered)
    for module in list(sys.modules.values()):
        if getattr(module, "__dict__", {}).get(name) is offered:
            setattr(module, name, made)
