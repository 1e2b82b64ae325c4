"""``sqlite:`` URLs: which file, and how it is opened.

``sqlite:///relative.db`` or ``sqlite:////absolute.db``, with options as in
``sqlite:///chat.db?least-free-mib=2048&missing-wal=accept``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from chatstores.errors import BadStoreUrl

LEAST_FREE_MIB: Final = 512

_MOST_MIB: Final = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteAddress:
    """What a ``sqlite:`` URL says.

    Attributes:
        least_free_mib: with less room than this on its disk a warning is logged.
        accept_missing_wal: open what is left of a database that lost its log.
    """

    path: Path
    least_free_mib: int = LEAST_FREE_MIB
    accept_missing_wal: bool = False


def parse_sqlite_url(url: str) -> SqliteAddress:
    """Raises ``BadStoreUrl`` with what is wrong."""
    parts = urlsplit(url)
    if parts.netloc or not url.startswith("sqlite:///"):
        reason = "three slashes come before a relative path, four before an absolute"
        raise BadStoreUrl(url=url, reason=reason)
    if parts.fragment:
        raise BadStoreUrl(url=url, reason="write # as %23")
    name = unquote(parts.path.removeprefix("/"))
    if not name or "\0" in name:
        raise BadStoreUrl(url=url, reason="it names no file")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = options.keys() - _OPTIONS.keys()
    if unknown:
        known = ", ".join(sorted(_OPTIONS))
        reason = f"it has no option {min(unknown)!r}, but {known}; write ? as %3F"
        raise BadStoreUrl(url=url, reason=reason)
    try:
        found = {it: _OPTIONS[it](value) for it, value in options.items()}
    except ValueError as error:
        raise BadStoreUrl(url=url, reason=str(error)) from error
    return SqliteAddress(
        path=Path(name),
        least_free_mib=found.get("least-free-mib", LEAST_FREE_MIB),
        accept_missing_wal=bool(found.get("missing-wal")),
    )


def _mib(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > _MOST_MIB:
        raise ValueError("least-free-mib is a whole number of MiB; 0 for no warning")
    return int(text)


def _accept(text: str) -> int:
    if text != "accept":
        raise ValueError("missing-wal can only be accept")
    return 1


_OPTIONS: Final[Mapping[str, Callable[[str], int]]] = {
    "least-free-mib": _mib,
    "missing-wal": _accept,
}
