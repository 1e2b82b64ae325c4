"""Where passwords come from: a file, a variable or the terminal, never an argument.

Other users of a machine see the arguments of its processes, and a shell's history
keeps them.
"""

import os
from pathlib import Path
from typing import Final

from chatapp.errors import PasswordMissing, PasswordsDiffer, SettingWrong
from chatapp.oneshot.prompts import ask_secret, can_ask

VARIABLE: Final = "CHATCORE_PASSWORD"
NEW_VARIABLE: Final = "CHATCORE_NEW_PASSWORD"


def known_password(file: str) -> str:
    """The password of an account that there is.

    Raises:
        PasswordMissing: nobody said it, and there is nobody to ask.
        SettingWrong: the file cannot be read.
    """
    given = _given(file, "--password-file", VARIABLE)
    return ask_secret("Password: ") if given is None else given


def chosen_password(file: str, *, flag: str, variable: str) -> str:
    """A new password; where it is typed, twice.

    Raises:
        PasswordsDiffer: not the same both times.
        PasswordMissing, SettingWrong: see ``known_password``.
    """
    given = _given(file, flag, variable)
    if given is not None:
        return given
    typed = ask_secret("New password: ")
    if ask_secret("Once more: ") != typed:
        raise PasswordsDiffer("These were two different passwords.")
    return typed


def _given(file: str, flag: str, variable: str) -> str | None:
    """What a file or a variable says; None where the terminal has to be asked."""
    if file:
        return _first_line_end_off(file, flag)
    if variable in os.environ:
        return os.environ[variable]
    if can_ask():
        return None
    raise PasswordMissing(
        f"There is no terminal to ask for the password: give {flag} or {variable}."
    )


def _first_line_end_off(file: str, flag: str) -> str:
    """A file without its last line end, which editors and ``echo`` add."""
    try:
        content = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SettingWrong(f"{flag}: {file} cannot be read: {reason}.") from error
    return content.removesuffix("\n").removesuffix("\r")
