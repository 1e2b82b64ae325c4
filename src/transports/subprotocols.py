"""What WebSocket says of a chat: its version and codec, and why it ends (W1, W3).

``chat.v1.json`` is version 1 with the codec json.
"""

from collections.abc import Sequence
from typing import Final

from transports.codec import CODECS

PATH: Final = "/chat"
"""Where a WebSocket is asked for."""
_OURS: Final = "chat.v1."
_ANY_VERSION: Final = "chat.v"
_REASON_BYTES: Final = 123


def subprotocol_of(codec_name: str) -> str:
    """The subprotocol that names a codec, of the version that is spoken here."""
    return f"{_OURS}{codec_name}"


KNOWN: Final = tuple(map(subprotocol_of, CODECS))
"""What this server speaks."""
SPOKEN: Final = ", ".join(KNOWN)


def codec_name(subprotocol: str) -> str:
    """The codec that a subprotocol of ``KNOWN`` names."""
    return subprotocol.removeprefix(_OURS)


def choose(offered: Sequence[str]) -> str | None:
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


def clip_reason(text: str) -> str:
    """As much of it as fits into a close frame beside its code (RFC 6455, 5.5)."""
    return text.encode()[:_REASON_BYTES].decode(errors="ignore")
