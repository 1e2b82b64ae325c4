"""The session driver: runs one link of a server, whatever its transport.

Three loops share a connection. *Reading* decodes frames, takes acknowledgements at once
and queues the other commands; *working* has the chat execute what is queued, a batch at
a time; *writing* puts all that waits in the outbox into one frame. None is ever
cancelled: when the link ends, each sees it and returns, so that what was committed is
also delivered (see ``Chat.execute``).

What a peer can make the server hold, and do at a stretch, is bounded here (B1, B2):
nothing more is read while commands wait (W8) or while answers do that the peer does not
take, and after some commands or milliseconds all others have a turn.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from time import perf_counter
from typing import Final

from chatcore import Chat
from chatcore.commands import Request
from chatcore.connections import Connection
from chatcore.errors import CloseCode, Outage
from chatcore.model import NOWHERE, Origin
from transports.acknowledgement_queue import AcknowledgementQueue
from transports.base import Link, LinkClosed, PeerFinished
from transports.codec import (
    AT_A_STRETCH,
    BrokenFrame,
    Codec,
    ItemTooLarge,
    split,
)
from transports.command_queue import CommandQueue
from transports.fair_scheduler import UNIT_BYTES, FairScheduler, LinkShare
from transports.held_bytes import HeldBytes
from transports.keepalive import Keepalive
from transports.memory_budget import MemoryBudget
from transports.rate_limited_log import RateLimitedLog

_log = logging.getLogger(__name__)

_LAST_WORDS_S: Final = 1.0
_EVENT_BYTES: Final = 1024
"""What an event that waits holds, at the most but for mail and pages of lists; those
are bounded by the window, and by one page for each list."""


class Driver:
    """Drives one link until it ends; is the ``ConnectionSink`` of its connection."""

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
        self._tasks = asyncio.TaskGroup()
        self._pending = CommandQueue()
        self._is_acknowledging = False
        self._spent = 0
        self._turn_ends_s = 0.0
        self._is_known = False
        self._is_over = False
        self._is_held = False
        self._is_waiting = False
        self._is_writing = True
        self._is_sending = False
        self._to_work = asyncio.Event()
        self._to_write = asyncio.Event()
        self._to_read = asyncio.Event()
        self._drained: list[asyncio.Future[bool]] = []
        self._connection = chat.attach(
            self,
            link.address,
            most_frame_bytes=link.most_frame_bytes,
            origin=origin,
        )
        self._acknowledging = AcknowledgementQueue(chat, self._connection)
        link.report_held(self.note_link)

    async def run(self) -> None:
        """Serve the link to its end; its session is detached or ended then."""
        connection = self._connection
        keepalive = Keepalive(self._chat, connection, self._link, self._may_be_silent)
        async with self._tasks:
            self._tasks.create_task(self._work(connection))
            writing = self._tasks.create_task(self._write(connection))
            keepalive.begin()
            try:
                await self._read(connection)
                if connection.closing is not None:
                    await writing
            finally:
                keepalive.end()
                self._end(connection)

    def _end(self, connection: Connection) -> None:
        """Have every loop see that the link is gone, and return."""
        closing = connection.closing
        if closing is not None:
            self._log_limited.info(
                "Ended the link of %s: [%d] %s",
                self._link.peer,
                closing.code,
                closing.text,
            )
        self._is_over = True
        self._link.abort()
        self._chat.detach(connection)
        self._pending.drop()
        self._memory_budget.leave(self)
        for event in (self._to_work, self._to_write, self._to_read):
            event.set()
        self._tell_drained(written=False)

    def _may_be_silent(self) -> bool:
        """Whether the peer cannot be heard for a reason that is the server's own (S5).

        Commands of it are being carried out and no more are read. That it does not take
        its answers is no such reason.
        """
        return self._is_waiting and not self._is_sending

    # ---- the connection's sink

    @property
    def held_bytes(self) -> int:
        """See ``chatcore.ports.ConnectionSink``."""
        return self._link_bytes + self._own_bytes

    def wake(self) -> None:
        """See ``chatcore.ports.ConnectionSink``."""
        self._to_write.set()

    async def drained(self) -> bool:
        """See ``chatcore.ports.ConnectionSink``."""
        if self._is_over or not self._is_writing:
            return False
        waits = self._to_write.is_set() or self._connection.outbox
        # What was taken out of the outbox is not yet written while it is sent.
        if not waits and not self._is_sending:
            return True
        waiter: asyncio.Future[bool] = self._loop.create_future()
        self._drained.append(waiter)
        return await waiter

    def _tell_drained(self, *, written: bool) -> None:
        for waiter in self._drained:
            if not waiter.done():
                waiter.set_result(written)
        self._drained.clear()

    async def give_way(self) -> None:
        """See ``chatcore.ports.ConnectionSink``."""
        await self._share.give_way()

    def report(self, error: Exception) -> None:
        """See ``chatcore.ports.ConnectionSink``."""
        _log.error("A command of %s failed", self._link.peer, exc_info=error)

    def start(self, operation: Coroutine[object, None, None]) -> None:
        """See ``chatcore.ports.ConnectionSink``."""
        self._connection.operations += 1
        self._tasks.create_task(self._operate(operation))

    async def _operate(self, operation: Coroutine[object, None, None]) -> None:
        try:
            await operation
        except Exception:  # noqa: BLE001  # a fault of ours ends one link, not all
            _log.exception("An operation of %s failed", self._link.peer)
            self._connection.close(CloseCode.SERVER_FAULT)
        finally:
            self._connection.operations -= 1
            self._to_read.set()

    # ---- a member of the memory budget

    def hold_reading(self, *, on: bool) -> None:
        """See ``transports.memory_budget.BudgetMember``."""
        self._is_held = on
        self._link.hold_reading(on=on)
        self._to_read.set()

    def end_overloaded(self) -> None:
        """See ``transports.memory_budget.BudgetMember``."""
        self._connection.close(CloseCode.OVERLOADED)
        self._pending.drop()
        if self._is_sending or self._link_bytes > self._own_bytes:
            self._link.abort()  # it cannot be told, or would hold on meanwhile
        else:
            self._loop.call_later(_LAST_WORDS_S, self._link.abort)

    def note_link(self, held_bytes: int) -> None:
        """Take note of what the link holds; it says so when that changes by much."""
        if not self._is_over:
            self._link_bytes = held_bytes
            self._memory_budget.update(self, held_bytes + self._own_bytes)

    def _note_own(self, held_bytes: int) -> None:
        if not self._is_over:
            self._own_bytes = held_bytes
            self._memory_budget.update(self, self._link_bytes + held_bytes)

    def _note(self) -> None:
        """Take note of what waits here."""
        waiting = len(self._connection.outbox) * _EVENT_BYTES
        self._own.note(self._pending.held_bytes + waiting)

    # ---- reading

    async def _read(self, connection: Connection) -> None:
        """Queue what arrives until the link ends or has to be closed."""
        try:
            await self._receive(connection)
        except PeerFinished:
            await self._settle(connection)
        except BrokenFrame as broken:
            await self._finish_commands()
            connection.close(CloseCode.BROKEN_FRAME, str(broken))
        except LinkClosed as closed:
            if closed.code is not CloseCode.LINK_LOST:
                await self._finish_commands()
                connection.close(closed.code, closed.text)

    async def _receive(self, connection: Connection) -> None:
        """Take frames until the link or the connection ends."""
        try:
            while connection.closing is None:
                frames = await self._link.receive()
                connection.hear()
                self._turn_ends_s = perf_counter() + self._limits.turn_s
                for frame in frames:
                    await self._take(connection, frame)
                    if connection.is_over:
                        break
                if self._acknowledging.waits and not self._is_acknowledging:
                    # Links that give one frame at a time may have more of them.
                    self._is_acknowledging = True
                    self._loop.call_soon(self._acknowledge_now)
        finally:
            self._acknowledge_now()  # before what ended it is seen to

    async def _take(self, connection: Connection, frame: bytes) -> None:
        """Take a frame's acknowledgements and pongs now, and queue the rest (W7).

        Raises:
            BrokenFrame: it cannot be read; nothing of it is taken.
        """
        most = self._chat.turn_commands(connection)
        await self._share.spend(len(frame) // UNIT_BYTES, most)
        requests: list[Request] = []
        for some in self._codec.read_commands(frame):
            requests += some
            if len(requests) % AT_A_STRETCH == 0:
                await self.give_way()
        queued: list[Request] = []
        for start in range(0, len(requests), AT_A_STRETCH):
            if start:
                await self.give_way()
            some = requests[start : start + AT_A_STRETCH]
            queued += self._acknowledging.sift(some)
        self._queue(queued, len(frame))
        await self._give_way_after(max(1, len(requests)))
        while self._is_full(connection):
            await self._wait_to_read()

    def _acknowledge_now(self) -> None:
        self._is_acknowledging = False
        self._queue(self._acknowledging.take(), 0)

    def _queue(self, requests: Sequence[Request], frame_bytes: int) -> None:
        """Have these carried out."""
        if requests:
            self._pending.put(requests, frame_bytes)
            self._to_work.set()
            self._note()

    async def _give_way_after(self, commands: int) -> None:
        """Let all others have a turn when this was enough of one (B2).

        Frames without commands count as one: reading them costs as much.
        """
        self._spent += commands
        self._share.add(commands)
        if self._spent >= self._chat.turn_commands(self._connection) or (
            perf_counter() >= self._turn_ends_s
        ):
            await self.give_way()
            self._spent = 0
            self._turn_ends_s = perf_counter() + self._limits.turn_s

    def _is_full(self, connection: Connection) -> bool:
        """Whether reading has to stop until something is done (W8, B1)."""
        limits = self._limits
        return not (self._is_over or connection.closing) and (
            len(self._pending) >= limits.pending_commands
            or self._pending.frame_bytes >= limits.pending_bytes
            or self._is_held
            or self._is_clogged(connection)
        )

    def _is_clogged(self, connection: Connection) -> bool:
        """Whether as much is to be written as may wait (B1)."""
        limits = self._limits
        most = limits.unsent_bytes if self._is_known else limits.login_unsent_bytes
        return len(connection.outbox) * _EVENT_BYTES >= most

    async def _wait_to_read(self) -> None:
        self._is_waiting = True
        self._to_read.clear()
        await self._to_read.wait()
        self._is_waiting = False

    async def _settle(self, connection: Connection) -> None:
        """Answer what was asked by a peer that has closed its half of the link."""
        connection.fall_silent()
        await self._finish_commands()
        while connection.operations and not self._is_over:
            await self._wait_to_read()
        if await self.drained() and connection.closing is None:
            await self._link.close(CloseCode.LINK_LOST, "The peer has finished.")

    async def _finish_commands(self) -> None:
        """Return once all commands that were read are carried out."""
        while len(self._pending) and not self._is_over:
            await self._wait_to_read()

    # ---- working

    async def _work(self, connection: Connection) -> None:
        """Execute what is queued, a batch at a time."""
        pending = self._pending
        while not self._is_over:
            await self._to_work.wait()
            self._to_work.clear()
            while pending.waits and not self._is_over:
                most = self._chat.turn_commands(connection)
                batch = pending.take(most)
                await self._share.spend(len(batch), most)
                await self._chat.execute(connection, batch)
                self._allow_frames(connection)
                while self._is_clogged(connection) and await self.drained():
                    pass
                pending.finish(len(batch))
                self._note()
                self._to_read.set()
                if pending.waits:
                    await self.give_way()

    def _allow_frames(self, connection: Connection) -> None:
        """Read larger frames once somebody is logged in (B3)."""
        limits = self._limits
        is_known = self._chat.session_of(connection) is not None
        if is_known != self._is_known:
            self._is_known = is_known
            self._link.allow(
                limits.frame_bytes if is_known else limits.first_frame_bytes
            )

    # ---- writing

    async def _write(self, connection: Connection) -> None:
        """Write what waits, all of it in one frame, and fetch what is behind."""
        try:
            while not self._is_over:
                await self._to_write.wait()
                self._to_write.clear()
                await self._fetch(connection)
                most = self._chat.turn_commands(connection)
                events = connection.take_outbox(most)
                if events:
                    self._is_sending = True
                    await self._share.spend(len(events), most)
                    await self._link.send(
                        split(
                            events, self._codec.encode_events, self._limits.frame_bytes
                        )
                    )
                    self._is_sending = False
                    self._to_read.set()
                if connection.outbox:
                    self._to_write.set()
                    await self.give_way()
                if self._to_write.is_set():
                    continue
                self._tell_drained(written=True)
                if connection.closing is not None:
                    closing = connection.closing
                    await self._link.close(closing.code, closing.text)
                    return
        except LinkClosed:
            pass  # reading has seen it too, or waits for what cannot be written now
        except ItemTooLarge as too_large:
            # It was stored when frames could be larger.
            _log.error("Cannot write to %s: %s", self._link.peer, too_large)
            connection.close(CloseCode.SERVER_FAULT)
            self._link.abort()
        finally:
            self._is_writing = self._is_sending = False
            self._tell_drained(written=False)
            self._to_read.set()

    async def _fetch(self, connection: Connection) -> None:
        """Read mail for a session that is behind, as much as has room."""
        session = self._chat.session_of(connection)
        delivery = session.delivery if session is not None else None
        if delivery is None or not delivery.wants_mail:
            return
        try:
            await self._chat.fetch(connection)
        except Outage as outage:
            connection.counters.store_failures += 1
            _log.warning("Mail for %s cannot be read: %s", self._link.peer, outage)
            connection.close(CloseCode.SERVER_FAULT)
            return
        if delivery.wants_mail:
            self._to_write.set()
