"""The session driver: runs one link of a server, whatever its transport.

Three loops share a connection. *Reading* decodes frames, takes acknowledgements at once
and queues the other commands; *working* has the chat execute all that is queued as one
batch; *writing* puts all that waits in the outbox into one frame. None is ever
cancelled: when the link ends, each sees it and returns, so that what was committed is
also delivered (see ``Chat.execute``).
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence

from chatcore import Chat
from chatcore.commands import Acknowledge, Pong, Request
from chatcore.connections import Connection
from chatcore.errors import CloseCode, InternalError, Outage
from transports.base import Link, LinkClosed, PeerFinished
from transports.codec import BrokenFrame, Codec, split_events
from transports.watch import Watch

_log = logging.getLogger(__name__)


class Driver:
    """Drives one link until it ends; is the ``Outlet`` of its connection."""

    def __init__(self, chat: Chat, link: Link, codec: Codec) -> None:
        self._chat = chat
        self._link = link
        self._codec = codec
        self._limits = chat.limits
        self._loop = asyncio.get_running_loop()
        self._tasks = asyncio.TaskGroup()
        self._pending: list[Request] = []
        self._waiting_commands = 0
        self._waiting_bytes = 0
        self._is_over = False
        self._is_reading = True
        self._is_writing = True
        self._to_work = asyncio.Event()
        self._to_write = asyncio.Event()
        self._to_read = asyncio.Event()
        self._drained: list[asyncio.Future[bool]] = []
        self._connection = chat.attach(self)

    async def run(self) -> None:
        """Serve the link to its end; its session is detached or ended then."""
        connection = self._connection
        watch = Watch(self._chat, connection, self._link, lambda: self._is_reading)
        async with self._tasks:
            self._tasks.create_task(self._work(connection))
            writing = self._tasks.create_task(self._write(connection))
            watch.begin()
            try:
                await self._read(connection)
                if connection.closing is not None:
                    await writing
            finally:
                watch.end()
                self._end(connection)

    def _end(self, connection: Connection) -> None:
        """Have every loop see that the link is gone, and return."""
        self._is_over = True
        self._link.abort()
        self._chat.detach(connection)
        for event in (self._to_work, self._to_write, self._to_read):
            event.set()
        self._tell_drained(written=False)

    # ---- the connection's outlet

    def wake(self) -> None:
        """See ``chatcore.ports.Outlet``."""
        self._to_write.set()

    async def drained(self) -> bool:
        """See ``chatcore.ports.Outlet``."""
        if self._is_over or not self._is_writing:
            return False
        if not self._to_write.is_set() and not self._connection.outbox:
            return True
        waiter: asyncio.Future[bool] = self._loop.create_future()
        self._drained.append(waiter)
        return await waiter

    def _tell_drained(self, *, written: bool) -> None:
        for waiter in self._drained:
            if not waiter.done():
                waiter.set_result(written)
        self._drained.clear()

    def start(self, operation: Coroutine[object, None, None]) -> None:
        """See ``chatcore.ports.Outlet``."""
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

    # ---- reading

    async def _read(self, connection: Connection) -> None:
        """Queue what arrives until the link ends or has to be closed."""
        try:
            while connection.closing is None:
                frames = await self._link.receive()
                connection.hear()
                self._take(frames)
                while self._is_full and connection.closing is None:
                    self._is_reading = False
                    self._to_read.clear()
                    await self._to_read.wait()
                self._is_reading = True
        except PeerFinished:
            await self._settle(connection)
        except BrokenFrame as broken:
            await self._finish_commands()
            connection.close(CloseCode.BROKEN_FRAME, str(broken))
        except LinkClosed as closed:
            if closed.code is not CloseCode.LINK_LOST:
                await self._finish_commands()
                connection.close(closed.code, closed.text)

    async def _settle(self, connection: Connection) -> None:
        """Answer what was asked by a peer that has closed its half of the link."""
        connection.fall_silent()
        await self._finish_commands()
        while connection.operations and not self._is_over:
            self._to_read.clear()
            await self._to_read.wait()
        if await self.drained() and connection.closing is None:
            await self._link.close(CloseCode.LINK_LOST, "The peer has finished.")

    async def _finish_commands(self) -> None:
        """Return once all commands that were read are carried out."""
        self._is_reading = False
        while self._waiting_commands and not self._is_over:
            self._to_read.clear()
            await self._to_read.wait()

    def _take(self, frames: Sequence[bytes]) -> None:
        """Take acknowledgements and pongs now, and queue the rest (W7).

        Raises:
            BrokenFrame: one cannot be read; those before it are taken.
        """
        for frame in frames:
            requests = self._codec.decode_commands(frame)
            before = len(self._pending)
            for request in requests:
                command = request.command
                if isinstance(command, Acknowledge):
                    self._chat.acknowledge(self._connection, request.id, command)
                elif not isinstance(command, Pong):
                    self._pending.append(request)
            taken = len(self._pending) - before
            if taken:
                self._waiting_commands += taken
                self._waiting_bytes += len(frame)
                self._to_work.set()

    @property
    def _is_full(self) -> bool:
        """Whether reading has to stop until commands are done (W8)."""
        limits = self._limits
        return not self._is_over and (
            self._waiting_commands >= limits.pending_commands
            or self._waiting_bytes >= limits.pending_bytes
        )

    # ---- working

    async def _work(self, connection: Connection) -> None:
        """Execute what is queued, a batch at a time."""
        while not self._is_over:
            await self._to_work.wait()
            self._to_work.clear()
            while self._pending and not self._is_over:
                batch, self._pending = self._pending, []
                batch_bytes = self._waiting_bytes
                await self._execute(connection, batch)
                if len(connection.outbox) > self._limits.pending_commands:
                    await self.drained()
                self._waiting_commands -= len(batch)
                self._waiting_bytes -= batch_bytes
                self._to_read.set()

    async def _execute(self, connection: Connection, batch: Sequence[Request]) -> None:
        try:
            await self._chat.execute(connection, batch)
        except Exception:  # noqa: BLE001  # a fault of ours ends one link, not all
            _log.exception("A command of %s failed", self._link.peer)
            connection.refuse(batch[-1], InternalError())
            connection.close(CloseCode.SERVER_FAULT)

    # ---- writing

    async def _write(self, connection: Connection) -> None:
        """Write what waits, all of it in one frame, and fetch what is behind."""
        frame_bytes = self._limits.frame_bytes
        try:
            while not self._is_over:
                await self._to_write.wait()
                self._to_write.clear()
                await self._fetch(connection)
                events = connection.take_outbox()
                if events:
                    await self._link.send(
                        split_events(self._codec, events, frame_bytes)
                    )
                if self._to_write.is_set():
                    continue
                self._tell_drained(written=True)
                if connection.closing is not None:
                    closing = connection.closing
                    await self._link.close(closing.code, closing.text)
                    return
        except LinkClosed:
            pass  # reading has seen it too, or waits for what cannot be written now
        finally:
            self._is_writing = False
            self._tell_drained(written=False)

    async def _fetch(self, connection: Connection) -> None:
        """Read mail for a session that is behind, as much as has room."""
        session = self._chat.session_of(connection)
        delivery = session.delivery if session is not None else None
        if delivery is None or not delivery.wants_mail:
            return
        try:
            await self._chat.fetch(connection)
        except Outage as outage:
            _log.warning("Mail for %s cannot be read: %s", self._link.peer, outage)
            connection.close(CloseCode.SERVER_FAULT)
            return
        if delivery.wants_mail:
            self._to_write.set()
