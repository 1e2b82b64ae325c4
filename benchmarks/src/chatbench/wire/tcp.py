"""Frames over a bare TCP socket (W2)."""

from collections.abc import Sequence

from chatbench.wire.connection import OnEnd, OnFrames, WireConnection
from chatcore.limits import MIB
from transports.codec import codec
from transports.errors import LinkClosed
from transports.framing import FrameTooLarge
from transports.tcp.handshake import MAX_LINE_BYTES, framing_for, greet, read_welcome

_LARGEST_FRAME = 16 * MIB


class TcpWire(WireConnection):
    """See ``connection.Wire``."""

    def __init__(self, codec_name: str, on_frames: OnFrames, on_end: OnEnd) -> None:
        super().__init__(on_frames, on_end)
        self._codec_name = codec_name
        self._framing = framing_for(codec(codec_name), _LARGEST_FRAME)
        self._line = b""

    def greeting(self) -> bytes:
        """See ``WireConnection``."""
        return greet(self._codec_name)

    def data_received(self, received: bytes) -> None:
        """See ``asyncio.Protocol``."""
        if not self.opened.done():
            received = self._after_line(received)
        try:
            frames = self._framing.feed(received)
        except FrameTooLarge as error:
            self.end(f"The server wrote what cannot be read: {error}")
            return
        if frames:
            self.on_frames(frames)

    def _after_line(self, received: bytes) -> bytes:
        """What follows the server's line, once that is there and well."""
        line, newline, rest = (self._line + received).partition(b"\n")
        if not newline and len(line) <= MAX_LINE_BYTES:
            self._line = line
            return b""
        try:
            read_welcome(line)
        except LinkClosed as refused:
            self.end(f"The server refused the link: {refused}")
            return b""
        self.welcome()
        return rest

    def write(self, frames: Sequence[bytes]) -> None:
        """See ``connection.Wire``."""
        self.transport.write(self._framing.join(frames))
