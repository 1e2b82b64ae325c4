"""What a listener does with each connection: counts it, greets it, has it served."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Final

from chatcore.errors import CloseCode
from transports.base import Link, LinkSettings, ServeLink, Spawn
from transports.codec import Codec
from transports.connection_names import name_connection
from transports.errors import LinkClosed
from transports.fair_scheduler import FairScheduler
from transports.rate_limited_log import RateLimitedLog

_log = logging.getLogger(__name__)

_TURNED_AWAY_AT_ONCE: Final = 16
"""Of connections that are too many, so many are told why at a time; others end without
a word.
"""


class LinkAcceptor:
    """The half of a listener that is the same on every transport.

    It asks ``settings.admission`` for each connection and gives back what that gave,
    has a handshake end within ``settings.handshake_s``, has the link served, and aborts
    it at the end.

    Args:
        serve_link: see ``transports.base.Transport.listen``.
        settings: likewise.
        spawn: likewise.
    """

    def __init__(
        self, serve_link: ServeLink, settings: LinkSettings, spawn: Spawn
    ) -> None:
        self._serve_link = serve_link
        self._settings = settings
        self._spawn = spawn
        self._scheduler = FairScheduler()
        self._log = RateLimitedLog(_log)
        self._greeting: set[Link] = set()
        self._turned_away = 0
        self._has_stopped = False

    def accept(
        self, link: Link, shake_hands: Coroutine[object, None, Codec | None]
    ) -> None:
        """Take a connection that was made, and of which nothing was read.

        ``shake_hands`` returns the codec of its frames, or None when it has ended the
        link itself. ``LinkClosed`` with a code refuses the peer: the link is closed
        with it. ``OSError`` and ``EOFError`` stand for a peer that has gone.
        """
        if self._has_stopped:
            shake_hands.close()
            link.abort()
        elif self._settings.admission.enter(link.address):
            self._greeting.add(link)
            self._spawn(self._serve(link, shake_hands))
        else:
            shake_hands.close()
            self._turn_away(link)

    def stop(self) -> None:
        """Take no more, and wait for nobody who has not shaken hands."""
        self._has_stopped = True
        for link in list(self._greeting):
            link.abort()

    async def _serve(
        self, link: Link, shake_hands: Coroutine[object, None, Codec | None]
    ) -> None:
        name_connection()
        try:
            codec = await self._greet(link, shake_hands)
            if codec is not None:
                await self._serve_link(link, codec)
        finally:
            link.abort()
            self._settings.admission.leave(link.address)

    async def _greet(
        self, link: Link, shake_hands: Coroutine[object, None, Codec | None]
    ) -> Codec | None:
        await self._scheduler.enter()
        try:
            async with asyncio.timeout(self._settings.handshake_s):
                return await shake_hands
        except LinkClosed as refused:
            if not refused.is_gone:
                self._log.info("Refused %s: %s", link.peer, refused.text)
                await link.close(refused.code, refused.text)
        except (OSError, EOFError):
            pass  # it has gone, or was too slow
        except Exception as error:  # noqa: BLE001  # a fault there ends one link, not all
            name = f"{type(link).__module__}.{type(link).__qualname__}"
            _log.debug("%s could not shake hands", name, exc_info=error)
            self._log.info("%s could not shake hands: %r", name, error)
        finally:
            self._greeting.discard(link)
        return None

    def _turn_away(self, link: Link) -> None:
        code = CloseCode.TOO_MANY_CONNECTIONS
        self._log.info("Refused %s: %s", link.peer, code.text)
        if self._turned_away < _TURNED_AWAY_AT_ONCE:
            self._turned_away += 1
            self._spawn(self._close(link, code))
        else:
            link.abort()

    async def _close(self, link: Link, code: CloseCode) -> None:
        try:
            await link.close(code, code.text)
        finally:
            self._turned_away -= 1


class SocketListener:
    """See ``transports.base.Listener``: a server of asyncio's and its links' acceptor.

    Args:
        url: where clients connect.
        server: what accepts sockets.
        acceptor: what it gives them to.
    """

    def __init__(
        self, url: str, server: asyncio.AbstractServer, acceptor: LinkAcceptor
    ) -> None:
        self.url = url
        self._server = server
        self._acceptor = acceptor

    async def stop_accepting(self) -> None:
        """See ``transports.base.Listener``."""
        self._server.close()
        self._acceptor.stop()

    async def wait_finished(self) -> None:
        """See ``transports.base.Listener``: each link has its own socket."""
