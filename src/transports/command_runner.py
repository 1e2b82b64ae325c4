"""Carrying out the commands of one link, a batch at a time."""

from collections.abc import Callable

from chatcore import Chat
from chatcore.connections import Connection
from transports.base import Link
from transports.command_queue import CommandQueue
from transports.event_writer import EventWriter
from transports.fair_scheduler import LinkShare
from transports.link_work import LinkWork


class CommandRunner:
    """Has the chat execute what is queued.

    Args:
        on_done: called when a batch is done.

    Attributes:
        connection: whose; set before anything is queued.
        on_change: called when more or less waits to be carried out.
        queue: what is to be carried out.
    """

    __slots__ = (
        "_chat",
        "_is_known",
        "_is_working",
        "_limits",
        "_link",
        "_on_done",
        "_share",
        "_work",
        "_writer",
        "connection",
        "on_change",
        "queue",
    )

    connection: Connection

    def __init__(
        self,
        chat: Chat,
        link: Link,
        share: LinkShare,
        work: LinkWork,
        writer: EventWriter,
        on_change: Callable[[], None],
        on_done: Callable[[], None],
    ) -> None:
        self._chat = chat
        self._link = link
        self._share = share
        self._work = work
        self._writer = writer
        self.on_change = on_change
        self._on_done = on_done
        self._limits = chat.limits
        self._is_known = False
        self._is_working = False
        self.queue = CommandQueue()

    def run(self) -> None:
        """Carry out what is queued, unless that goes on already."""
        pending = self.queue
        if not pending.waits:
            return
        self.on_change()
        if self._is_working:
            return
        self._is_working = True
        if self._chat.runs_at_once(pending.waiting):
            self._work.begin(self._execute(self.connection))
        else:
            self._work.spawn(self._execute(self.connection))

    async def _execute(self, connection: Connection) -> None:
        """Execute what is queued, a batch at a time."""
        pending = self.queue
        try:
            while pending.waits and not self._work.is_over:
                most = self._chat.turn_commands(connection)
                batch = pending.take(most)
                if not self._share.allows(len(batch), most):
                    await self._share.enter()
                await self._chat.execute(connection, batch)
                self._allow_frames(connection)
                while self._writer.is_crowded and await self._writer.drained():
                    pass
                pending.finish(len(batch))
                self.on_change()
                self._on_done()
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
