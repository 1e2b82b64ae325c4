"""HTTP/2 by hand, for peers that say what no library would (RFC 9113, RFC 7541)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

WITHIN_S = 10.0
PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
_HEAD_BYTES: Final = 9
_CHUNK: Final = 16 * 1024
_WINDOW: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What came of the server."""

    kind: int
    flags: int
    stream: int
    payload: bytes


class Http2Connection:
    """A connection with a server; one that ``answers`` does so to settings only."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        answers: bool,
    ) -> None:
        self._answers = answers
        self._reader = reader
        self._writer = writer
        self._room = {0: _WINDOW}
        self._first_room = _WINDOW
        self.sent_bytes = 0
        self.pongs = 0

    async def write(
        self, kind: int, flags: int = 0, stream: int = 0, payload: bytes = b""
    ) -> None:
        head = len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4)
        self._writer.write(head + payload)
        with suppress(ConnectionError):  # reading tells of the end
            await self._writer.drain()

    async def call(self, stream: int, path: str, *more: tuple[str, str]) -> None:
        """Begin a call."""
        fields = (
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "chat"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            *more,
        )
        self._room[stream] = self._first_room
        block = b"".join(_literal(name, value) for name, value in fields)
        await self.write(HEADERS, END_HEADERS, stream, block)

    async def send(self, stream: int, part: bytes) -> None:
        """Write a part of a message as far as the windows let us, then as they open."""
        while part:
            room = min(self._room[0], self._room[stream], _CHUNK)
            if room <= 0:
                await self.read()
                continue
            piece, part = part[:room], part[room:]
            self._room[0] -= len(piece)
            self._room[stream] -= len(piece)
            self.sent_bytes += len(piece)
            await self.write(DATA, 0, stream, piece)

    async def read(self) -> Frame | None:
        """The next frame; None at the end of the connection."""
        try:
            head = await self._reader.readexactly(_HEAD_BYTES)
            payload = await self._reader.readexactly(int.from_bytes(head[:3]))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        stream = int.from_bytes(head[5:])
        frame = Frame(kind=head[3], flags=head[4], stream=stream, payload=payload)
        await self._heed(frame)
        return frame

    async def read_until(self, kind: int, stream: int = 0) -> Frame:
        """Pass over frames until one of this kind; fails at the end."""
        while frame := await self.read():
            if (frame.kind, frame.stream) == (kind, stream):
                return frame
        raise EOFError

    async def read_to_the_end(self) -> None:
        """Pass over all frames until the server has closed the connection."""
        while await self.read() is not None:
            pass

    async def _heed(self, frame: Frame) -> None:
        self.pongs += frame.kind == PING and bool(frame.flags & ACK)
        if frame.kind == WINDOW:
            opened = int.from_bytes(frame.payload)
            self._room[frame.stream] = self._room.get(frame.stream, 0) + opened
        if frame.kind == SETTINGS and not frame.flags & ACK and self._answers:
            await self.write(SETTINGS, ACK)
            self._open(settings_of(frame).get(4, self._first_room))

    def _open(self, first_room: int) -> None:
        more, self._first_room = first_room - self._first_room, first_room
        for stream in self._room:
            if stream:
                self._room[stream] += more


def settings_of(frame: Frame) -> dict[int, int]:
    """The settings of a frame, by their numbers."""
    payload = frame.payload
    return {
        int.from_bytes(payload[at : at + 2]): int.from_bytes(payload[at + 2 : at + 6])
        for at in range(0, len(payload), 6)
    }


def message_of(body: bytes, *, is_compressed: bool = False) -> bytes:
    """A message of gRPC as it is written."""
    return bytes((is_compressed,)) + len(body).to_bytes(4) + body


@asynccontextmanager
async def connecting(
    port: int, *, says: bytes = PREFACE
) -> AsyncIterator[Http2Connection]:
    """A connection that has said this, and its settings behind a whole preface."""
    async with asyncio.timeout(WITHIN_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        connection = Http2Connection(reader, writer, answers=says == PREFACE)
        try:
            writer.write(says)
            if says == PREFACE:
                await connection.write(SETTINGS)
            yield connection
        finally:
            writer.transport.abort()


def _literal(name: str, value: str) -> bytes:
    """A field without indexing, both parts as they are (RFC 7541, 6.2.2)."""
    return b"\x00" + _string(name) + _string(value)


def _string(text: str) -> bytes:
    return _integer(len(text)) + text.encode()


def _integer(number: int) -> bytes:
    """With a prefix of 7 bits (RFC 7541, 5.1)."""
    if number < 0x7F:
        return bytes((number,))
    encoded, number = bytearray((0x7F,)), number - 0x7F
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
