"""Secrets from the system's generator."""

import secrets
from typing import Final

_TOKEN_BYTES: Final = 32


class SystemEntropy:
    """See ``chatcore.ports.Entropy``."""

    def token(self) -> bytes:
        """See ``chatcore.ports.Entropy``."""
        return secrets.token_bytes(_TOKEN_BYTES)
