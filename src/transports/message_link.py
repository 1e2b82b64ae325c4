"""A ready link, for transports that move whole messages, not a stream of bytes."""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Final

from chatcore.errors import CloseCode
from transports.base import ANY_FRAME_BYTES, FrameHandler, LinkSettings
from transports.errors import LinkClosed, frame_too_large
from transports.held_bytes import HeldBytes
from transports.task_link import TaskSender

_log = logging.getLogger(__name__)

_AHEAD_BYTES: Final = 16 * 1024
"""What is read before anybody takes it, and a message more, since it is whole."""
_WAITED_S: Final = 0.01
"""A write that took so long has waited for the peer; others may only have gone into the
system's buffers, which a dead peer does as well.
"""


class MessageLink(TaskSender):
    """All of ``transports.base.Link``, for a transport that derives its own from it.

    The transport awaits ``room`` before it reads each message, gives it to ``receive``,
    and says with ``end`` how reading ends. It writes in ``send_messages``, says goodbye
    in ``finish``, and ends its connection in ``cut``. The rest is done here: what was
    read ahead or is being written is counted, and it is known when the peer showed life
    and took something.

    Args:
        settings: of the listener, or of who dials.
        peer: see ``transports.base.Link``.
        address: see ``transports.base.Link``.
    """

    def __init__(self, settings: LinkSettings, *, peer: str, address: str = "") -> None:
        super().__init__()
        self.peer = peer
        self.address = address
        self._loop = asyncio.get_running_loop()
        self.opened_s = self._heard_s = self._taken_s = self._loop.time()
        self._began_s = self.opened_s
        self._frame_bytes = settings.frame_bytes
        self._close_s = settings.close_s
        self._held = HeldBytes()
        self._ahead: list[bytes] = []
        self._ahead_bytes = self._partial_bytes = self._unsent_bytes = 0
        self._end: LinkClosed | None = None
        self._has_started = self._is_held = self._is_gone = False
        self._room = asyncio.Event()
        self._room.set()

    # ---- what a transport does

    @abstractmethod
    async def send_messages(self, messages: Sequence[bytes]) -> None:
        """Write these, in order; returns once more can be written.

        One call at a time. It is cancelled when the link is gone. What it raises ends
        the link: ``LinkClosed`` quietly, all else with a line in the log.
        """

    @abstractmethod
    async def finish(self, code: CloseCode, text: str) -> None:
        """Tell the peer why the link ends, as far as the transport can.

        It is called when all is written, and cancelled after ``LinkSettings.close_s``.
        """

    @abstractmethod
    def cut(self) -> None:
        """End the connection at once; called once, however the link ends."""

    # ---- what a transport calls

    async def room(self) -> None:
        """Return once there is room to read one more message.

        Raises:
            LinkClosed: nothing more is to be read.
        """
        await self._room.wait()
        if self._end is not None:
            raise self._end.anew()

    @property
    def largest_bytes(self) -> int:
        """What a message may have now; who knows its size before it is in memory
        refuses it then, with ``transports.errors.frame_too_large``.
        """
        return self._frame_bytes

    def receive(self, message: bytes) -> None:
        """Take a message that has arrived whole; one that is too large ends reading."""
        self.heard()
        if self._end is not None:
            return
        if len(message) > self._frame_bytes:
            self.end(frame_too_large(self._frame_bytes))
        elif self._has_started and self._handler is not None:
            self._handler.frames_received((message,))
        else:
            self._ahead.append(message)
            self._ahead_bytes += len(message)
            self._note()

    def note_partial(self, message_bytes: int) -> None:
        """Take note that so much of the next message is here, 0 once it is whole: it
        counts as held (B1), and shows that the peer lives.
        """
        self.heard()
        self._partial_bytes = message_bytes
        self._note()

    def took(self) -> None:
        """Take note that part of what is being written is out: for who writes much at a
        time. The end of ``send_messages`` says so by itself.
        """
        self._taken_s = self._loop.time()
        if self._taken_s - self._began_s >= _WAITED_S:
            self.heard()
        self._began_s = self._taken_s

    def heard(self) -> None:
        """Take note that the peer shows life, as an answered ping does."""
        self._heard_s = self._loop.time()

    def end(self, end: LinkClosed) -> None:
        """Take note that nothing more arrives: ``PeerFinished`` if the peer may still
        read, a code where it has sent what is no frame, ``LinkClosed()`` when the
        connection is gone.
        """
        if self._is_gone:
            return
        self._end = self._end or end
        self._is_gone = end.is_gone
        self._note()
        if self._has_started and self._handler is not None:
            # Not from within: the handler itself may be what ends the link.
            self._loop.call_soon(self._handler.reading_ended, end.anew())
        if self._is_gone:
            if self._sender is not None:
                self._sender.cancel()
            self.cut()

    # ---- transports.base.Link

    def start(self, handler: FrameHandler) -> None:
        """See ``transports.base.Link``."""
        self._handler = handler
        self._loop.call_soon(self._start, handler)

    def _start(self, handler: FrameHandler) -> None:
        self._has_started = True
        ahead, self._ahead, self._ahead_bytes = self._ahead, [], 0
        self._note()
        if ahead:
            handler.frames_received(ahead)
        if self._end is not None:
            handler.reading_ended(self._end.anew())
            if self._is_gone and not self._end.is_gone:
                handler.reading_ended(LinkClosed())

    @property
    def active_s(self) -> float:
        """See ``transports.base.Link``."""
        return self._heard_s

    @property
    def taken_s(self) -> float:
        """See ``transports.base.Link``."""
        return self._taken_s if self.is_clogged else self._loop.time()

    @property
    def most_frame_bytes(self) -> int:
        """See ``transports.base.Link``."""
        return ANY_FRAME_BYTES

    def allow(self, frame_bytes: int) -> None:
        """See ``transports.base.Link``."""
        self._frame_bytes = frame_bytes

    def hold_reading(self, *, on: bool) -> None:
        """See ``transports.base.Link``."""
        self._is_held = on
        self._note()

    def report_held(self, report: Callable[[int], None]) -> None:
        """See ``transports.base.Link``."""
        self._held.tell(report)

    def write(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.Link``."""
        if self._is_gone:
            return
        if not self.is_clogged:
            self._taken_s = self._loop.time()
        self._unsent_bytes += sum(map(len, frames))
        self._note()
        super().write(frames)

    async def send(self, frames: Sequence[bytes]) -> None:
        """See ``transports.task_link.TaskSender``."""
        self._began_s = self._loop.time()
        await self.send_messages(frames)
        self.took()
        self._unsent_bytes -= sum(map(len, frames))
        self._note()

    async def close(self, code: CloseCode, text: str) -> None:
        """See ``transports.base.Link``."""
        try:
            if not self._is_gone:
                finishing = self._loop.create_task(self._finish(code, text))
                await asyncio.wait([finishing], timeout=self._close_s)
                finishing.cancel()
        finally:
            self.abort()

    async def _finish(self, code: CloseCode, text: str) -> None:
        if self._sender is not None:
            await asyncio.wait([self._sender])
        if self._is_gone:
            return
        try:
            await self.finish(code, text)
        except LinkClosed:
            pass
        except Exception:  # noqa: BLE001  # a fault there ends one link, not all
            name = f"{type(self).__module__}.{type(self).__qualname__}"
            _log.exception("%s could not say how a link ends", name)

    def abort(self) -> None:
        """See ``transports.base.Link``."""
        self.end(LinkClosed())

    def _note(self) -> None:
        """Take note of what is held, and whether more may be read."""
        self._held.note(self._ahead_bytes + self._partial_bytes + self._unsent_bytes)
        has_room = self._has_started or self._ahead_bytes < _AHEAD_BYTES
        if self._end is not None or (has_room and not self._is_held):
            self._room.set()
        else:
            self._room.clear()
