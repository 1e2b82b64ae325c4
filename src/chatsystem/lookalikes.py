"""What a username may be taken for: mixed scripts and confusables (Unicode TS 39).

The tables are those of ``confusable_homoglyphs``, which reads them when it is imported:
with the first name that is not ASCII, since most servers see none, or few. It knows a
character's script, not the other scripts that use it too (Script_Extensions).
"""

import unicodedata
from collections.abc import Sequence
from typing import Final

_ANY_SCRIPT: Final = frozenset({"COMMON", "INHERITED"})
_LATIN: Final = "LATIN"
# Scripts that one language writes together, also with Latin (TS 39, 5.1 and 5.2).
_TOGETHER: Final = (
    frozenset({"HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"HAN", "BOPOMOFO"}),
    frozenset({"HAN", "HANGUL"}),
)
# What is too much like Latin to stand beside it, and what the table does not know.
_NOT_WITH_LATIN: Final = frozenset({"CHEROKEE", "CYRILLIC", "GREEK", "Unknown"})
# Around characters that are written from the right the library's keys have this mark.
_LEFT_TO_RIGHT_MARK: Final = "\u200e"


def mixed_scripts(name: str) -> Sequence[str]:
    """The scripts, as people write them, that do not go together; empty when they do.

    Moderately restrictive (TS 39, section 5.2), except that Latin may stand beside a
    script that is not recommended for identifiers.
    """
    if name.isascii():
        return ()
    from confusable_homoglyphs.categories import unique_aliases  # noqa: PLC0415  # large

    scripts = unique_aliases(set(name)) - _ANY_SCRIPT
    others = scripts - {_LATIN}
    if any(others <= together for together in _TOGETHER):
        return ()
    alone = len(others) == 1
    if alone and (others == scripts or others.isdisjoint(_NOT_WITH_LATIN)):
        return ()
    return sorted(it.replace("_", " ").title() for it in scripts)


def plain_lookalike(name: str) -> str:
    """The lower-case ASCII text that a name looks like; empty when none, or itself.

    It is the skeleton of TS 39 (section 4) of what is not ASCII: letters that are ASCII
    stay, since the skeleton's own "rn" for "m" would be no name that anybody has.
    """
    if name.isascii():
        return ""
    from confusable_homoglyphs.confusables import (  # noqa: PLC0415  # large
        confusables_data,
    )

    plain = ""
    for character in unicodedata.normalize("NFD", name):
        if character.isascii():
            plain += character
            continue
        marked = f"{_LEFT_TO_RIGHT_MARK}{character}{_LEFT_TO_RIGHT_MARK}"
        alike = confusables_data.get(character, confusables_data.get(marked, []))
        # What looks like ASCII has only that in its list.
        if len(alike) != 1 or not alike[0]["c"].isascii():
            return ""
        plain += alike[0]["c"]
    return plain.lower()
