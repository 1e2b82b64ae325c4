"""The sockets of a listener: those of links, and those that are nobody's yet (B3).

A link has its place from the chat's ``Admission``, and two sockets: one for its events,
one for what it writes. Whose a socket is shows with each request. Until its first, and
after its link's end, it is nobody's: of those there are few, of which an address has
fewer, and more only as far as there is room for links. What a trusted proxy has stays
as it is: it sends requests for many links on one socket.
"""

import asyncio
from collections import Counter
from functools import partial
from typing import Final

from chatcore.addresses import network_of
from transports.base import LinkSettings
from transports.entry import Entry
from transports.http.link import HttpLink
from transports.http_connection import HttpConnection

NOBODYS: Final = 256
"""Of sockets that are nobody's and take no link's place."""
NOBODYS_OF_AN_ADDRESS: Final = 16
_TURNED_AWAY: Final = 16
"""Of those for which there is no room so many are told so at a time."""
_OF_A_LINK: Final = 4
"""Two and, for a moment, those that take their place."""


class SocketPlace:
    """What one socket takes, as a ``transports.base.Admission`` that it alone asks."""

    def __init__(self, sockets: "Sockets") -> None:
        self._sockets = sockets
        self._address: str | None = None
        self._is_among_few = False

    def enter(self, address: str) -> bool:
        """See ``Admission``: whether there is room for one that is nobody's."""
        if self._address is None:
            found = self._sockets.grant(address)
            if found is None:
                return False
            self._address, self._is_among_few = address, found
        return True

    def leave(self, address: str) -> None:  # noqa: ARG002  # it knows its own
        """See ``Admission``; again does nothing."""
        if self._address is not None:
            self._sockets.take_back(self._address, is_among_few=self._is_among_few)
            self._address = None

    enter_call, leave_call = enter, leave


class HttpSocket(HttpConnection):
    """A connection of a listener.

    Attributes:
        place: what it takes of the listener's room.
        entry: how the listener, and a stream of TLS below, ask for that.
        link: whose it is; None while it is nobody's.
    """

    place: SocketPlace
    entry: Entry
    link: HttpLink | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.BaseProtocol``."""
        self.entry.arrive(transport.get_extra_info("peername"))
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.BaseProtocol``."""
        super().connection_lost(exc)
        self.place.leave("")


class Sockets:
    """All of one listener."""

    def __init__(self, settings: LinkSettings) -> None:
        self._loop = asyncio.get_running_loop()
        self._loopback_counts = settings.loopback_counts
        self._admission = settings.admission
        self._close_s = settings.close_s
        self._proxies = settings.proxies
        self._nobodys: Counter[str] = Counter()
        self._all: set[HttpSocket] = set()
        self._of_link: dict[HttpLink, dict[HttpSocket, None]] = {}
        self._turned_away: set[HttpSocket] = set()
        self._last_gone: asyncio.Event | None = None

    # ---- room

    def grant(self, address: str) -> bool | None:
        """Find room for one that is nobody's: True among the few, False in a link's
        place, None nowhere.
        """
        network = self._network(address)
        is_one_of_many = network and self._nobodys[network] >= NOBODYS_OF_AN_ADDRESS
        if not is_one_of_many and self._nobodys.total() < NOBODYS:
            self._nobodys[network] += 1
            return True
        return False if self._admission.enter(address) else None

    def take_back(self, address: str, *, is_among_few: bool) -> None:
        """What was granted is free again."""
        if not is_among_few:
            self._admission.leave(address)
            return
        network = self._network(address)
        self._nobodys[network] -= 1
        if not self._nobodys[network]:
            del self._nobodys[network]

    def _network(self, address: str) -> str:
        return network_of(address, loopback_counts=self._loopback_counts)

    # ---- what happens on a socket

    def add(self, socket: HttpSocket) -> None:
        """One is open, and nobody's."""
        self._all.add(socket)

    def turn_away(self, socket: HttpSocket) -> bool:
        """There is no room for one; whether it is told so."""
        if len(self._turned_away) >= _TURNED_AWAY:
            return False
        self._turned_away.add(socket)
        return True

    def remove(self, socket: HttpSocket) -> None:
        """One has gone."""
        self._turned_away.discard(socket)
        self._all.discard(socket)
        self._leave_link(socket)
        if not self._all and self._last_gone is not None:
            self._last_gone.set()

    def asks(self, socket: HttpSocket, link: HttpLink | None) -> None:
        """A request on it is about this link, or about none: then it is nobody's, and
        ends if there is no room for one.
        """
        if self._proxies.trusts(socket.address) or link is socket.link:
            return
        self._leave_link(socket)
        if link is None:
            if not socket.place.enter(socket.address):
                socket.abort()
            return
        socket.link = link
        socket.place.leave("")
        if link not in self._of_link:
            self._of_link[link] = {}
            link.when_gone.append(partial(self._forget_link, link))
        others = self._of_link[link]
        others[socket] = None
        if len(others) > _OF_A_LINK:
            next((it for it in others if not it.is_answering), socket).finish()

    def waits(self, socket: HttpSocket) -> bool:
        """Whether it has to ask for something in time, having been answered; one that
        is nobody's and for which there is no room ends.
        """
        if self._proxies.trusts(socket.address) or socket.link is not None:
            return False
        if not socket.place.enter(socket.address):
            socket.finish()
        return True

    def _leave_link(self, socket: HttpSocket) -> None:
        if socket.link is not None:
            self._of_link[socket.link].pop(socket, None)
            socket.link = None

    def _forget_link(self, link: HttpLink) -> None:
        """A link has gone, and its sockets go once they are idle."""
        for socket in self._of_link.pop(link):
            socket.link = None
            socket.finish()

    # ---- the end

    async def finish(self) -> None:
        """End all, once they have taken what was answered, or after a short while."""
        for socket in list(self._all):
            socket.finish()
        if self._all:
            self._last_gone = asyncio.Event()
            ending = self._loop.create_task(self._last_gone.wait())
            await asyncio.wait([ending], timeout=self._close_s)
            ending.cancel()
        for socket in list(self._all):
            socket.abort()
