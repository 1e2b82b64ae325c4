"""Idempotency keys (M2, D6): UUIDv7, whose first 48 bits are the time (RFC 9562)."""

from typing import Final

from chatcore.errors import InvalidKey, KeyExpired
from chatcore.ids import NO_KEY, IdempotencyKey
from chatcore.limits import DAY_MS

_KEY_BYTES: Final = 16
_KEY_VERSION: Final = 7
_KEY_VARIANT: Final = 0b10
_SKEW_MS: Final = DAY_MS


def key_from_ms(at_ms: int) -> IdempotencyKey:
    """The lowest key of a moment: UUIDv7 begins with 48 bits of time (RFC 9562)."""
    return IdempotencyKey(max(at_ms, 0).to_bytes(6) + bytes(10))


def parse_key(key: bytes, now_ms: int) -> IdempotencyKey:
    """A key as a client sent it; empty for none.

    Raises:
        InvalidKey: not a UUIDv7, or more than a day ahead of the server's clock.
    """
    if not key:
        return NO_KEY
    if (
        len(key) != _KEY_BYTES
        or key[6] >> 4 != _KEY_VERSION
        or key[8] >> 6 != _KEY_VARIANT
    ):
        raise InvalidKey(reason="this is none")
    if int.from_bytes(key[:6]) > now_ms + _SKEW_MS:
        raise InvalidKey(reason="this one's time is in the future")
    return IdempotencyKey(key)


def refuse_expired(key: IdempotencyKey, now_ms: int, *, lifetime_ms: int) -> None:
    """Refuse a key that is unknown and too old to be so for sure (M2, D6).

    Raises:
        KeyExpired: it was made before the oldest that are still known.
    """
    if key and key < key_from_ms(now_ms - lifetime_ms):
        raise KeyExpired(days=lifetime_ms // DAY_MS)
