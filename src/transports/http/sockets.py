"""The sockets of a listener: those that are attached to a link, and a few others (B3).

A link has its place from the chat's ``Admission``, and two sockets: one for its events,
one for what it writes. Which link a socket is attached to shows with each request.
Before its first, and after its link's end, it is attached to none: for such sockets
there are a few places, of which an address has fewer, and more only as far as there is
room for links. What a trusted proxy has stays as it is: it sends requests for many
links on one socket.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final

from chatcore.addresses import network_of
from transports.base import LinkSettings
from transports.entry import Entry
from transports.http.link import HttpLink
from transports.http_connection import HttpConnection

UNATTACHED: Final = 256
"""Of sockets that are attached to no link, and take no link's place."""
UNATTACHED_OF_AN_ADDRESS: Final = 16
_TURNED_AWAY: Final = 16
"""Of those for which there is no room so many are told so at a time."""
_OF_A_LINK: Final = 4
"""Two and, for a moment, those that take their place."""


class SocketPlace:
    """What one socket takes of the room, as a ``transports.base.Admission`` that it
    alone asks.
    """

    def __init__(self, find: Callable[[str], Callable[[], None] | None]) -> None:
        self._find = find
        self._give_back: Callable[[], None] | None = None

    def enter(self, address: str) -> bool:
        """See ``Admission``; one that has a place keeps it."""
        if self._give_back is None:
            self._give_back = self._find(address)
        return self._give_back is not None

    def leave(self, address: str = "") -> None:  # noqa: ARG002  # the place knows
        """See ``Admission``; again does nothing."""
        if self._give_back is not None:
            self._give_back()
            self._give_back = None

    enter_call, leave_call = enter, leave


class HttpSocket(HttpConnection):
    """A connection of a listener.

    Attributes:
        place: what it takes of the listener's room.
        entry: how the listener, and a stream of TLS below, ask for that.
        link: which it is attached to, if it is to any.
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
        self.place.leave()


class Sockets:
    """All of one listener."""

    def __init__(self, settings: LinkSettings) -> None:
        self._loop = asyncio.get_running_loop()
        self._loopback_counts = settings.loopback_counts
        self._admission = settings.admission
        self._close_s = settings.close_s
        self._proxies = settings.proxies
        self._unattached: Counter[str] = Counter()
        self._all: set[HttpSocket] = set()
        self._of_link: dict[HttpLink, dict[HttpSocket, None]] = {}
        self._turned_away: set[HttpSocket] = set()
        self._last_gone: asyncio.Event | None = None

    # ---- room

    def find_place(self, address: str) -> Callable[[], None] | None:
        """Find room for a socket that is attached to no link: what gives it back; None
        where there is none.
        """
        network = network_of(address, loopback_counts=self._loopback_counts)
        has_many = network and self._unattached[network] >= UNATTACHED_OF_AN_ADDRESS
        if not has_many and self._unattached.total() < UNATTACHED:
            self._unattached[network] += 1
            return partial(self._give_back, network)
        if self._admission.enter(address):
            return partial(self._admission.leave, address)
        return None

    def _give_back(self, network: str) -> None:
        self._unattached[network] -= 1
        if not self._unattached[network]:
            del self._unattached[network]

    # ---- what happens on a socket

    def add(self, socket: HttpSocket) -> None:
        """One is open, and attached to no link."""
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
        """A request on it is about this link, to which it is attached then, or about
        none: then it ends if there is no room for such a one.
        """
        if self._proxies.trusts(socket.address) or link is socket.link:
            return
        self._leave_link(socket)
        if link is None:
            if not socket.place.enter(socket.address):
                socket.abort()
            return
        socket.link = link
        socket.place.leave()
        if link not in self._of_link:
            self._of_link[link] = {}
            link.when_gone.append(partial(self._forget_link, link))
        others = self._of_link[link]
        others[socket] = None
        if len(others) > _OF_A_LINK:
            next((it for it in others if not it.is_answering), socket).finish()

    def waits(self, socket: HttpSocket) -> bool:
        """Whether it has to ask for something in time, having been answered; one that
        is attached to no link, and for which there is no room, ends.
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
