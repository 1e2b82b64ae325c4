"""The session driver: runs one link of a server, whatever its transport.

It is called: by the link with frames, by the chat when something is to be written, by
the event loop. What can be done at once is done in that call. Three coroutines tell the
order of things: *taking* decodes frames, takes acknowledgements and queues the other
commands; *working* has the chat execute what is queued, a batch at a time; *writing*
(``transports.event_writer``) puts all that waits in the outbox into one frame, once a
turn of the event loop. One that has to wait goes on in a task; an idle link has none.

None is ever cancelled: when the link ends, each sees it and returns, so that what was
committed is also delivered (see ``Chat.execute``).

What a peer can make the server hold, and do at a stretch, is bounded here (B1, B2):
nothing more is read while commands wait (W8) or while answers do that the peer does not
take, and after some commands or milliseconds all others have a turn.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from time import perf_counter
from typing import Final

from chatcore import Chat
from chatcore.commands import Request
from chatcore.connections import Connection
from chatcore.errors import CloseCode
from chatcore.model import NOWHERE, Origin
from transports.acknowledgement_queue import AcknowledgementQueue
from transports.base import Link, LinkClosed, PeerFinished
from transports.codec import AT_A_STRETCH, BrokenFrame, Codec
from transports.command_queue import CommandQueue
from transports.event_writer import EVENT_BYTES, EventWriter
from transports.fair_scheduler import UNIT_BYTES, FairScheduler, LinkShare
from transports.held_bytes import HeldBytes
from transports.keepalive import Keepalive
from transports.link_work import LinkWork
from transports.memory_budget import MemoryBudget
from transports.rate_limited_log import RateLimitedLog
from transports.served_link import ServedLink

_log = logging.getLogger(__name__)

_LAST_WORDS_S: Final = 1.0
_LONE_BYTES: Final = 512
"""A frame that holds a chat's message or two, and not commands for a long stretch."""


