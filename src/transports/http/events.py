"""The stream of a link's events: Server-Sent Events, a frame in each (HTML, 9.2)."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from chatcore.errors import CloseCode
from transports.http.negotiation import Ending
from transports.waiters import wake

_PIECE_BYTES: Final = 16 * 1024
"""So much is given to be written at a time: each piece that is taken shows that the
peer takes something."""
_COMMENT: Final = b":\n\n"


class EventStream:
    """What a link writes, for whoever answers its request for events.

    See ``transports.http_messages.ResponseStream``. It stays empty until that answers.

    Args:
        keepalive_s: after so much silence a comment is written, so that nobody on the
            way takes the connection for dead.
        on_taken: called when a piece was taken.
        on_lost: called when nobody writes it any more, before its end.

    Attributes:
        is_asked_for: whether somebody writes it.
        has_ended: whether all of it was taken, its last event included.
    """

    def __init__(
        self,
        keepalive_s: float,
        *,
        on_taken: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._keepalive_s = keepalive_s
        self._on_taken = on_taken
        self._on_lost = on_lost
        self._pieces: deque[bytes] = deque()
        self._is_given = False
        self._is_finished = False
        self._is_cut = False
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self.on_cut: Callable[[], None] | None = None
        self.is_asked_for = False
        self.has_ended = False

    # ---- the link's side

    async def write(self, frames: Sequence[bytes]) -> None:
        """Write frames; returns once all that is written was taken."""
        self._put(b"".join(b"data: %s\n\n" % frame for frame in frames))
        await self._taken()

    async def finish(self, code: CloseCode, text: str) -> None:
        """Write the last event, which says why, and return once that was taken."""
        said = msgspec.json.encode(Ending(code, text))
        self._put(b"event: close\ndata: %s\n\n" % said)
        self._is_finished = True
        await self._taken()

    def cut(self) -> None:
        """Write nothing more, not even what was given."""
        self._is_cut = True
        wake(self._reader)
        wake(self._writer)
        if self.on_cut is not None and not self.has_ended:
            self.on_cut()

    def _put(self, text: bytes) -> None:
        for start in range(0, len(text), _PIECE_BYTES):
            self._pieces.append(text[start : start + _PIECE_BYTES])
        wake(self._reader)

    async def _taken(self) -> None:
        while not self._is_cut and not self._is_all_taken:
            self._writer = self._loop.create_future()
            await self._writer

    @property
    def _is_all_taken(self) -> bool:
        if self._is_finished:
            return self.has_ended
        return not (self._pieces or self._is_given)

    # ---- transports.http_messages.ResponseStream

    def __aiter__(self) -> "EventStream":
        """See ``ResponseStream``."""
        return self

    async def __anext__(self) -> bytes:
        """See ``ResponseStream``; raises ``ConnectionError`` once it is cut."""
        if self._is_given:
            self._is_given = False
            self._on_taken()
        while self._is_cut or not self._pieces:
            if self._is_cut:
                raise ConnectionAbortedError
            self.has_ended = self._is_finished
            wake(self._writer)
            if self._is_finished:
                raise StopAsyncIteration
            if not await self._wait():
                return _COMMENT
        self._is_given = True
        return self._pieces.popleft()

    async def _wait(self) -> bool:
        """Whether something came to be written in time."""
        self._reader = self._loop.create_future()
        timer = self._loop.call_later(self._keepalive_s, wake, self._reader)
        try:
            await self._reader
        finally:
            timer.cancel()
            self._reader = None
        return bool(self._pieces or self._is_finished or self._is_cut)

    async def aclose(self) -> None:
        """See ``ResponseStream``."""
        if not self.has_ended:
            self._on_lost()
