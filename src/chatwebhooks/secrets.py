"""Secrets, as Standard Webhooks writes them, and what they sign."""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from chatwebhooks.errors import BadWebhookSecret

PREFIX: Final = "whsec_"
LEAST_BYTES: Final = 24
MOST_BYTES: Final = 64
"""Standard Webhooks 1.0, "Signature scheme"."""


def parse_webhook_secrets(text: str) -> Sequence[bytes]:
    """The secrets of a file, one a line: ``whsec_`` and 24 to 64 bytes in base64.

    Several are for the time in which one replaces another: everything is signed with
    each. Raises ``BadWebhookSecret``.
    """
    lines = [it.strip() for it in text.splitlines() if it.strip()]
    if not lines:
        raise BadWebhookSecret("there is none in it")
    return [_parse(number, line) for number, line in enumerate(lines, 1)]


def _parse(number: int, line: str) -> bytes:
    encoded = line.removeprefix(PREFIX)
    if encoded == line:
        raise BadWebhookSecret(f"line {number} does not begin with {PREFIX}")
    try:
        secret = b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise BadWebhookSecret(f"line {number} is no base64") from None
    if not LEAST_BYTES <= len(secret) <= MOST_BYTES:
        raise BadWebhookSecret(
            f"line {number} has {len(secret)} bytes, not {LEAST_BYTES} to {MOST_BYTES}"
        )
    return secret


def signatures(
    secrets: Sequence[bytes], webhook_id: str, timestamp_s: int, body: bytes
) -> str:
    """The header ``webhook-signature``: one signature by each secret."""
    signed = f"{webhook_id}.{timestamp_s}.".encode() + body
    return " ".join(
        f"v1,{b64encode(hmac.digest(it, signed, sha256)).decode()}" for it in secrets
    )
