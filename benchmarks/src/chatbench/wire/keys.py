"""Idempotency keys for a load: UUIDv7, always growing (M2; RFC 9562, 6.2).

The bits that a chat client draws by lot hold the clock below the millisecond (method 3
of the RFC) and a counter instead: the keys of a sender need to differ from each other
only, and to grow.
"""

import time
from typing import Final

_NS_A_MS: Final = 1_000_000
_FRACTION_BITS: Final = 12
_VERSION: Final = 0x7 << 76
_VARIANT: Final = 0b10 << 62


class KeySeries:
    """The keys of one sender."""

    def __init__(self) -> None:
        self._last_ns = 0
        self._count = 0

    def take(self, number: int) -> list[bytes]:
        """So many new keys, each above all before it."""
        at_ns = self._last_ns = max(time.time_ns(), self._last_ns)
        at_ms, rest_ns = divmod(at_ns, _NS_A_MS)
        fraction = (rest_ns << _FRACTION_BITS) // _NS_A_MS
        first = at_ms << 80 | _VERSION | fraction << 64 | _VARIANT
        first += self._count
        self._count += number
        return [value.to_bytes(16, "big") for value in range(first, first + number)]
