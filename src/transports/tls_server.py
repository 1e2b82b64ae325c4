"""The streams of one listener with TLS, from the moment that each is connected (B3)."""

import asyncio
import logging
import sys
from typing import Final

from chatcore.addresses import network_of
from transports.base import Address, LinkSettings
from transports.entry import Entry
from transports.errors import BadUrl
from transports.fair_scheduler import FairScheduler
from transports.rate_limited_log import RateLimitedLog
from transports.tls import CertificateInUse
from transports.tls_handshakes import AT_ONCE, TlsHandshakes
from transports.tls_stream import READ_BYTES, TlsStream

_log = logging.getLogger(__name__)

_TURNED_AWAY_AT_ONCE: Final = 16
"""Of connections that are too many, so many may shake hands at a time, to be told why;
others end without a word, for which there is no handshake to pay."""


class TlsAcceptor:
    """Makes the streams of a listener, and knows those that have not shaken hands.

    Args:
        certificate: asked for its context by each stream.
        settings: how long a handshake may take, and what addresses count.
        protocols: see ``CertificateInUse.context``.
    """

    def __init__(
        self, certificate: CertificateInUse, settings: LinkSettings, *protocols: str
    ) -> None:
        self._certificate = certificate
        self._settings = settings
        self._protocols = protocols
        # Windows' loop fills a buffer while others have their turn.
        self._buffer = None if sys.platform == "win32" else bytearray(READ_BYTES)
        self._handshakes = settings.handshakes or TlsHandshakes(
            settings.connections, FairScheduler(at_once=AT_ONCE)
        )
        self._loop = asyncio.get_running_loop()
        self._log = RateLimitedLog(_log)
        self._shaking: set[TlsStream] = set()
        self._turned_away: set[TlsStream] = set()

    def stream(self, protocol: asyncio.BaseProtocol, entry: Entry) -> TlsStream:
        """A stream for a connection that is about to be made."""
        stream = _AcceptedStream(
            self._certificate.context(*self._protocols),
            protocol,
            handshake_s=self._settings.handshake_s,
            buffer=self._buffer,
            turns=self._handshakes.turns,
        )
        stream.acceptor, stream.entry = self, entry
        return stream

    def admit(self, stream: TlsStream, *, is_too_many: bool) -> bool:
        """Whether a stream may shake hands, which one that is too many seldom may."""
        if is_too_many:
            if len(self._turned_away) >= _TURNED_AWAY_AT_ONCE:
                return False
            self._turned_away.add(stream)
        self._shaking.add(stream)
        stream.opened.add_done_callback(lambda _: self._finish(stream))
        return True

    def begin(self, stream: TlsStream, address: str) -> None:
        """A peer from there has begun the handshake, for which another may end."""
        loopback_counts = self._settings.loopback_counts
        network = network_of(address, loopback_counts=loopback_counts)
        excess = self._handshakes.enter(stream, network, self._loop.time())
        if isinstance(excess, TlsStream) and not excess.opened.done():
            peer = excess.get_extra_info("peername")
            self._log.info("Ended the handshake of %s: too many are under way", peer)
            excess.abort()

    def end(self, stream: TlsStream) -> None:
        """A stream is gone."""
        self._finish(stream)
        self._turned_away.discard(stream)

    def _finish(self, stream: TlsStream) -> None:
        self._shaking.discard(stream)
        self._handshakes.leave(stream)

    def close(self) -> None:
        """End those that have not shaken hands."""
        for stream in list(self._shaking):
            stream.abort()


class _AcceptedStream(TlsStream):
    """A server's end of a connection, which counts from before its handshake."""

    acceptor: TlsAcceptor
    entry: Entry

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it, and wait for the handshake if there is room."""
        self.entry.arrive(transport.get_extra_info("peername"))
        super().connection_made(transport)
        if not self.acceptor.admit(self, is_too_many=not self.entry.is_open):
            self.abort()

    def begin_handshake(self) -> None:
        """See ``TlsStream``; it may be one handshake too many."""
        self.acceptor.begin(self, self.entry.address)
        if not self.is_closing():
            super().begin_handshake()

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.BaseProtocol``."""
        super().connection_lost(exc)
        self.entry.leave()
        self.acceptor.end(self)


def acceptor_for(
    address: Address, settings: LinkSettings, *protocols: str
) -> TlsAcceptor | None:
    """What a listener needs for a URL with TLS; None for one without.

    Raises:
        BadUrl: there is no certificate.
    """
    if not address.is_secure:
        return None
    if settings.certificate is None:
        raise BadUrl(address.text, "with TLS it needs a certificate")
    return TlsAcceptor(settings.certificate, settings, *protocols)
