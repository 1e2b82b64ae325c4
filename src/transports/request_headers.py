"""Headers of the request that opened a link, kept for the application to judge by."""

from collections.abc import Iterable, Mapping
from typing import Final

from chatcore.connections import NO_HEADERS
from transports.base import LinkSettings

_MOST: Final = 64
_MOST_BYTES: Final = 16 * 1024


def kept_headers(
    settings: LinkSettings, headers: Iterable[tuple[str, str]]
) -> Mapping[str, str]:
    """The first headers, by their names in lower case, where they are asked for at all:
    they stay in memory for as long as the link (B1).

    Several of one name are joined as RFC 9110, 5.3, has it.
    """
    if not settings.keeps_headers:
        return NO_HEADERS
    kept: dict[str, str] = {}
    left_bytes = _MOST_BYTES
    for name, value in headers:
        lower = name.lower()
        left_bytes -= len(lower) + len(value)
        if left_bytes < 0 or (lower not in kept and len(kept) >= _MOST):
            break
        kept[lower] = f"{kept[lower]}, {value}" if lower in kept else value
    return kept


def headers_of(link: object) -> Mapping[str, str]:
    """What a link has kept; nothing of one whose transport has no headers."""
    found: object = getattr(link, "headers", NO_HEADERS)
    return found if isinstance(found, Mapping) else NO_HEADERS
