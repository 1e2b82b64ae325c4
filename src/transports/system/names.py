"""Preparation of usernames: PRECIS UsernameCaseMapped (RFC 8265, section 3.3)."""

import unicodedata

from precis_i18n import get_profile


class PrecisNames:
    """See ``chatcore.ports.Names``."""

    def __init__(self) -> None:
        self._profile = get_profile("UsernameCaseMapped")

    def prepare(self, text: str) -> str:
        """See ``chatcore.ports.Names``."""
        try:
            return str(self._profile.enforce(text))
        except UnicodeEncodeError as error:
            raise ValueError(_reason(text, error.reason)) from error


def _reason(text: str, reason: str) -> str:
    """Why PRECIS refuses a name, for people."""
    rule = reason.rpartition("/")[2].replace("_", " ")
    for character in text:
        if not character.isalnum() and not unicodedata.combining(character):
            return f"{character!r} is not allowed in it ({rule})"
    return f"its letters do not go together ({rule})"
