"""The sockets of a listener: those of links, which stay, and a few that are nobody's.

A link has its place from ``Admission``, and two sockets: one for its events and one for
what it writes. Whose a socket is shows with each request. One that is no link's, as
each is before its first request and after its link's end, is soon to say something. Of
those there are few: over that, one makes way, by the rule that holds for handshakes of
TLS (B3). What a trusted proxy has is its own to bound: it sends requests for many links
on one socket.
"""

import asyncio
from functools import partial
from typing import Final

from chatcore.addresses import network_of
from transports.base import LinkSettings
from transports.fair_scheduler import FairScheduler
from transports.http.link import HttpLink
from transports.http_connection import HttpConnection
from transports.tls_handshakes import TlsHandshakes

_NOBODYS: Final = 512
_OF_A_LINK: Final = 4
"""Two and, for a moment, those that take their place."""


class Sockets:
    """All of one listener, as a ``transports.base.Admission``: each enters once."""

    def __init__(self, settings: LinkSettings, scheduler: FairScheduler) -> None:
        self._loop = asyncio.get_running_loop()
        self._loopback_counts = settings.loopback_counts
        self._close_s = settings.close_s
        self._proxies = settings.proxies
        self._most = 2 * settings.connections + _NOBODYS
        self._number = 0
        self._all: set[HttpConnection] = set()
        self._nobodys = TlsHandshakes(min(_NOBODYS, settings.connections), scheduler)
        self._links: dict[HttpConnection, HttpLink] = {}
        self._of_link: dict[HttpLink, dict[HttpConnection, None]] = {}
        self._last_gone: asyncio.Event | None = None

    # ---- transports.base.Admission

    def enter(self, address: str) -> bool:  # noqa: ARG002  # addresses count for links
        """See ``Admission``: a socket more, before any handshake."""
        if self._number >= self._most:
            return False
        self._number += 1
        return True

    def leave(self, address: str) -> None:  # noqa: ARG002  # as above
        """See ``Admission``."""
        self._number -= 1

    enter_call, leave_call = enter, leave

    # ---- what happens on a socket

    def add(self, connection: HttpConnection) -> None:
        """One is open, and nobody's."""
        self._all.add(connection)
        self._let_go(connection)

    def remove(self, connection: HttpConnection) -> None:
        """One has gone."""
        self._all.discard(connection)
        self._nobodys.leave(connection)
        self._leave_link(connection)
        if not self._all and self._last_gone is not None:
            self._last_gone.set()

    def asks(self, connection: HttpConnection, link: HttpLink | None) -> None:
        """A request on it is about this link, or about none."""
        if self._proxies.trusts(connection.address):
            return
        before = self._links.get(connection)
        if link is before:
            return
        self._leave_link(connection)
        if link is None:
            self._let_go(connection)
            return
        self._nobodys.leave(connection)
        self._links[connection] = link
        if link not in self._of_link:
            self._of_link[link] = {}
            link.when_gone.append(partial(self._forget_link, link))
        others = self._of_link[link]
        others[connection] = None
        if len(others) > _OF_A_LINK:
            idle = next((it for it in others if not it.is_answering), connection)
            idle.finish()

    def waits(self, connection: HttpConnection) -> bool:
        """Whether it has to ask for something in time, having been answered."""
        if self._proxies.trusts(connection.address):
            return False
        return connection not in self._links

    def _let_go(self, connection: HttpConnection) -> None:
        """It is nobody's, for which another such one may have to go."""
        if self._proxies.trusts(connection.address):
            return
        network = network_of(connection.address, loopback_counts=self._loopback_counts)
        excess = self._nobodys.enter(connection, network, self._loop.time())
        if isinstance(excess, HttpConnection):
            excess.abort()

    def _leave_link(self, connection: HttpConnection) -> None:
        link = self._links.pop(connection, None)
        if link is not None and link in self._of_link:
            self._of_link[link].pop(connection, None)

    def _forget_link(self, link: HttpLink) -> None:
        """A link has gone, and its sockets go once they are idle."""
        for connection in self._of_link.pop(link):
            del self._links[connection]
            self._let_go(connection)
            connection.finish()

    # ---- the end

    async def finish(self) -> None:
        """End all, once they have taken what was answered, or after a short while."""
        for connection in list(self._all):
            connection.finish()
        if self._all:
            self._last_gone = asyncio.Event()
            ending = self._loop.create_task(self._last_gone.wait())
            await asyncio.wait([ending], timeout=self._close_s)
            ending.cancel()
        for connection in list(self._all):
            connection.abort()
