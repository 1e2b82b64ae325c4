"""Patterns that choose usernames (L1): only ``*`` and ``?`` are special."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chatcore.errors import InvalidPattern


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern.

    ``prefix`` is what every match starts with, for a walk along an index; ``matches``
    judges a whole name.
    """

    prefix: str
    matches: Callable[[str], bool]


def compile_pattern(text: str, *, max_chars: int) -> Pattern:
    """Compile ``text``; letters are mapped to lower case as usernames are.

    ``*`` matches any run of characters and ``?`` one, over the whole name. Without
    either, a name matches when it contains ``text``; the empty pattern matches all.

    Raises:
        InvalidPattern: it is longer than ``max_chars``.
    """
    if len(text) > max_chars:
        raise InvalidPattern(maximum=max_chars, chars=len(text))
    folded = unicodedata.normalize("NFC", text.lower())
    if "*" not in folded and "?" not in folded:
        return Pattern("", lambda name: folded in name)
    first, *rest = folded.split("*")
    prefix = first.partition("?")[0]
    if not rest:
        return Pattern(prefix, lambda name: _fits(first, name, 0, len(name)))
    parts, last = [it for it in rest[:-1] if it], rest[-1]
    return Pattern(prefix, lambda name: _matches(first, parts, last, name))


def _matches(first: str, middle: Sequence[str], last: str, name: str) -> bool:
    """Whether a name begins with a part, has others in order, and ends with one.

    Between two stars the first place that fits is the right one, so that no place is
    looked at twice, however many stars there are.
    """
    at, end = len(first), len(name) - len(last)
    if at > end or not _fits(first, name, 0, at) or not _fits(last, name, end):
        return False
    for part in middle:
        at = _find(part, name, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def _find(part: str, name: str, start: int, end: int) -> int:
    """The first place of a part in ``name[start:end]``; -1 when there is none."""
    if "?" not in part:
        return name.find(part, start, end)
    for at in range(start, end - len(part) + 1):
        if _fits(part, name, at, at + len(part)):
            return at
    return -1


def _fits(part: str, name: str, start: int, end: int | None = None) -> bool:
    """Whether ``name[start:end]`` is this part, whose question marks are any letter."""
    piece = name[start:end]
    if "?" not in part:
        return piece == part
    return len(piece) == len(part) and all(
        wanted in ("?", found) for wanted, found in zip(part, piece, strict=True)
    )
