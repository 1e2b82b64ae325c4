"""Whether a peer takes what a stream writes to it (S5, B1)."""

import asyncio
import sys
from typing import Final

_SIOCOUTQ: Final = 0x5411
"""Linux' request for what the system has of a socket and its peer has not confirmed
(tcp(7))."""
_INT_BYTES: Final = 4


def untaken_bytes(transport: asyncio.WriteTransport) -> int:
    """What was written and is not confirmed by the peer's system.

    Besides the transport's own buffer, where Linux tells it, that of the system: it
    may take some megabytes for a peer that reads nothing.
    """
    unsent_bytes = transport.get_write_buffer_size()
    socket = transport.get_extra_info("socket")
    if sys.platform != "linux" or socket is None or socket.fileno() < 0:
        return unsent_bytes
    import fcntl  # noqa: PLC0415  # Windows has none

    try:
        answer = fcntl.ioctl(socket.fileno(), _SIOCOUTQ, bytes(_INT_BYTES))
    except OSError:  # a socket of another kind
        return unsent_bytes
    return unsent_bytes + int.from_bytes(answer, sys.byteorder)


class SendProgress:
    """Notes progress of a stream's write buffer, at the moments when it is looked at.

    What fits into the buffers of a peer's system is taken by dead peers too: only while
    some of it waits does progress show that somebody is there.

    Attributes:
        taken_s: when something was taken last, or nothing waited, on the loop's clock.
        progress_s: when something that waited was taken last.
    """

    __slots__ = ("_loop", "_taken", "_waited", "_written", "progress_s", "taken_s")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._written = 0
        self._taken = 0
        self._waited = False
        self.taken_s = self.progress_s = loop.time()

    def wrote(self, written_bytes: int) -> None:
        """Take note that so much was given to the stream."""
        self._written += written_bytes

    def look(self, unsent_bytes: int) -> None:
        """Take note of how much of it waits now."""
        taken = self._written - unsent_bytes
        moved = taken > self._taken
        if moved and self._waited:
            self.progress_s = self._loop.time()
        if moved or not unsent_bytes or not self._waited:
            self.taken_s = self._loop.time()
        self._taken = taken
        self._waited = unsent_bytes > 0
