"""Frames in a stream of bytes (W2, W6): a pure decoder for each way.

However the network splits or joins the bytes, the same frames come out. A frame over
the limit is refused by its announced length, or as soon as the limit is passed without
an end: never more than a frame is kept.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from chatcore.errors import ChatError
from transports.errors import frame_too_large

LENGTH_BYTES: Final = 4
_NEWLINE: Final = 0x0A
_PIECE_BYTES: Final = 16 * 1024


class FrameTooLarge(ChatError):
    """The stream announces, or already holds, a frame over the limit.

    ``before`` are the whole frames that the same bytes held before it.
    """

    def __init__(self, limit: int, before: Sequence[bytes] = ()) -> None:
        self.limit = limit
        self.before = before
        super().__init__(frame_too_large(limit).text)


class Framing(Protocol):
    """Cuts a stream into frames, and joins frames to a stream.

    Attributes:
        held_bytes: how much of a frame that is not complete it keeps.
    """

    held_bytes: int

    def feed(self, received: bytes) -> Sequence[bytes]:
        """The frames that these bytes complete; keeps the rest.

        Raises:
            FrameTooLarge: the next frame is over the limit; feed no more.
        """
        ...

    def join(self, frames: Sequence[bytes]) -> bytes:
        """The bytes that carry these frames."""
        ...

    def allow(self, limit: int) -> None:
        """Take frames of up to this size from now on."""
        ...


class _Cutting:
    """What both ways of framing keep: a limit, and the frame that is not complete.

    It is kept in pieces. One buffer that grows is moved again and again, and leaves
    holes behind: 500 of them took up twice what was in them. A piece for each read
    would not do either, since a peer may send single bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytearray] = []
        self.held_bytes = 0

    def allow(self, limit: int) -> None:
        """See ``Framing``."""
        self._limit = limit

    def _keep(self, received: bytes) -> None:
        self.held_bytes += len(received)
        if self._pieces and len(self._pieces[-1]) + len(received) <= _PIECE_BYTES:
            self._pieces[-1] += received
        elif received:
            self._pieces.append(bytearray(received))

    def _take(self) -> bytes:
        kept = b"".join(self._pieces)
        self._pieces = []
        self.held_bytes = 0
        return kept


class LengthFraming(_Cutting):
    """Frames behind their length in 4 bytes, big-endian."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        # So many bytes must be there before a look at them can help: without it, a
        # peer that sends a byte at a time has its whole frame copied for each.
        self._wanted = LENGTH_BYTES

    def feed(self, received: bytes) -> Sequence[bytes]:
        """See ``Framing``."""
        stream = received
        if self.held_bytes:
            self._keep(received)
            if self.held_bytes < self._wanted:
                return ()
            stream = self._take()
        frames: list[bytes] = []
        start, end = 0, len(stream)
        self._wanted = LENGTH_BYTES
        while end - start >= LENGTH_BYTES:
            body = start + LENGTH_BYTES
            size = int.from_bytes(stream[start:body])
            if size > self._limit:
                raise FrameTooLarge(self._limit, frames)
            if end - body < size:
                self._wanted += size
                break
            frames.append(stream[body : body + size])
            start = body + size
        if start < end:
            self._keep(stream[start:])
        return frames

    def join(self, frames: Sequence[bytes]) -> bytes:
        """See ``Framing``."""
        parts: list[bytes] = []
        for frame in frames:
            parts.append(len(frame).to_bytes(LENGTH_BYTES))
            parts.append(frame)
        return b"".join(parts)


class LineFraming(_Cutting):
    r"""Frames as lines, ended by ``\n`` or ``\r\n``; empty lines are passed over."""

    def feed(self, received: bytes) -> Sequence[bytes]:
        """See ``Framing``."""
        frames: list[bytes] = []
        if _NEWLINE not in received:
            self._keep(received)
        else:
            first, *lines = received.split(b"\n")
            lines.insert(0, self._take() + first)
            self._keep(lines.pop())
            for line in filter(None, lines):  # a stream may be nothing but newlines
                self._check(len(line), frames)
                frame = line.rstrip(b"\r")
                if frame:
                    frames.append(frame)
        self._check(self.held_bytes, frames)
        return frames

    def join(self, frames: Sequence[bytes]) -> bytes:
        """See ``Framing``."""
        return b"".join(b"%s\n" % frame for frame in frames)

    def _check(self, size: int, before: Sequence[bytes]) -> None:
        if size > self._limit:
            raise FrameTooLarge(self._limit, before)
