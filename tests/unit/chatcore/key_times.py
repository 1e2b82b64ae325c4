"""Idempotency keys for tests: UUIDv7 of a moment and a number."""

from tests.unit.chatcore.environment import NOON_MS


def key_of(number: int, *, at_ms: int = NOON_MS) -> bytes:
    """A UUIDv7 (RFC 9562): 48 bits of time, version, variant, and a number."""
    return at_ms.to_bytes(6) + b"\x70\x00\x80" + number.to_bytes(7)
