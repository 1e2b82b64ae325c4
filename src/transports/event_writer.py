"""Writing to one link what the chat has for it: all that waits in one frame."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from chatcore import Chat
from chatcore.connections import Connection
from chatcore.errors import CloseCode, Outage
from transports.base import Link
from transports.codec import Codec, ItemTooLarge, split
from transports.deferred_calls import DeferredCalls
from transports.fair_scheduler import LinkShare
from transports.link_work import LinkWork
from transports.waiters import wake

_log = logging.getLogger(__name__)
EVENT_BYTES: Final = 1024
"""What an event that waits holds, at the most but for mail and pages of lists; those
are bounded by the window, and by one page for each list."""


class EventWriter:
    """Writes a connection's outbox, once a turn of the event loop, and fetches mail.

    Attributes:
        connection: whose; set before the event loop has its next turn.
    """

    __slots__ = (
        "_chat",
        "_codec",
        "_drained",
        "_is_due",
        "_is_due_later",
        "_is_writing",
        "_later",
        "_limits",
        "_link",
        "_loop",
        "_on_written",
        "_share",
        "_to_write",
        "_work",
        "connection",
    )

    connection: Connection

    def __init__(
        self,
        chat: Chat,
        link: Link,
        codec: Codec,
        share: LinkShare,
        work: LinkWork,
        later: DeferredCalls,
        on_written: Callable[[], None],
    ) -> None:
        self._chat = chat
        self._link = link
        self._codec = codec
        self._share = share
        self._work = work
        self._later = later
        self._on_written = on_written
        self._limits = chat.limits
        self._loop = asyncio.get_running_loop()
        self._is_due = self._is_due_later = False
        self._is_writing = False
        self._to_write: asyncio.Future[None] | None = None
        self._drained: list[asyncio.Future[bool]] = []

    @property
    def is_clogged(self) -> bool:
        """Whether what was written waits for the peer to take it."""
        return self._link.is_clogged

    @property
    def is_crowded(self) -> bool:
        """Whether as much is to be written as may wait (B1)."""
        limits, connection = self._limits, self.connection
        is_known = connection.delivery is not None
        most = limits.unsent_bytes if is_known else limits.login_unsent_bytes
        return len(connection.outbox) * EVENT_BYTES >= most

    def wake(self) -> None:
        """See ``chatcore.ports.ConnectionSink``."""
        if not self._is_due:
            self._is_due = True
            if not self._is_writing:
                self._loop.call_soon(self._begin)

    def wake_later(self) -> None:
        """See ``chatcore.ports.ConnectionSink``: a frame that comes before has it."""
        if not (self._is_due or self._is_due_later):
            self._is_due_later = True
            self._later.add(self._wake_now)

    def _wake_now(self) -> None:
        self._is_due_later = False
        if self.connection.outbox:
            self.wake()

    async def drained(self) -> bool:
        """See ``chatcore.ports.ConnectionSink``."""
        if self._work.is_over:
            return False
        if not (self._is_due or self._is_writing or self.connection.outbox):
            return True
        waiter: asyncio.Future[bool] = self._loop.create_future()
        self._drained.append(waiter)
        return await waiter

    def resume(self) -> None:
        """Go on: the link is not clogged any more, or it is gone."""
        wake(self._to_write)
        if self._is_due:
            self._begin()

    def end(self) -> None:
        """Have all that waits see that the link is gone."""
        self.resume()
        self._tell_drained(written=False)

    def _tell_drained(self, *, written: bool) -> None:
        for waiter in self._drained:
            if not waiter.done():
                waiter.set_result(written)
        self._drained.clear()

    def _begin(self) -> None:
        if self._is_writing or self._work.is_over:
            return
        connection = self.connection
        wants_mail = self._wants_mail(connection)
        if not wants_mail and connection.closing is None:
            if self._link.is_clogged:
                return  # until ``resume``
            if self._write_now(connection):
                return
        self._is_writing = True
        if wants_mail:
            self._work.spawn(self._write(connection))
        else:
            self._work.begin(self._write(connection))

    def _write_now(self, connection: Connection) -> bool:
        """Write what waits to a link that is not clogged, unless others have to have a
        turn before; whether it was. It does what ``_write`` does, as a plain call.
        """
        link, events = self._link, connection.outbox
        if not self._share.allows(len(events), self._chat.turn_commands(connection)):
            return False
        try:
            frames = split(events, self._codec.encode_events, self._limits.frame_bytes)
        except ItemTooLarge:
            return False
        connection.outbox = []
        if frames:
            link.write(frames)
            if link.is_clogged:
                return True  # and ``resume`` sees to the rest
        self._is_due = False
        self._on_written()
        if self._drained:
            self._tell_drained(written=True)
        return True

    async def _write(self, connection: Connection) -> None:
        """Write what waits, all of it in one frame, and fetch what is behind."""
        try:
            while self._is_due and not self._work.is_over:
                self._is_due = False
                await self._unclog()
                if self._wants_mail(connection):
                    await self._fetch(connection)
                await self._write_some(connection)
        except ItemTooLarge as too_large:
            # It was stored when frames could be larger.
            _log.error("Cannot write to %s: %s", self._link.peer, too_large)
            connection.close(CloseCode.SERVER_FAULT)
            self._work.finish()
        finally:
            self._is_writing = False
        self._tell_drained(written=not self._work.is_over)
        if connection.closing is not None and not self._work.is_over:
            self._is_writing = True  # nothing follows it
            self._work.spawn(
                self.close_link(connection.closing.code, connection.closing.text)
            )

    async def _write_some(self, connection: Connection) -> None:
        """Write as much as others may have to wait for (B2)."""
        most = self._chat.turn_commands(connection)
        events = connection.take_outbox(most)
        if events:
            if not self._share.allows(len(events), most):
                await self._share.enter()
            encode = self._codec.encode_events
            self._link.write(split(events, encode, self._limits.frame_bytes))
            await self._unclog()
            self._on_written()
        if connection.outbox:
            self._is_due = True
            await self._share.give_way()

    async def _unclog(self) -> None:
        """Wait until the peer takes what was written, or the link is gone."""
        while self._link.is_clogged and not self._work.is_over:
            self._to_write = self._loop.create_future()
            await self._to_write

    async def close_link(self, code: CloseCode, text: str) -> None:
        """End the link once what was written is out."""
        self._link.hold_reading(on=False)  # it reads to the end in its own way
        await self._link.close(code, text)
        self._work.finish()

    @staticmethod
    def _wants_mail(connection: Connection) -> bool:
        return connection.delivery is not None and connection.delivery.wants_mail

    async def _fetch(self, connection: Connection) -> None:
        """Read mail for a session that is behind, as much as has room."""
        try:
            await self._chat.fetch(connection)
        except Outage as outage:
            connection.counters.store_failures += 1
            _log.warning("Mail for %s cannot be read: %s", self._link.peer, outage)
            connection.close(CloseCode.SERVER_FAULT)
            return
        if self._wants_mail(connection):
            self._is_due = True
