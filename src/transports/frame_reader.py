"""Reading from one link: frames become commands in a queue, as far as there is room."""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import Final

from chatcore import Chat
from chatcore.commands import Request
from chatcore.connections import Connection
from chatcore.errors import CloseCode
from transports.acknowledgement_queue import AcknowledgementQueue
from transports.base import Link
from transports.codec import AT_A_STRETCH, BrokenFrame, Codec
from transports.command_runner import CommandRunner
from transports.errors import LinkClosed, PeerFinished
from transports.event_writer import EventWriter
from transports.fair_scheduler import UNIT_BYTES, LinkShare
from transports.link_work import LinkWork

_LONE_BYTES: Final = 512
"""A frame that holds a chat's message or two, and not commands for a long stretch."""


class FrameReader:
    """The handler of a link (``transports.base.FrameHandler``).

    What a peer can make the server hold, and do at a stretch, is bounded here (B1, B2):
    nothing more is read while commands wait (W8) or while answers do that the peer does
    not take, and after some commands or milliseconds all others have a turn.

    Attributes:
        held_bytes: of the frames that wait to be taken.
        is_held: nothing may be read, since all links together hold too much.
        is_taking: what has arrived is not all taken.
    """

    __slots__ = (
        "_acknowledging",
        "_chat",
        "_codec",
        "_connection",
        "_end_of_reading",
        "_frames",
        "_is_stalled",
        "_limits",
        "_link",
        "_loop",
        "_runner",
        "_share",
        "_spent",
        "_turn_ends_s",
        "_waiting",
        "_work",
        "_writer",
        "held_bytes",
        "is_held",
        "is_taking",
    )

    def __init__(
        self,
        chat: Chat,
        link: Link,
        codec: Codec,
        connection: Connection,
        share: LinkShare,
        work: LinkWork,
        writer: EventWriter,
        runner: CommandRunner,
    ) -> None:
        self._chat = chat
        self._link = link
        self._codec = codec
        self._connection = connection
        self._share = share
        self._work = work
        self._writer = writer
        self._runner = runner
        self._limits = chat.limits
        self._loop = asyncio.get_running_loop()
        self._acknowledging = AcknowledgementQueue(chat, connection)
        self._frames: Sequence[bytes] = ()
        self._end_of_reading: LinkClosed | None = None
        self._spent = 0
        self._turn_ends_s = 0.0
        self._is_stalled = False
        self._waiting: list[asyncio.Future[None]] = []
        self.held_bytes = 0
        self.is_held = False
        self.is_taking = False

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
        if self.is_taking:
            self._frames = [*self._frames, *frames]
            self._hold(sum(map(len, frames)))
            return
        if len(frames) == 1 and self._take_lone(connection, frames[0]):
            if not self._is_full(connection):
                return
            frames = ()  # none that is left, but there is to be waited
        self._frames = frames
        self.held_bytes = sum(map(len, frames))
        self.is_taking = True
        if not self._work.begin(self._take_frames()):
            self._is_stalled = True
            self._link.hold_reading(on=True)
            self._runner.on_change()

    def _hold(self, more_bytes: int) -> None:
        """Take note that more, or less, waits to be taken."""
        self.held_bytes += more_bytes
        if self._is_stalled:
            self._runner.on_change()

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
        self._queue(self._acknowledging.sift(requests), len(frame))
        if self._acknowledging.waits:
            self._acknowledge_now()
        self._runner.run()
        return True

    def reading_ended(self, end: LinkClosed) -> None:
        """See ``transports.base.FrameHandler``."""
        if end.is_gone:
            self._work.finish()
        elif self._end_of_reading is None:
            self._end_of_reading = end
            if not self.is_taking:
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
                    self._hold(-len(frame))
                    if connection.is_over:
                        return
            self._acknowledge_now()
        except BrokenFrame as broken:
            self._end_of_reading = LinkClosed(CloseCode.BROKEN_FRAME, str(broken))
            self._acknowledge_now()
        finally:
            self._frames = ()
            self._hold(-self.held_bytes)
            self.is_taking = False
            self._runner.run()
        if self._is_stalled:
            self._is_stalled = False
            self._link.hold_reading(on=self.is_held)
        if self._end_of_reading is not None:
            self._work.spawn(self._see_to_end(self._end_of_reading))

    async def _take(self, connection: Connection, frame: bytes) -> None:
        """Take a frame's acknowledgements and pongs now, and queue the rest (W7).

        Raises:
            BrokenFrame: it cannot be read; nothing of it is taken.
        """
        most = self._chat.turn_commands(connection)
        if not self._share.allows(len(frame) // UNIT_BYTES, most):
            self._runner.run()
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
            self._runner.run()
            if self._is_full(connection):  # nobody wakes who waits for what is done
                await self._wait_to_read()

    async def _give_way(self) -> None:
        """Let all others have a turn, and what is queued be carried out meanwhile."""
        self._runner.run()
        await self._share.give_way()

    def _acknowledge_now(self) -> None:
        self._queue(self._acknowledging.take(), 0)

    def _queue(self, requests: Sequence[Request], frame_bytes: int) -> None:
        """Have these carried out, once all is taken that came with them."""
        if requests:
            self._runner.queue.put(requests, frame_bytes)

    def _is_full(self, connection: Connection) -> bool:
        """Whether reading has to stop until something is done (W8, B1)."""
        limits = self._limits
        return not (self._work.is_over or connection.closing) and (
            len(self._runner.queue) >= limits.pending_commands
            or self._runner.queue.frame_bytes >= limits.pending_bytes
            or self.is_held
            or self._writer.is_crowded
        )

    @property
    def waits(self) -> bool:
        """Whether nothing is read until something is done."""
        return bool(self._waiting)

    async def _wait_to_read(self) -> None:
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(waiter)
        await waiter

    def wake(self) -> None:
        """Look again whether there is room to read on."""
        waiting, self._waiting = self._waiting, []
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
        if await self._writer.drained() and connection.closing is None:
            text = "The peer has finished."
            await self._writer.close_link(CloseCode.LINK_LOST, text)

    async def _finish_commands(self) -> None:
        """Return once all commands that were read are carried out."""
        while len(self._runner.queue) and not self._work.is_over:
            await self._wait_to_read()