class Driver:
    """Drives one link until it ends; is the ``ConnectionSink`` of its connection."""

    __slots__ = (
        "_acknowledging",
        "_chat",
        "_codec",
        "_connection",
        "_end_of_reading",
        "_frames",
        "_is_held",
        "_is_known",
        "_is_stalled",
        "_is_taking",
        "_is_working",
        "_keepalive",
        "_limits",
        "_link",
        "_link_bytes",
        "_log_limited",
        "_loop",
        "_memory_budget",
        "_on_gone",
        "_own",
        "_own_bytes",
        "_pending",
        "_share",
        "_spent",
        "_to_read",
        "_turn_ends_s",
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
        origin: Origin = NOWHERE,
    ) -> None:
        self._chat = chat
        self._link = link
        self._codec = codec
        self._memory_budget = memory_budget
        self._share = LinkShare(scheduler)
        self._log_limited = limited_log
        self._link_bytes = 0
        self._own_bytes = 0
        self._own = HeldBytes()
        self._own.tell(self._note_own)
        self._limits = chat.limits
        self._loop = asyncio.get_running_loop()
        self._work = LinkWork(self._see_over)
        self._writer = EventWriter(
            chat, link, codec, self._share, self._work, self._wake_reader
        )
        self._pending = CommandQueue()
        self._frames: Sequence[bytes] = ()
        self._end_of_reading: LinkClosed | None = None
        self._spent = 0
        self._turn_ends_s = 0.0
        self._is_known = False
        self._is_held = False
        self._is_taking = False
        self._is_stalled = False
        self._is_working = False
        self._to_read: list[asyncio.Future[None]] = []
        self._connection = chat.attach(
            self,
            link.address,
            most_frame_bytes=link.most_frame_bytes,
            origin=origin,
        )
        self._writer.connection = self._connection
        self._acknowledging = AcknowledgementQueue(chat, self._connection)
        self._keepalive = Keepalive(chat, self._connection, link, self._may_be_silent)
        self._on_gone: Callable[[], None] | None = None
        link.report_held(self.note_link)

    def begin(self, on_gone: Callable[[], None]) -> None:
        """Serve the link to its end; its session is detached or ended then.

        ``on_gone`` is called after that, once nothing runs for the link any more.
        """
        self._on_gone = on_gone
        self._keepalive.begin()
        self._link.start(self)

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
        self._work.finish()
        self._link.abort()
        self._chat.detach(connection)
        self._pending.drop()
        self._memory_budget.leave(self)
        self._wake_reader()
        self._writer.end()

    def _may_be_silent(self) -> bool:
        """Whether the peer cannot be heard for a reason that is the server's own (S5).

        Commands of it are being carried out and no more are read. That it does not take
        its answers is no such reason.
        """
        return bool(self._to_read) and not self._writer.is_clogged

    # ---- the connection's sink

    @property
    def held_bytes(self) -> int:
        """See ``chatcore.ports.ConnectionSink``."""
        return self._link_bytes + self._own_bytes

    def wake(self) -> None:
        """See ``chatcore.ports.ConnectionSink``."""
        self._writer.wake()

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
        self._is_held = on
        self._link.hold_reading(on=on or self._is_taking)
        self._wake_reader()

    def end_overloaded(self) -> None:
        """See ``transports.memory_budget.BudgetMember``."""
        self._connection.close(CloseCode.OVERLOADED)
        self._pending.drop()
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
        self._own.note(self._pending.held_bytes + waiting_bytes)

    # ---- transports.base.FrameHandler, and reading

    def resume_writing(self) -> None:
        """See ``transports.base.FrameHandler``."""
        self._writer.resume()

    def frames_received(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.FrameHandler``."""
        connection = self._connection
        if connection.is_over or self._end_of_reading is not None:
            self._link.hold_reading(on=True)
            return
        connection.hear()
        if self._is_taking:
            self._frames = [*self._frames, *frames]
            return
        if len(frames) == 1 and self._take_lone(connection, frames[0]):
            if not self._is_full(connection):
                return
            frames = ()  # none that is left, but there is to be waited
        self._frames = frames
        self._is_taking = True
        if not self._work.begin(self._take_frames()):
            self._is_stalled = True
            self._link.hold_reading(on=True)

    def _take_lone(self, connection: Connection, frame: bytes) -> bool:
        """Take a frame that is small and came alone, as in a chat most do; whether that
        was possible at once. It does what ``_take_frames`` does, and never waits.
        """
        if len(frame) > _LONE_BYTES:
            return False
        try:
            requests = self._codec.decode_commands(frame)
        except BrokenFrame:
            return False
        commands = len(requests) or 1
        self._spent += commands
        most = self._chat.turn_commands(connection)
        if self._spent >= most or not self._share.allows(commands, most):
            self._spent -= commands
            return False
        queued = self._acknowledging.sift(requests)
        if queued:
            self._pending.put(queued, len(frame))
        if self._acknowledging.waits:
            self._acknowledge_now()
        self._work_now()
        return True

    def reading_ended(self, end: LinkClosed) -> None:
        """See ``transports.base.FrameHandler``."""
        if end.code is CloseCode.LINK_LOST and not isinstance(end, PeerFinished):
            self._work.finish()
        elif self._end_of_reading is None:
            self._end_of_reading = end
            if not self._is_taking:
                self._work.spawn(self._see_to_end(end))

    async def _take_frames(self) -> None:
        """Take what has arrived, until there is no more of it, or nothing to be done
        with it.
        """
        connection = self._connection
        self._turn_ends_s = perf_counter() + self._limits.turn_s
        try:
            await self._wait_for_room(connection)
            while self._frames:
                frames, self._frames = self._frames, ()
                for frame in frames:
                    await self._take(connection, frame)
                    if connection.is_over:
                        return
            self._acknowledge_now()
        except BrokenFrame as broken:
            self._end_of_reading = LinkClosed(CloseCode.BROKEN_FRAME, str(broken))
            self._acknowledge_now()
        finally:
            self._is_taking = False
            self._work_now()
        if self._is_stalled:
            self._is_stalled = False
            self._link.hold_reading(on=self._is_held)
        if self._end_of_reading is not None:
            self._work.spawn(self._see_to_end(self._end_of_reading))

    async def _take(self, connection: Connection, frame: bytes) -> None:
        """Take a frame's acknowledgements and pongs now, and queue the rest (W7).

        Raises:
            BrokenFrame: it cannot be read; nothing of it is taken.
        """
        most = self._chat.turn_commands(connection)
        if not self._share.allows(len(frame) // UNIT_BYTES, most):
            self._work_now()
            await self._share.enter()
        requests: list[Request] = []
        for some in self._codec.read_commands(frame):
            requests += some
            if len(requests) % AT_A_STRETCH == 0:
                await self._give_way()
        queued: list[Request] = []
        for start in range(0, len(requests), AT_A_STRETCH):
            if start:
                await self._give_way()
            queued += self._acknowledging.sift(requests[start : start + AT_A_STRETCH])
        self._queue(queued, len(frame))
        # Frames without commands count as one: reading them costs as much.
        commands = max(1, len(requests))
        self._spent += commands
        self._share.allows(commands, most)
        if self._spent >= most or perf_counter() >= self._turn_ends_s:
            await self._give_way()
            self._spent = 0
            self._turn_ends_s = perf_counter() + self._limits.turn_s
        await self._wait_for_room(connection)

    async def _wait_for_room(self, connection: Connection) -> None:
        while self._is_full(connection):
            self._work_now()
            await self._wait_to_read()

    async def _give_way(self) -> None:
        """Let all others have a turn, and what is queued be carried out meanwhile."""
        self._work_now()
        await self._share.give_way()

    def _acknowledge_now(self) -> None:
        self._queue(self._acknowledging.take(), 0)

    def _queue(self, requests: Sequence[Request], frame_bytes: int) -> None:
        """Have these carried out, once all is taken that came with them."""
        if requests:
            self._pending.put(requests, frame_bytes)

    def _is_full(self, connection: Connection) -> bool:
        """Whether reading has to stop until something is done (W8, B1)."""
        limits = self._limits
        return not (self._work.is_over or connection.closing) and (
            len(self._pending) >= limits.pending_commands
            or self._pending.frame_bytes >= limits.pending_bytes
            or self._is_held
            or self._is_crowded(connection)
        )

    def _is_crowded(self, connection: Connection) -> bool:
        """Whether as much is to be written as may wait (B1)."""
        limits = self._limits
        most = limits.unsent_bytes if self._is_known else limits.login_unsent_bytes
        return len(connection.outbox) * EVENT_BYTES >= most

    async def _wait_to_read(self) -> None:
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._to_read.append(waiter)
        await waiter

    def _wake_reader(self) -> None:
        waiting, self._to_read = self._to_read, []
        for waiter in waiting:
            waiter.set_result(None)

    async def _see_to_end(self, end: LinkClosed) -> None:
        """Answer what was asked before the peer's last word, then end the link."""
        connection = self._connection
        if not isinstance(end, PeerFinished):
            await self._finish_commands()
            connection.close(end.code, end.text)
            return
        connection.fall_silent()
        await self._finish_commands()
        while connection.operations and not self._work.is_over:
            await self._wait_to_read()
        if await self.drained() and connection.closing is None:
            text = "The peer has finished."
            await self._writer.close_link(CloseCode.LINK_LOST, text)

    async def _finish_commands(self) -> None:
        """Return once all commands that were read are carried out."""
        while len(self._pending) and not self._work.is_over:
            await self._wait_to_read()

    # ---- working

    def _work_now(self) -> None:
        """Carry out what is queued, unless that goes on already."""
        pending = self._pending
        if not pending.waits:
            return
        self._note()
        if self._is_working:
            return
        self._is_working = True
        if self._chat.runs_at_once(pending.waiting):
            self._work.begin(self._execute(self._connection))
        else:
            self._work.spawn(self._execute(self._connection))

    async def _execute(self, connection: Connection) -> None:
        """Execute what is queued, a batch at a time."""
        pending = self._pending
        try:
            while pending.waits and not self._work.is_over:
                most = self._chat.turn_commands(connection)
                batch = pending.take(most)
                if not self._share.allows(len(batch), most):
                    await self._share.enter()
                await self._chat.execute(connection, batch)
                self._allow_frames(connection)
                while self._is_crowded(connection) and await self.drained():
                    pass
                pending.finish(len(batch))
                self._note()
                self._wake_reader()
                if pending.waits:
                    await self._share.give_way()
        finally:
            self._is_working = False

    def _allow_frames(self, connection: Connection) -> None:
        """Read larger frames once somebody is logged in (B3)."""
        limits = self._limits
        is_known = connection.delivery is not None
        if is_known != self._is_known:
            self._is_known = is_known
            self._link.allow(
                limits.frame_bytes if is_known else limits.first_frame_bytes
            )
