"""The parts of HTTP/2 that one gRPC stream needs (RFC 9113, and HPACK: RFC 7541).

Pure: bytes in, frames out, and the other way; ``grpc_stream`` has the socket.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES: Final = 9
DEFAULT_WINDOW: Final = 65_535
DEFAULT_MAX_FRAME: Final = 16_384

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8


class FrameType(IntEnum):
    """Types of frames."""

    DATA = 0x0
    HEADERS = 0x1
    RST_STREAM = 0x3
    SETTINGS = 0x4
    PING = 0x6
    GOAWAY = 0x7
    WINDOW_UPDATE = 0x8


class Setting(IntEnum):
    """Settings that are looked at or sent."""

    ENABLE_PUSH = 0x2
    INITIAL_WINDOW_SIZE = 0x4
    MAX_FRAME_SIZE = 0x5


class Frame(NamedTuple):
    """A frame as it was read; its kind may be none of ``FrameType``."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def written(kind: FrameType, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame's bytes."""
    head = len(payload) << 48 | kind << 40 | flags << 32 | stream
    return head.to_bytes(HEAD_BYTES) + payload


def window_update(stream: int, credit: int) -> bytes:
    """More room for the peer's data: of a stream, or for 0 of the connection."""
    return written(FrameType.WINDOW_UPDATE, 0, stream, credit.to_bytes(4))


def settings(values: Mapping[Setting, int]) -> bytes:
    """A SETTINGS frame."""
    payload = b"".join(
        key.to_bytes(2) + value.to_bytes(4) for key, value in values.items()
    )
    return written(FrameType.SETTINGS, 0, 0, payload)


def read_settings(payload: bytes) -> dict[int, int]:
    """What a SETTINGS frame says."""
    return {
        int.from_bytes(payload[at : at + 2]): int.from_bytes(payload[at + 2 : at + 6])
        for at in range(0, len(payload) - 5, 6)
    }


def header_block(headers: Sequence[tuple[str, str]]) -> bytes:
    """Headers as literals that are not indexed, without Huffman's code."""
    return b"".join(b"\x00" + _string(name) + _string(value) for name, value in headers)


def _string(text: str) -> bytes:
    octets = text.encode()
    size, prefix = len(octets), 0x7F  # RFC 7541, 5.1: 7 bits, then 7 a byte
    if size < prefix:
        return bytes((size,)) + octets
    length, rest = bytearray((prefix,)), size - prefix
    while rest >= 0x80:  # noqa: PLR2004  # what 7 bits do not hold
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    length.append(rest)
    return bytes(length) + octets


class FrameReader:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, received: bytes) -> list[Frame]:
        """The frames that these bytes complete; keeps the rest."""
        stream = self._rest + received if self._rest else received
        frames: list[Frame] = []
        start, end = 0, len(stream)
        while end - start >= HEAD_BYTES:
            body = start + HEAD_BYTES
            size = int.from_bytes(stream[start : start + 3])
            if end - body < size:
                break
            number = int.from_bytes(stream[start + 5 : body]) & 0x7FFF_FFFF
            payload = stream[body : body + size]
            frames.append(Frame(stream[start + 3], stream[start + 4], number, payload))
            start = body + size
        self._rest = stream[start:]
        return frames


class Outgoing:
    """Data of one stream, as far as the peer's windows let it go; the rest waits."""

    def __init__(self, stream: int) -> None:
        self._stream = stream
        self._connection_window = DEFAULT_WINDOW
        self._stream_window = DEFAULT_WINDOW
        self._initial_window = DEFAULT_WINDOW
        self._max_frame = DEFAULT_MAX_FRAME
        self._waiting = b""

    @property
    def waiting_bytes(self) -> int:
        """How much has no room."""
        return len(self._waiting)

    def obey(self, said: Mapping[int, int]) -> None:
        """Take the peer's settings; a window may become negative (RFC 9113, 6.9.2)."""
        initial = said.get(Setting.INITIAL_WINDOW_SIZE, self._initial_window)
        self._stream_window += initial - self._initial_window
        self._initial_window = initial
        self._max_frame = said.get(Setting.MAX_FRAME_SIZE, self._max_frame)

    def widen(self, stream: int, credit: int) -> None:
        """Take a WINDOW_UPDATE."""
        if stream:
            self._stream_window += credit
        else:
            self._connection_window += credit

    def put(self, data: bytes) -> bytes:
        """DATA frames to write now: of what waits and ``data``, what has room."""
        if self._waiting:
            data = self._waiting + data
        room = min(self._connection_window, self._stream_window)
        if len(data) <= room and len(data) <= self._max_frame:
            self._waiting = b""
            self._spend(len(data))
            return written(FrameType.DATA, 0, self._stream, data) if data else b""
        room = max(min(room, len(data)), 0)
        self._waiting = data[room:]
        self._spend(room)
        return b"".join(
            written(
                FrameType.DATA,
                0,
                self._stream,
                data[at : min(at + self._max_frame, room)],
            )
            for at in range(0, room, self._max_frame)
        )

    def _spend(self, number: int) -> None:
        self._connection_window -= number
        self._stream_window -= number
