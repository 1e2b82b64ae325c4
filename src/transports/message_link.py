"""A ready link, for transports that move whole messages, not a stream of bytes."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from typing import Final

from chatcore.connections import NO_HEADERS
from chatcore.errors import CloseCode
from transports.base import ANY_FRAME_BYTES, FrameHandler, LinkSettings
from transports.errors import LinkClosed, PeerFinished, frame_too_large
from transports.framing import FrameTooLarge
from transports.held_bytes import HeldBytes
from transports.task_link import TaskSender, log_fault
from transports.waiters import wake

_AHEAD_BYTES: Final = 16 * 1024
"""What is read before anybody takes it, and a message more, since it is whole."""
_WAITED_S: Final = 0.01
_WAITED_TURNS: Final = 4
"""A write that is not done after so long, and so many turns of the event loop more, has
waited for the peer. Others may only have gone into the system's buffers, which a dead
peer does as well, or have been held up by an event loop that was busy.
"""


class MessageLink(TaskSender):
    """All of ``transports.base.Link``, for a transport that derives its own from it.

    The transport reads in a coroutine (``read_in``) or when it is called. It awaits
    ``room`` before it reads each message, gives it to ``receive``, and says with
    ``end`` how reading ends. It writes in ``send_messages``, says goodbye in
    ``finish``, and ends its connection in ``cut``. The rest is done here: what was read
    ahead or is being written is counted, it is known when the peer showed life and took
    something, and a fault of the transport's ends this link alone, with a line in the
    log that names its class.

    Args:
        settings: of the listener, or of who dials.
        peer: see ``transports.base.Link``.
        address: see ``transports.base.Link``.

    Attributes:
        headers: see ``transports.base.LinkSettings.keeps_headers``; for the transport
            to set.
    """

    def __init__(self, settings: LinkSettings, *, peer: str, address: str = "") -> None:
        super().__init__()
        self.peer = peer
        self.address = address
        self.headers = NO_HEADERS
        self._loop = asyncio.get_running_loop()
        self.opened_s = self._heard_s = self._taken_s = self._loop.time()
        self._frame_bytes = settings.frame_bytes
        self._close_s = settings.close_s
        self._held = HeldBytes()
        self._ahead: list[bytes] = []
        self._ahead_bytes = self._partial_bytes = self._unsent_bytes = 0
        self._end: LinkClosed | None = None
        self._has_started = self._is_held = self._is_closing = self._is_gone = False
        self._room = asyncio.Event()
        self._room.set()
        self._first: asyncio.Future[None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._finishing: asyncio.Task[None] | None = None
        self._watch: asyncio.Handle | None = None
        self._has_waited = False

    # ---- what a transport does

    @abstractmethod
    async def send_messages(self, messages: Sequence[bytes]) -> None:
        """Write these, in order; returns once more can be written.

        One call at a time. It is cancelled when the link is gone. What it raises ends
        the link: ``LinkClosed`` and ``OSError`` quietly, all else with a line in the
        log.
        """

    @abstractmethod
    async def finish(self, code: CloseCode, text: str) -> None:
        """Tell the peer why the link ends, as far as the transport can.

        It is called when all is written and ``read_in`` reads no more: where a
        connection must not be ended with unread bytes, as a socket, it may read on
        until the peer has finished too. It is cancelled after ``LinkSettings.close_s``,
        and when the link is gone.
        """

    @abstractmethod
    def cut(self) -> None:
        """End the connection at once; called once, however the link ends."""

    # ---- what a transport calls

    def read_in(self, reading: Coroutine[object, None, None]) -> None:
        """Run this coroutine for as long as the link reads: once, at the most.

        When it returns, the peer writes no more (``PeerFinished``). What it raises ends
        the link: ``LinkClosed`` and ``FrameTooLarge`` as they say, ``OSError`` and
        ``EOFError`` as a connection that is gone, all else with a line in the log. It
        is cancelled when the link is gone or closes.
        """
        self._reader = self._loop.create_task(reading)
        self._reader.add_done_callback(self._reading_done)

    def _reading_done(self, reader: asyncio.Task[None]) -> None:
        error = LinkClosed() if reader.cancelled() else reader.exception()
        if self._is_closing or self._is_gone:
            return
        match error:
            case None:
                self.end(PeerFinished())
            case LinkClosed():
                self.end(error)
            case FrameTooLarge(limit=limit, before=before):
                for message in before:
                    self.receive(message)
                self.end(frame_too_large(limit))
            case OSError() | EOFError():
                self.end(LinkClosed())
            case _:
                log_fault(self, "could not read", error)
                self.end(LinkClosed())

    async def first_message(self) -> bytes:
        """The next message, which nobody else is given: for shaking hands, before the
        link is started.

        Raises:
            LinkClosed: the link has ended before there was one.
        """
        while not self._ahead:
            if self._end is not None:
                raise self._end.anew()
            self._first = self._loop.create_future()
            await self._first
        message = self._ahead.pop(0)
        self._ahead_bytes -= len(message)
        self._note()
        return message

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
        if self._end is not None or self._is_closing:
            return
        if len(message) > self._frame_bytes:
            self.end(frame_too_large(self._frame_bytes))
        elif self._has_started and self._handler is not None:
            self._handler.frames_received((message,))
        else:
            self._ahead.append(message)
            self._ahead_bytes += len(message)
            self._note()
            wake(self._first)

    def note_partial(self, message_bytes: int) -> None:
        """Take note that so much of the next message is here, 0 once it is whole: it
        counts as held (B1), and shows that the peer lives.
        """
        self.heard()
        self._partial_bytes = message_bytes
        self._note()

    def heard(self) -> None:
        """Take note that the peer shows life, as an answered ping does."""
        self._heard_s = self._loop.time()

    def took(self) -> None:
        """Take note that part of what is being written is out: for who writes much at a
        time. The end of ``send_messages`` says so by itself.
        """
        self._taken_s = self._loop.time()
        if self._has_waited:
            self.heard()
        if self.is_clogged:
            self._watch_write()

    def end(self, end: LinkClosed) -> None:
        """Take note that nothing more arrives: ``PeerFinished`` if the peer may still
        read, a code where it has sent what is no frame, ``LinkClosed()`` when the
        connection is gone.
        """
        if self._is_gone or (self._end is not None and not end.is_gone):
            return
        self._end = self._end or end
        self._is_gone = end.is_gone
        if self._has_started and self._handler is not None:
            # Not from within: the handler itself may be what ends the link.
            self._loop.call_soon(self._handler.reading_ended, end.anew())
        if self._is_gone:
            self._let_go()
        self._note()
        wake(self._first)

    def _let_go(self) -> None:
        """End what runs for the link, and the connection."""
        self._unsent.clear()
        self._unsent_bytes = self._partial_bytes = 0
        self._unwatch_write()
        running = asyncio.current_task(self._loop)
        for task in (self._sender, self._reader, self._finishing):
            if task is not None and task is not running:
                task.cancel()
        try:
            self.cut()
        except Exception as error:  # noqa: BLE001  # a fault there ends one link, not all
            log_fault(self, "could not end its connection", error)

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

    @property
    def is_clogged(self) -> bool:
        """See ``transports.base.Link``: while something is being written."""
        return self._sender is not None and not self._is_gone

    def write(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.Link``."""
        if self._is_gone or self._is_closing:
            return
        if not self.is_clogged:
            self._taken_s = self._loop.time()
        self._unsent_bytes += sum(map(len, frames))
        self._note()
        super().write(frames)

    async def send(self, frames: Sequence[bytes]) -> None:
        """See ``transports.task_link.TaskSender``."""
        self._watch_write()
        await self.send_messages(frames)
        self.took()
        self._unwatch_write()
        if not self._is_gone:
            self._unsent_bytes -= sum(map(len, frames))
            self._note()

    def _watch_write(self) -> None:
        """Find out whether what is being written waits for the peer."""
        self._unwatch_write()
        self._watch = self._loop.call_later(_WAITED_S, self._look, _WAITED_TURNS)

    def _unwatch_write(self) -> None:
        self._has_waited = False
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _look(self, turns: int) -> None:
        if turns:
            self._watch = self._loop.call_soon(self._look, turns - 1)
        else:
            self._watch = None
            self._has_waited = True

    def sending_failed(self, end: LinkClosed) -> None:
        """See ``transports.task_link.TaskSender``: the link is gone."""
        self.end(end)
        self.abort()

    async def close(self, code: CloseCode, text: str) -> None:
        """See ``transports.base.Link``."""
        self._is_closing = True
        try:
            if not self._is_gone:
                self._finishing = self._finishing or self._loop.create_task(
                    self._finish(code, text)
                )
                await asyncio.wait([self._finishing], timeout=self._close_s)
        finally:
            self.abort()

    async def _finish(self, code: CloseCode, text: str) -> None:
        if self._sender is not None:
            await asyncio.wait([self._sender])
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait([self._reader])
        try:
            await self.finish(code, text)
        except (LinkClosed, OSError, EOFError):
            pass  # it is gone, as it was to be
        except Exception as error:  # noqa: BLE001  # a fault there ends one link, not all
            log_fault(self, "could not say how a link ends", error)

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
