"""Idempotency keys (M2, D6): UUIDv7, whose first 48 bits are the time (RFC 9562)."""

from hashlib import sha256
from typing import Final

from chatcore.errors import InvalidKey, KeyExpired
from chatcore.ids import NO_KEY, IdempotencyKey
from chatcore.limits import DAY_MS
from chatcore.store import KeySpan

_KEY_BYTES: Final = 16
_KEY_VERSION: Final = 7
_KEY_VARIANT: Final = 0b10
_LATEST_MS: Final = 2**48 - 1


def key_from_ms(at_ms: int) -> IdempotencyKey:
    """The lowest key of a moment: UUIDv7 begins with 48 bits of time (RFC 9562).

    A moment that those bits cannot say is the nearest that they can (B7).
    """
    return IdempotencyKey(min(max(at_ms, 0), _LATEST_MS).to_bytes(6) + bytes(10))


def derived_key(at_ms: int, *of: str | int) -> IdempotencyKey:
    """The key of a message that is made from another: the same for the same words.

    Whoever makes it again, as after a crash, sends it under the same key, so that it is
    stored once (M2)::

        key = derived_key(message.sent_at_ms, "answer", message.position)

    ``at_ms`` is a moment that does not change, of the server's clock: a key lives 7
    days from it, and one that says more than a day ahead is refused.
    """
    words = "".join(f"{type(it).__name__}{len(str(it))}:{it}" for it in of)
    value = int.from_bytes(sha256(words.encode("utf-8", "surrogatepass")).digest()[:16])
    value &= (1 << 80) - 1 - (0xF << 76) - (0b11 << 62)
    value |= _KEY_VERSION << 76 | _KEY_VARIANT << 62
    return IdempotencyKey(key_from_ms(at_ms)[:6] + value.to_bytes(10))


def ms_of_key(key: IdempotencyKey) -> int:
    """The moment that a key says it was made at."""
    return int.from_bytes(key[:6])


def parse_key(key: bytes) -> IdempotencyKey:
    """A key as a client sent it; empty for none.

    Raises:
        InvalidKey: not a UUIDv7.
    """
    if not key:
        return NO_KEY
    if (
        len(key) != _KEY_BYTES
        or key[6] >> 4 != _KEY_VERSION
        or key[8] >> 6 != _KEY_VARIANT
    ):
        raise InvalidKey(reason="this is none")
    return IdempotencyKey(key)


def refuse_outside(key: IdempotencyKey, span: KeySpan, *, lifetime_ms: int) -> None:
    """Refuse a key that is unknown and cannot be stored now (M2, D6, B7).

    Raises:
        KeyExpired: it was made before the oldest that are still known.
        InvalidKey: it says that it is made in a future that is not near.
    """
    if not key:
        return
    if key < span.oldest:
        raise KeyExpired(days=lifetime_ms // DAY_MS)
    if key > span.newest:
        raise key_ahead()


def key_ahead() -> InvalidKey:
    """The refusal of a key whose time is further ahead than clocks differ."""
    return InvalidKey(reason="this one's time is in the future")
