"""What may be a username (A1).

Lower-case ASCII letters and digits are prepared as they stand; every other name goes
through the ``Names`` port (RFC 8265, UsernameCaseMapped). Length and the characters
that a pattern needs are judged here.
"""

import re
import unicodedata
from typing import Final

from chatcore.errors import InvalidUsername
from chatcore.ids import Username
from chatcore.ports import Names

_PLAIN: Final = re.compile(r"[a-z0-9]+", re.ASCII)
_WILDCARDS: Final = frozenset("*?")


def prepare_username(text: str, names: Names, *, max_chars: int) -> Username:
    """The username that ``text`` stands for: ``Ada`` and ``ada`` are one.

    Raises:
        InvalidUsername: it is empty, too long, or has a character that is refused.
    """
    if len(text) <= max_chars and _PLAIN.fullmatch(text):
        return Username(text)
    if not text:
        raise InvalidUsername(reason="it is empty")
    # Mapping can shorten a name, but not one that is four times too long (NFKC's
    # worst case the other way round): refuse it before any work is done on it.
    if len(text) > 4 * max_chars:
        raise InvalidUsername(reason=f"it has more than {max_chars} characters")
    for character in text:
        if character in _WILDCARDS:
            raise InvalidUsername(reason=f"{character!r} is for patterns")
        if character.isspace():
            raise InvalidUsername(reason="it has a space")
        if unicodedata.category(character) in ("Cc", "Cs"):
            raise InvalidUsername(reason="it has a control character")
    try:
        prepared = names.prepare(text)
    except ValueError as reason:
        raise InvalidUsername(reason=str(reason)) from reason
    if not 1 <= len(prepared) <= max_chars:
        raise InvalidUsername(reason=f"it has not 1 to {max_chars} characters")
    if _WILDCARDS.intersection(prepared):
        raise InvalidUsername(reason="it becomes a pattern when prepared")
    return Username(prepared)
