"""Values of settings: from a text, or from what a TOML file has, to what they mean."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, TypeVar, get_args, get_origin, get_type_hints

from chatapp.errors import SettingWrong
from chatcore.limits import LimitsContradict

T = TypeVar("T")
_RATE: Final = "_per_s"
_MOST: Final = 2**31 - 1
_MOST_LARGE: Final = 2**53
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Given:
    """A value as a source gave it, and where that was, for an error."""

    value: object
    where: str


def convert(kind: object, given: Given) -> object:
    """A value of a kind, from a text or from what TOML has.

    Raises:
        SettingWrong: it cannot be one.
    """
    value = given.value
    if get_origin(kind) is tuple:
        return _texts(given)
    choices = choices_of(kind)
    if choices:
        if value not in choices:
            raise SettingWrong(f"{given.where} is one of {', '.join(choices)}.")
        return kind(value) if isinstance(kind, type) else value
    if kind is bool:
        return _truth(given)
    if kind is int or kind is float:
        return _number(given, whole=kind is int)
    if not isinstance(value, str) or not value:
        raise SettingWrong(f"{given.where} is a text, not {value!r}.")
    return value


def make_limits(kind: type[T], given: Mapping[str, Given]) -> T:
    """Limits, a dataclass of numbers that have defaults, with these changed.

    Raises:
        SettingWrong: no such limit, no number above 0 (a rate may be 0, which is no
            limit), one that is too large, or two that contradict each other.
    """
    kinds = get_type_hints(kind)
    values: dict[str, int | float] = {}
    for name, it in given.items():
        if name not in kinds:
            listed = ", ".join(kinds)
            raise SettingWrong(f"{it.where}: there is no such limit; known: {listed}.")
        if kinds[name] is bool:
            values[name] = _truth(it)
            continue
        number = _number(it, whole=kinds[name] is int)
        if isinstance(number, int) and number > _most(name):
            raise SettingWrong(f"{it.where} is at most {_most(name)}, not {number}.")
        if number < 0 or (number == 0 and not name.endswith(_RATE)):
            raise SettingWrong(f"{it.where} is more than 0, not {number}.")
        values[name] = number
    try:
        return kind(**values)
    except LimitsContradict as contradict:
        raise SettingWrong(str(contradict)) from contradict


def _most(name: str) -> int:
    """The largest whole number that every transport and store can count to."""
    return _MOST_LARGE if name.endswith("_ms") or name == "held_bytes" else _MOST


def limits_of(given: Given) -> dict[str, Given]:
    """Limits by name, from a table or from a list of ``NAME=VALUE``."""
    if isinstance(given.value, dict):
        return dict(given.value)
    found: dict[str, Given] = {}
    for text in _texts(given):
        name, equals, number = text.partition("=")
        if not equals:
            raise SettingWrong(f"{given.where} is NAME=VALUE, not {text!r}.")
        found[name.strip()] = Given(number.strip(), f"{given.where} {name.strip()}")
    return found


def _texts(given: Given) -> tuple[str, ...]:
    value = given.value
    if isinstance(value, list | tuple) and all(isinstance(it, str) for it in value):
        return tuple(value)
    raise SettingWrong(f"{given.where} is a list of texts, not {value!r}.")


def _truth(given: Given) -> bool:
    value = given.value
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    raise SettingWrong(f"{given.where} is true or false, not {value!r}.")


def _number(given: Given, *, whole: bool) -> int | float:
    value = given.value
    try:
        if isinstance(value, str):
            value = int(value) if whole else float(value)
    except ValueError:
        pass
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and not whole and math.isfinite(value):
        return value
    called = "a whole number" if whole else "a number"
    raise SettingWrong(f"{given.where} is {called}, not {value!r}.")


def choices_of(kind: object) -> list[str]:
    """The only values of a kind, where they can be listed."""
    if get_origin(kind) is Literal:
        return [str(it) for it in get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(it.value) for it in kind]
    return []
