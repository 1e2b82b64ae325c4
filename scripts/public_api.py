"""Writes docs/public-api.txt: every public name with its signature.

A test compares it with the code, so that a change of the public API is seen in a diff::

    uv run python scripts/public_api.py
"""

import inspect
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Final

import chatcore

SNAPSHOT: Final = Path(__file__).resolve().parents[1] / "docs" / "public-api.txt"
_MADE_BY_US: Final = {"Client"}
"""How these are made is nobody else's affair."""


def describe() -> str:
    """All public names, a line each, members of classes below them."""
    lines = [line for name in sorted(chatcore.__all__) for line in _lines_of(name)]
    return "\n".join(lines) + "\n"


def _lines_of(name: str) -> Iterator[str]:
    found = getattr(chatcore, name)
    if not inspect.isclass(found):
        yield f"{name}{_signature(found)}"
        return
    bases = ", ".join(it.__name__ for it in found.__bases__ if it is not object)
    yield f"class {name}({bases})" if bases else f"class {name}"
    if issubclass(found, Enum):
        yield from (f"    {it.name} = {it.value!r}" for it in found)
        return
    is_made_by_caller = name not in _MADE_BY_US
    if is_made_by_caller and {"__init__", "__new__"} & vars(found).keys():
        yield f"    {_signature(found)}"
    for member, value in vars(found).items():
        if member.startswith("_"):
            continue
        if isinstance(value, staticmethod | classmethod):
            yield f"    {member}{_signature(value.__func__)}"
        elif inspect.isfunction(value):
            prefix = "async " if inspect.iscoroutinefunction(value) else ""
            yield f"    {prefix}{member}{_signature(value)}"
        elif isinstance(value, property):
            yield f"    {member}: property"
    if issubclass(found, chatcore.Refusal) and "code" in vars(found):
        yield f"    code = {found.code}"


def _signature(found: object) -> str:
    """The signature; defaults that are objects by their type, which is stable."""
    if not callable(found):
        return f" = {found!r}"
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):
        return ""
    shown = [_shown(it) for it in signature.parameters.values()]
    return str(signature.replace(parameters=shown))


def _shown(parameter: inspect.Parameter) -> inspect.Parameter:
    default = parameter.default
    if default is inspect.Parameter.empty or isinstance(
        default, str | int | float | bytes | None | Enum
    ):
        return parameter
    return parameter.replace(default=_Named(type(default).__name__))


class _Named:
    """Shows a default as the name of its type."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"<{self._name}>"


if __name__ == "__main__":
    SNAPSHOT.write_text(describe(), encoding="utf-8")
    sys.stdout.write(f"{SNAPSHOT.name}: {len(describe().splitlines())} lines\n")
