"""Pages of which origins may connect (W3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

REFUSED_PAGE: Final = "Refused a page of %.200s, from %s"
"""How it is logged: the page's origin, and the peer. A header may be long."""

_PORTS: Final = {"http": 80, "https": 443}
"""Which an origin of this scheme means that names none."""

_EVERY_ADDRESS: Final = ("", "0.0.0.0", "::")  # noqa: S104  # as a listener is asked for


class OwnPages:
    """Where a server serves pages of its own, as its listeners tell each other.

    Such a page is at the host that it asks, and at the port of a listener that has this
    port at the address that is asked, so that nobody else has it.
    """

    def __init__(self) -> None:
        self._places: set[tuple[str, str, int]] = set()

    def add(self, scheme: str, host: str, port: int) -> None:
        """Take note that pages are served by a listener of this URL."""
        self._places.add((scheme, host, port))

    def have(self, origin: str, hosts: Sequence[str], listens_at: str) -> bool:
        """Whether a page of this origin is one of them.

        Args:
            origin: where the page is.
            hosts: as in ``AllowedOrigins.allows``.
            listens_at: the host in the URL of the listener that was asked.
        """
        if not self._places or len(hosts) != 1:
            return False
        try:
            page, asked = urlsplit(origin), urlsplit(f"//{hosts[0]}")
            port = page.port or _PORTS.get(page.scheme, 0)
        except ValueError:
            return False
        if page.hostname is None or page.hostname != asked.hostname:
            return False
        return any(
            (page.scheme, host, port) in self._places
            for host in (listens_at, *_EVERY_ADDRESS)
        )


@dataclass(frozen=True, slots=True)
class AllowedOrigins:
    """Those that are named, such as ``https://chat.example``; ``*`` stands for any.

    Where none is named, pages of the host that they ask may connect and no others. The
    server's own pages may always. Who sends no ``Origin`` is no page, and is not judged
    by it.
    """

    names: frozenset[str] = frozenset()
    own: OwnPages = field(default_factory=OwnPages)
    listens_at: str = ""

    @classmethod
    def of(
        cls, names: Iterable[str], own: OwnPages | None = None, listens_at: str = ""
    ) -> "AllowedOrigins":
        """Of these names; empty ones count for nothing. ``own`` are the server's pages,
        ``listens_at`` is the host in the URL of the listener whose origins they are.
        """
        return cls(frozenset(filter(None, names)), own or OwnPages(), listens_at)

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
        if self.own.have(origin, hosts, self.listens_at):
            return True
        if self.names:
            return origin in self.names or "*" in self.names
        # A page without an address, such as a file's, has the origin "null".
        host = origin.partition("://")[2]
        return bool(host) and [host.lower()] == [it.lower() for it in hosts]
