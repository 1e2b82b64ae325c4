"""Patterns that choose usernames (L1): only ``*`` and ``?`` are special."""

import re
import unicodedata
from collections.abc import Callable
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
    prefix = re.match(r"[^*?]*", folded)
    expression = re.compile(_expression(folded), re.DOTALL)
    return Pattern(
        prefix.group() if prefix else "",
        lambda name: expression.fullmatch(name) is not None,
    )


def _expression(text: str) -> str:
    """The regular expression of a pattern, in linear time for any name.

    Between two stars the first place that fits is the right one, so each such part is
    an atomic group: without that, a dozen stars cost minutes a name.
    """
    first, *rest = [
        "".join("." if c == "?" else re.escape(c) for c in part)
        for part in re.split(r"\*+", text)
    ]
    if not rest:
        return first
    *middle, last = rest
    return first + "".join(f"(?>.*?{part})" for part in middle) + ".*" + last
