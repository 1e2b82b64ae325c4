"""Why a session or a link has ended, and who may come back (E2)."""

from enum import IntEnum
from typing import Final, Self

RECONNECT_BELOW: Final = 4500
"""Close codes from 4000 to here allow a client to reconnect by itself; those from
here to 4999 forbid it. The range is RFC 6455's for private use, so that a WebSocket
closes with the same number."""


class CloseCode(IntEnum):
    """Why a session or a link has ended (E2); ``text`` says it to people."""

    text: str

    def __new__(cls, number: int, text: str = "") -> Self:
        """A code that is its number and knows its text; by its number it is found."""
        made = int.__new__(cls, number)
        made._value_ = number
        made.text = text
        return made

    SHUTTING_DOWN = 4000, "The server is shutting down."
    UNRESPONSIVE = 4001, "The other side did not answer a ping."
    LOGIN_TIMEOUT = 4002, "Nobody logged in on this connection in time."
    LINK_LOST = 4003, "The connection was lost."
    SERVER_FAULT = 4004, "The server failed; its log has the details."
    OVERLOADED = 4005, "The server is out of room; this connection takes most."
    TOO_MANY_CONNECTIONS = 4006, "There are too many connections; try again later."
    BROKEN_FRAME = 4500, "The frame cannot be read."
    FRAME_TOO_LARGE = 4501, "The frame is larger than the limit."
    WRONG_VERSION = 4502, "This version of the protocol is not spoken here."
    REPLACED = 4503, "The account logged in elsewhere."
    RESUMED_ELSEWHERE = 4504, "The session was resumed on another connection."
    ACCOUNT_DELETED = 4505, "The account was deleted."
    PASSWORD_CHANGED = 4506, "The password was changed."
    ORIGIN_REFUSED = 4507, "Pages of this origin may not connect."
    SESSION_ENDED = 4508, "The operator has ended this session."
    PROOF_EXPIRED = 4509, "What showed who is logged in has expired; log in anew."

    @property
    def may_reconnect(self) -> bool:
        """Whether a client may come back by itself."""
        return self < RECONNECT_BELOW
