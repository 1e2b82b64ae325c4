"""What hashing a password costs, and how many may wait for it (A2, B4).

19 MiB and two passes is OWASP's first recommendation (Password Storage Cheat Sheet,
2025).
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class HashSettings:
    """What one hash costs, and how many may wait for theirs.

    Of the ``queue`` places an address beside others gets ``address_queue``: a quarter,
    which is room for those behind one address who come at once, and leaves room for
    others before anybody must be displaced. Who finds no place is told to come back
    when it is likely to have had its turn, but not within ``least_retry_after_ms``.
    """

    memory_kib: int = 19 * 1024
    passes: int = 2
    workers: int = 2
    queue: int = 64
    address_queue: int = 16
    least_retry_after_ms: int = 100


INSECURE_FAST_HASH: Final = HashSettings(
    memory_kib=8, passes=1, workers=1, queue=10_000, address_queue=2_500
)
"""For demos and measurements, whose passwords protect nothing."""
