"""A link made of coroutines: for transports that are awaited."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence

from transports.base import FrameHandler
from transports.errors import LinkClosed

_log = logging.getLogger(__name__)


def log_fault(link: object, of: str, error: BaseException | None) -> None:
    """Write what went wrong in somebody's link, under the name of its class."""
    name = f"{type(link).__module__}.{type(link).__qualname__}"
    _log.error("%s %s", name, of, exc_info=error)


class TaskSender(ABC):
    """The half of ``transports.base.Link`` that writes, of a coroutine.

    It runs in a task while something is to be written, and is never cancelled: it
    raises ``LinkClosed`` or ``OSError`` once the link is gone.
    """

    def __init__(self) -> None:
        self._handler: FrameHandler | None = None
        self._unsent: list[bytes] = []
        self._sender: asyncio.Task[None] | None = None

    @abstractmethod
    async def send(self, frames: Sequence[bytes]) -> None:
        """Write frames; returns once the link is not clogged.

        Raises:
            LinkClosed: the link is gone.
            OSError: likewise, as the system says it.
        """

    @property
    def is_clogged(self) -> bool:
        """See ``transports.base.Link``: while something is being written."""
        return self._sender is not None

    def write(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.Link``."""
        self._unsent.extend(frames)
        if self._sender is None:
            self._sender = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        gone: LinkClosed | None = None
        try:
            while self._unsent:
                frames, self._unsent = self._unsent, []
                await self.send(frames)
        except LinkClosed as closed:
            gone = closed
        except OSError:
            gone = LinkClosed()
        except Exception as error:  # noqa: BLE001  # a fault there ends one link, not all
            log_fault(self, "could not write", error)
            gone = LinkClosed()
        finally:
            self._sender = None
            if gone is not None:
                self._unsent.clear()
        if gone is not None:
            self.sending_failed(gone)
        elif self._handler is not None:
            self._handler.resume_writing()

    def sending_failed(self, end: LinkClosed) -> None:
        """Take note of how ``send`` has found that the link is gone."""
        if self._handler is not None:
            self._handler.reading_ended(end.anew())


class TaskLink(TaskSender):
    """All of ``transports.base.Link`` that moves frames, of two coroutines.

    A task receives while there is a handler that takes frames. It is never cancelled
    either: ``receive`` raises ``LinkClosed`` or ``OSError`` once the link is gone.
    """

    def __init__(self) -> None:
        super().__init__()
        self._may_receive = asyncio.Event()
        self._may_receive.set()
        self._receiver: asyncio.Task[None] | None = None

    @abstractmethod
    async def receive(self) -> Sequence[bytes]:
        """Frames that have arrived, at least one.

        Raises:
            PeerFinished: the peer writes no more, but may still read.
            LinkClosed: the peer has gone, or sent what is no frame.
            OSError: the peer has gone, as the system says it.
        """

    def start(self, handler: FrameHandler) -> None:
        """See ``transports.base.Link``."""
        self._handler = handler
        self._receiver = asyncio.get_running_loop().create_task(self._receive(handler))

    def hold_reading(self, *, on: bool) -> None:
        """See ``transports.base.Link``; a reading that has begun goes on."""
        if on:
            self._may_receive.clear()
        else:
            self._may_receive.set()

    async def _receive(self, handler: FrameHandler) -> None:
        try:
            while True:
                handler.frames_received(await self.receive())
                await self._may_receive.wait()
        except LinkClosed as end:
            handler.reading_ended(end.anew())
        except OSError:
            handler.reading_ended(LinkClosed())
        except Exception as error:  # noqa: BLE001  # as above
            log_fault(self, "could not read", error)
            handler.reading_ended(LinkClosed())
