"""What the first lines of a connection have in common, whoever writes them (W2)."""

from typing import Final

from transports.errors import LinkClosed

NAME: Final = "CHAT"
VERSION: Final = "1"


def refuse(refused: LinkClosed) -> bytes:
    """The server's line to a client that it cannot serve."""
    return f"{NAME}/{VERSION} error {int(refused.code)} {refused.text}\n".encode()
