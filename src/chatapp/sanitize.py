"""Making a text harmless to a terminal."""

from typing import Final
from unicodedata import category

_NAMED: Final = {"\n": "\\n", "\r": "\\r", "\t": " "}
# Characters that turn the direction of what follows could make a line read as another
# one ("Trojan Source", CVE-2021-42574). Other format characters stay: emoji and several
# scripts need them.
_TURNING: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def sanitize(text: str) -> str:
    r"""A text as one line that cannot command a terminal.

    Control characters (escape sequences begin with one), line ends and characters that
    turn the writing direction are spelled out, such as ``\x1b``.
    """
    if text.isprintable():
        return text
    return "".join(map(_harmless, text))


def _harmless(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in _TURNING:
        return character.encode("unicode_escape").decode()
    return character
