"""Names of subprotocols: ``chat.v1.json`` is version 1 with the codec json (W1, W3)."""

from collections.abc import Sequence
from typing import Final

from websockets.typing import Subprotocol

from transports.codec import CODECS

PATH: Final = "/chat"
READ_AHEAD: Final = 1
"""Messages that a connection reads before they are asked for: what is not executed
yet is the driver's to count (W8), and each may have a whole frame's size."""
_OURS: Final = "chat.v1."
_ANY_VERSION: Final = "chat.v"

KNOWN: Final = tuple(Subprotocol(f"{_OURS}{name}") for name in CODECS)
"""What this server speaks."""


def codec_name(subprotocol: str) -> str:
    """The codec that a subprotocol of ``KNOWN`` names."""
    return subprotocol.removeprefix(_OURS)


def choose(offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """The first offered that is ours; else one of another version, to refuse it.

    A browser cannot read a failed upgrade, so another version of our protocol is
    accepted, and closed at once with a code and a reason (W1). None for strangers.
    """
    for subprotocol in offered:
        if subprotocol in KNOWN:
            return subprotocol
    for subprotocol in offered:
        if subprotocol.startswith(_ANY_VERSION):
            return subprotocol
    return None
