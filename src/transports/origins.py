"""Pages of which origins may connect (W3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

REFUSED_PAGE: Final = "Refused a page of %.200s, from %s"
"""How it is logged: the page's origin, and the peer. A header may be long."""


@dataclass(frozen=True, slots=True)
class AllowedOrigins:
    """Those that are named, such as ``https://chat.example``; ``*`` stands for any.

    Where none is named, pages of the host that they ask may connect and no others. Who
    sends no ``Origin`` is no page, and is not judged by it.
    """

    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, names: Iterable[str]) -> "AllowedOrigins":
        """Of these names; empty ones count for nothing."""
        return cls(frozenset(filter(None, names)))

    def find_refused(self, origins: Iterable[str], hosts: Sequence[str]) -> str | None:
        """The first origin of a request that may not connect; None if all may.

        Args:
            origins: the request's headers ``Origin``.
            hosts: its headers ``Host``.
        """
        return next((it for it in origins if not self.allows(it, hosts)), None)

    @staticmethod
    def refusal(origin: str) -> str:
        """What a page of an origin that may not connect is told."""
        return f"Pages of {origin} may not connect."

    def allows(self, origin: str, hosts: Sequence[str]) -> bool:
        """Whether a page of this origin may connect to who was asked as ``hosts``."""
        if self.names:
            return origin in self.names or "*" in self.names
        # A page without an address, such as a file's, has the origin "null".
        host = origin.partition("://")[2]
        return bool(host) and [host.lower()] == [it.lower() for it in hosts]
