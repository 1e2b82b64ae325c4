"""What the exit status of the command means: chosen once, here, for scripts.

``docs/scripting.md`` and ``--help`` have the same table.
"""

from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """An exit status, and what it means in a few words."""

    meaning: str

    def __new__(cls, number: int, meaning: str) -> Self:
        """A status that is its number and knows its meaning."""
        made = int.__new__(cls, number)
        made._value_ = number
        made.meaning = meaning
        return made

    DONE = 0, "done"
    REFUSED = 1, "refused, or it failed: the code on stderr says why"
    MISUSED = 2, "asked wrongly: nothing was begun"
    WRONG_CREDENTIALS = 3, "the username or the password is wrong"
    ACCOUNT_IN_USE = 4, "the account is logged in elsewhere"
    NOT_DELIVERABLE = 5, "no such recipient, or its mailbox is full: nothing was sent"
    NOT_REACHED = 6, "no server was reached: nothing was asked"
    TRY_AGAIN = 7, "the server cannot now, or did not say whether it did: try again"
    NOTHING_RECEIVED = 8, "receive --wait: nothing came"
    INTERRUPTED = 130, "ended by SIGINT (Ctrl-C)"
    PIPE_BROKEN = 141, "nobody reads the output any more"
    TERMINATED = 143, "ended by SIGTERM"
