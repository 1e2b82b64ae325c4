"""A link at a server: a stream of events, and requests that bring frames."""

import secrets
from collections.abc import Callable, Sequence
from typing import Final

from chatcore.errors import CloseCode
from transports.base import LinkSettings
from transports.errors import LinkClosed, PeerFinished, frame_too_large
from transports.fair_scheduler import LARGE_BYTES, UNIT_BYTES, FairScheduler
from transports.framing import FrameTooLarge, LineFraming
from transports.http.events import EventStream
from transports.http_messages import RequestBody
from transports.message_link import MessageLink

_SECRET_BYTES: Final = 24
_AHEAD_BYTES: Final = 16 * 1024
"""Of frames that are received while there is no room, as a socket would be read ahead:
a lone request is answered at once."""


class HttpLink(MessageLink):
    """See ``transports.base.Link``.

    Attributes:
        secret: who has it has the link.
        once: stands for it in one request for its events; empty once that was made.
        events: what is written to the peer.
        is_posting: whether a request brings frames.
        when_gone: called in their order once the link is gone.
    """

    def __init__(self, settings: LinkSettings, *, peer: str, address: str) -> None:
        super().__init__(settings, peer=peer, address=address)
        self.secret = secrets.token_urlsafe(_SECRET_BYTES)
        self.once = secrets.token_urlsafe(_SECRET_BYTES)
        self.is_posting = False
        self._ahead_of_room_bytes = 0
        self.when_gone: list[Callable[[], None]] = []
        self.events = EventStream(
            settings.keepalive_s, on_taken=self.took, on_lost=self.abort
        )
        self._expiry = self._loop.call_later(settings.handshake_s, self._expire)

    def _expire(self) -> None:
        """End a link whose events nobody has asked for in time."""
        if not self.events.is_asked_for:
            self.abort()

    def open_events(self) -> EventStream | None:
        """What is to be written to the peer; None if that was asked for before."""
        self.once = ""
        if self.events.is_asked_for:
            return None
        self.events.is_asked_for = True
        self._expiry.cancel()
        self.heard()
        return self.events

    async def take(self, body: RequestBody, intake: FairScheduler) -> None:
        """Receive the frames of a request, a line each, as there is room for them.

        Whoever breaks off in the middle has lost the link: nobody could say which of
        the frames have arrived.

        Raises:
            LinkClosed: the link has ended, or the frames end it.
            ConnectionError: the peer has gone.
            RequestBroken: what was read is no body.
        """
        framing = LineFraming(self.largest_bytes)
        is_whole = False
        try:
            while piece := await self._read(body):
                await self._receive(framing, piece)
                self.note_partial(framing.held_bytes)
                if framing.held_bytes > LARGE_BYTES:
                    await intake.enter()
            await self._receive(framing, b"\n")
            await self._has_room(0)
            is_whole = True
        except LinkClosed:
            is_whole = True
            raise
        finally:
            self.note_partial(0)
            if not is_whole:
                self.abort()

    async def _read(self, body: RequestBody) -> bytes:
        await self._has_room(0)
        piece = await body.read()
        self.heard()
        return piece

    async def _receive(self, framing: LineFraming, piece: bytes) -> None:
        framing.allow(self.largest_bytes)
        too_large: LinkClosed | None = None
        try:
            frames = framing.feed(piece)
        except FrameTooLarge as found:
            frames, too_large = found.before, frame_too_large(found.limit)
        for frame in frames:
            await self._has_room(max(len(frame), UNIT_BYTES))
            self.receive(frame)
        if too_large is not None:
            self.end(too_large)
            raise too_large

    async def _has_room(self, frame_bytes: int) -> None:
        """Return once so much may be received; raises ``LinkClosed`` once none may."""
        is_held = self._is_held and self._end is None
        if is_held and self._ahead_of_room_bytes < _AHEAD_BYTES:
            self._ahead_of_room_bytes += frame_bytes
        else:
            await self.room()
            self._ahead_of_room_bytes = 0

    def finish_reading(self) -> None:
        """The peer writes no more: it gets what it is owed, and the link ends."""
        self.heard()
        self.end(PeerFinished())

    # ---- transports.message_link.MessageLink

    async def send_messages(self, messages: Sequence[bytes]) -> None:
        """See ``MessageLink``."""
        await self.events.write(messages)

    async def finish(self, code: CloseCode, text: str) -> None:
        """See ``MessageLink``: the last event says it."""
        await self.events.finish(code, text)

    def cut(self) -> None:
        """See ``MessageLink``."""
        self._expiry.cancel()
        self.events.cut()
        for call in self.when_gone:
            call()
