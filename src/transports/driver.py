"""The session driver: runs one link of a server, whatever its transport.

It is called: by the link with frames, by the chat when something is to be written, by
the event loop. What can be done at once is done in that call. Three coroutines tell the
order of things: *taking* (``frame_reader``) decodes frames, takes acknowledgements and
queues the other commands; *executing* (``command_runner``) has the chat carry out what
is queued, a batch at a time; *writing* (``event_writer``) puts all that waits in the
outbox into one frame, once a turn of the event loop. One that has to wait goes on in a
task (``link_work``); an idle link has none.

None is ever cancelled: when the link ends, each sees it and returns, so that what was
committed is also delivered (see ``Chat.execute``).
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Final

from chatcore import Chat
from chatcore.connections import Connection
from chatcore.errors import CloseCode
from chatcore.model import NOWHERE, Origin
from transports.base import Link
from transports.codec import Codec
from transports.command_runner import CommandRunner
from transports.deferred_calls import DeferredCalls
from transports.event_writer import EVENT_BYTES, EventWriter
from transports.fair_scheduler import FairScheduler, LinkShare
from transports.frame_reader import FrameReader
from transports.held_bytes import HeldBytes
from transports.keepalive import Keepalive
from transports.link_work import LinkWork
from transports.memory_budget import MemoryBudget
from transports.rate_limited_log import RateLimitedLog
from transports.request_headers import headers_of
from transports.served_link import ServedLink

_log = logging.getLogger(__name__)

_LAST_WORDS_S: Final = 1.0


class Driver:
    """Drives one link until it ends; is the ``ConnectionSink`` of its connection."""

    __slots__ = (
        "_chat",
        "_connection",
        "_keepalive",
        "_kept_bytes",
        "_link",
        "_link_bytes",
        "_log_limited",
        "_loop",
        "_memory_budget",
        "_on_gone",
        "_own",
        "_own_bytes",
        "_reader",
        "_runner",
        "_share",
        "_work",
        "_writer",
    )

    def __init__(
        self,
        chat: Chat,
        link: Link,
        codec: Codec,
        memory_budget: MemoryBudget,
        scheduler: FairScheduler,
        limited_log: RateLimitedLog,
        later: DeferredCalls,
        origin: Origin = NOWHERE,
    ) -> None:
        self._chat = chat
        self._link = link
        self._memory_budget = memory_budget
        self._share = LinkShare(scheduler)
        self._log_limited = limited_log
        self._link_bytes = 0
        self._own_bytes = 0
        self._own = HeldBytes()
        self._own.tell(self._note_own)
        self._loop = asyncio.get_running_loop()
        self._work = LinkWork(self._see_over)
        self._writer = EventWriter(
            chat, link, codec, self._share, self._work, later, self._wake_reader
        )
        self._runner = CommandRunner(
            chat,
            link,
            self._share,
            self._work,
            self._writer,
            self._note,
            self._wake_reader,
        )
        headers = headers_of(link)
        self._kept_bytes = sum(map(len, headers.values()))
        self._connection = chat.attach(
            self,
            link.address,
            most_frame_bytes=link.most_frame_bytes,
            origin=origin,
            headers=headers,
        )
        self._writer.connection = self._runner.connection = self._connection
        self._reader = FrameReader(
            chat,
            link,
            codec,
            self._connection,
            self._share,
            self._work,
            self._writer,
            self._runner,
        )
        self._keepalive = Keepalive(chat, self._connection, link, self._may_be_silent)
        self._on_gone: Callable[[], None] | None = None
        link.report_held(self.note_link)

    def begin(self, on_gone: Callable[[], None], *, is_watched: bool = False) -> None:
        """Serve the link to its end; its session is detached or ended then.

        ``on_gone`` is called after that, once nothing runs for the link any more. For
        ``is_watched`` see ``transports.server.Server.accept``.
        """
        self._on_gone = on_gone
        self._note()
        self._keepalive.begin(is_watched=is_watched)
        self._link.start(self._reader)

    async def run(self) -> None:
        """Serve the link, as ``begin`` does, and return at its end."""
        served = ServedLink(self._link, Link.abort)
        self.begin(served.end)
        await served

    def _see_over(self) -> None:
        try:
            self._keepalive.end()
            self._end(self._connection)
        finally:
            if self._on_gone is not None:
                self._work.call_when_idle(self._on_gone)

    def _end(self, connection: Connection) -> None:
        """Have all that waits see that the link is gone, and return."""
        closing = connection.closing
        if closing is not None:
            self._log_limited.info(
                "Ended the link of %s: [%d] %s",
                self._link.peer,
                closing.code,
                closing.text,
            )
        self._link.abort()
        self._link.hold_reading(on=False)  # whoever waits to read sees the end
        self._chat.detach(connection)
        self._runner.queue.drop()
        self._memory_budget.leave(self)
        self._wake_reader()
        self._writer.end()

    def _may_be_silent(self) -> bool:
        """Whether the peer cannot be heard for a reason that is the server's own (S5).

        Commands of it are being carried out and no more are read. That it does not take
        its answers is no such reason.
        """
        return self._reader.waits and not self._writer.is_clogged

    def _wake_reader(self) -> None:
        self._reader.wake()

    # ---- the connection's sink

    @property
    def held_bytes(self) -> int:
        """See ``chatcore.ports.ConnectionSink``."""
        return self._link_bytes + self._own_bytes

    def wake(self) -> None:
        """See ``chatcore.ports.ConnectionSink``."""
        self._writer.wake()

    def wake_later(self) -> None:
        """See ``chatcore.ports.ConnectionSink``."""
        self._writer.wake_later()

    async def drained(self) -> bool:
        """See ``chatcore.ports.ConnectionSink``."""
        return await self._writer.drained()

    async def give_way(self) -> None:
        """See ``chatcore.ports.ConnectionSink``."""
        await self._share.give_way()

    def report(self, error: Exception) -> None:
        """See ``chatcore.ports.ConnectionSink``."""
        _log.error("A command of %s failed", self._link.peer, exc_info=error)

    def start(self, operation: Coroutine[object, None, None]) -> None:
        """See ``chatcore.ports.ConnectionSink``."""
        self._connection.operations += 1
        self._work.spawn(self._operate(operation))

    async def _operate(self, operation: Coroutine[object, None, None]) -> None:
        try:
            await operation
        except Exception:  # noqa: BLE001  # a fault of ours ends one link, not all
            _log.exception("An operation of %s failed", self._link.peer)
            self._connection.close(CloseCode.SERVER_FAULT)
        finally:
            self._connection.operations -= 1
            self._wake_reader()

    # ---- a member of the memory budget

    def hold_reading(self, *, on: bool) -> None:
        """See ``transports.memory_budget.BudgetMember``."""
        self._reader.is_held = on
        self._link.hold_reading(on=on or self._reader.is_taking)
        self._wake_reader()

    def end_overloaded(self) -> None:
        """See ``transports.memory_budget.BudgetMember``."""
        self._connection.close(CloseCode.OVERLOADED)
        self._runner.queue.drop()
        if self._writer.is_clogged or self._link_bytes > self._own_bytes:
            self._link.abort()  # it cannot be told, or would hold on meanwhile
        else:
            self._loop.call_later(_LAST_WORDS_S, self._link.abort)

    def note_link(self, held_bytes: int) -> None:
        """Take note of what the link holds; it says so when that changes by much."""
        if not self._work.is_over:
            self._link_bytes = held_bytes
            self._memory_budget.update(self, held_bytes + self._own_bytes)

    def _note_own(self, held_bytes: int) -> None:
        if not self._work.is_over:
            self._own_bytes = held_bytes
            self._memory_budget.update(self, self._link_bytes + held_bytes)

    def _note(self) -> None:
        """Take note of what waits here."""
        waiting_bytes = len(self._connection.outbox) * EVENT_BYTES
        self._own.note(
            self._kept_bytes
            + self._reader.held_bytes
            + self._runner.queue.held_bytes
            + waiting_bytes
        )
