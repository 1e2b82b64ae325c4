"""What may be a username (A1).

Lower-case ASCII letters and digits are prepared as they stand; every other name goes
through the ``Names`` port (RFC 8265, UsernameCaseMapped). Length and the characters
that a pattern needs are judged here; what only a new name must satisfy is asked where
accounts are made, so that owners of older names can still log in and delete them.
"""

import re
from typing import Final

from chatcore.errors import InvalidUsername
from chatcore.ids import Username
from chatcore.ports import Names

_PLAIN: Final = re.compile(r"[a-z0-9]+", re.ASCII)
_WILDCARDS: Final = frozenset("*?")
# Patterns, spaces, and the categories Cc and Cs, in one look over the name.
_REFUSED: Final = re.compile(r"[*?\s\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# The most characters that NFC makes one of: Greek letters with three marks. Width and
# case mapping never shorten a name.
_COMPOSED_CHARS: Final = 4


def prepare_username(text: str, names: Names, *, max_chars: int) -> Username:
    """The username that ``text`` stands for: ``Ada`` and ``ada`` are one.

    Raises:
        InvalidUsername: it is empty, too long, or has a character that is refused.
    """
    if len(text) <= max_chars and _PLAIN.fullmatch(text):
        return Username(text)
    if not text:
        raise InvalidUsername(reason="it is empty")
    # Refused by length before any work is done on it, where no mapping can help.
    if len(text) > (max_chars if text.isascii() else _COMPOSED_CHARS * max_chars):
        raise InvalidUsername(reason=too_long(text, max_chars=max_chars))
    refused = _REFUSED.search(text)
    if refused is not None:
        raise InvalidUsername(reason=_why_refused(refused.group()))
    try:
        prepared = names.prepare(text, max_chars=max_chars)
    except ValueError as reason:
        raise InvalidUsername(reason=str(reason)) from reason
    if not prepared:
        raise InvalidUsername(reason="it is empty once it is normalized")
    if len(prepared) > max_chars:
        raise InvalidUsername(reason=too_long(prepared, max_chars=max_chars))
    if not _WILDCARDS.isdisjoint(prepared):
        raise InvalidUsername(
            reason="it has a variant of * or ?, which are kept for patterns"
        )
    return Username(prepared)


def too_long(name: str, *, max_chars: int) -> str:
    """Why a name of this length is refused, with the length that it has."""
    return f"it has {len(name)} characters, more than {max_chars}"


def _why_refused(character: str) -> str:
    if character in _WILDCARDS:
        return f"{character!r} is kept for patterns"
    if character == " ":
        return "it has a space"
    if character.isspace():
        return f"it has white space ({character!r})"
    return f"it has a control character ({character!r})"
