"""Preparation of usernames: PRECIS UsernameCaseMapped (RFC 8265, section 3.3).

The library's ``enforce`` takes quadratic time where characters with a contextual rule
are many: each of them has the whole name looked through. So its steps are called one by
one: mappings first, by tables made from its own, so that what is too long is refused
before a character is judged; then each character once. The result is the library's own,
which a property test holds.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from precis_i18n import get_profile

from chatcore.usernames import too_long
from chatsystem.lookalikes import mixed_scripts, plain_lookalike

# The contextual rules that look through the whole name (RFC 5892, A.7 to A.9): its
# result is the same for each of these characters that are alike.
_JUDGED_ONCE: Final = re.compile("[\u0660-\u0669\u06f0-\u06f9\u30fb]")
# What stands for the later ones: allowed everywhere, and no rule of a neighbour asks
# for it (these are about "l", Greek, Hebrew, viramas and letters that join).
_NEUTRAL: Final = "x"
_WIDE: Final = re.compile("[\uff01-\uffef]")
_RULES: Final = {"precis ignorable properties": "it cannot be seen"}
_CACHED_NAMES: Final = 4096
_CACHED_CHARS: Final = 64


class PrecisNames:
    """See ``chatcore.ports.Names``."""

    def __init__(self) -> None:
        self._profile = get_profile("UsernameCaseMapped")
        self._widths = {
            code: self._profile.width_mapping_rule(chr(code))
            for code in range(0xFF01, 0xFFF0)
        }
        # Names of recipients come again and again. A name that is refused is not kept.
        self._cached = lru_cache(_CACHED_NAMES)(self._prepare)

    def prepare(self, text: str, *, max_chars: int) -> str:
        """See ``chatcore.ports.Names``."""
        if len(text) <= _CACHED_CHARS:
            return self._cached(text, max_chars)
        return self._prepare(text, max_chars)

    def objection(self, name: str) -> str:
        """See ``chatcore.ports.Names``."""
        mixed = mixed_scripts(name)
        return f"it mixes letters of {' and '.join(mixed)}" if mixed else ""

    def plain_lookalike(self, name: str) -> str:
        """See ``chatcore.ports.Names``."""
        return plain_lookalike(name)

    def _prepare(self, text: str, max_chars: int) -> str:
        mapped = self._map(text)
        if len(mapped) > max_chars:
            raise ValueError(too_long(mapped, max_chars=max_chars))
        try:
            self._profile.directionality_rule(mapped)
            if self._map(mapped) != mapped:
                raise ValueError(_reason(text, "not idempotent"))
            if not mapped:
                raise ValueError("it is empty")
            self._profile.base.enforce(_judged(mapped))
        except UnicodeEncodeError as error:
            raise ValueError(_reason(text, error.reason)) from error
        return mapped

    def _map(self, text: str) -> str:
        """Width mapping, case mapping and normalization, in this order."""
        if _WIDE.search(text):  # what is not in the table would cost most
            text = text.translate(self._widths)
        return unicodedata.normalize("NFC", text.lower())


def _judged(name: str) -> str:
    """What has to be judged of a name, at the same places."""
    seen: set[str] = set()

    def once(match: re.Match[str]) -> str:
        character = match.group()
        if character in seen:
            return _NEUTRAL
        seen.add(character)
        return character

    return _JUDGED_ONCE.sub(once, name)


def _reason(text: str, reason: str) -> str:
    """Why PRECIS refuses a name, for people."""
    rule = reason.rpartition("/")[2].replace("_", " ")
    if rule == "bidi rule":
        return "it mixes letters that are written from right to left with others"
    for character in text:
        plain = unicodedata.normalize("NFKC", character)
        if rule == "has compat" and plain != unicodedata.normalize("NFC", character):
            return (
                f"{character!r} is a variant of {plain!r}, and variants are not allowed"
            )
        if not character.isalnum() and not unicodedata.combining(character):
            return f"{character!r} is not allowed in it ({_RULES.get(rule, rule)})"
    return f"its characters do not go together ({rule})"
