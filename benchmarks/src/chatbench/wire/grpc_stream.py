"""gRPC's stream ``Converse`` without gRPC's library, on one HTTP/2 connection.

The library's client costs about what the server costs, and would be the limit that is
measured. On the wire it is the same: one HTTP/2 stream, each frame of the chat a gRPC
message (5 bytes of head), flow control both ways, PINGs answered, nothing compressed.
"""

import re
from collections.abc import Sequence
from typing import Final

from chatbench.wire.connection import OnEnd, OnFrames, WireConnection
from chatbench.wire.http2 import (
    ACK,
    DEFAULT_WINDOW,
    END_HEADERS,
    END_STREAM,
    PADDED,
    PREFACE,
    Frame,
    FrameReader,
    FrameType,
    Outgoing,
    Setting,
    header_block,
    read_settings,
    settings,
    window_update,
    written,
)
from transports.base import Address
from transports.grpc.options import CONVERSE

_STREAM: Final = 1
_WINDOW: Final = 4 << 20
_PREFIX_BYTES: Final = 5
_STATUS: Final = re.compile(rb"grpc-status[\x01\x02](\d{1,2})")
"""In trailers as gRPC's server writes them: literal, and not in Huffman's code."""


class GrpcWire(WireConnection):
    """See ``connection.Wire``."""

    def __init__(self, address: Address, on_frames: OnFrames, on_end: OnEnd) -> None:
        super().__init__(on_frames, on_end)
        self._address = address
        self._reader = FrameReader()
        self._messages = MessageReader()
        self._outgoing = Outgoing(_STREAM)
        self._uncredited = 0
        self._replies: list[bytes] = []
        self._last_words = ""

    def greeting(self) -> bytes:
        """See ``WireConnection``: the call begins with the connection."""
        host = self._address.host
        host = f"[{host}]" if ":" in host else host
        headers = (
            (":method", "POST"),
            (":scheme", "http"),
            (":path", CONVERSE),
            (":authority", f"{host}:{self._address.port}"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("grpc-encoding", "identity"),
            ("grpc-accept-encoding", "identity"),
            ("user-agent", "chatbench"),
        )
        return b"".join(
            (
                PREFACE,
                settings(
                    {Setting.ENABLE_PUSH: 0, Setting.INITIAL_WINDOW_SIZE: _WINDOW}
                ),
                window_update(0, _WINDOW - DEFAULT_WINDOW),
                written(FrameType.HEADERS, END_HEADERS, _STREAM, header_block(headers)),
            )
        )

    # ---- in

    def data_received(self, received: bytes) -> None:
        """See ``asyncio.Protocol``."""
        messages: list[bytes] = []
        for frame in self._reader.feed(received):
            if frame.kind == FrameType.DATA:
                messages += self._take_data(frame)
            else:
                self._take_control(frame)
        if messages:
            self.on_frames(messages)
        if self._replies:
            # What was not written along with an answer to the messages.
            self.write(())
        if self._last_words:
            self.end(self._last_words)

    def _take_data(self, frame: Frame) -> Sequence[bytes]:
        payload = frame.payload
        self._uncredited += len(payload)
        if self._uncredited > _WINDOW // 2:
            for stream in (0, _STREAM):
                self._replies.append(window_update(stream, self._uncredited))
            self._uncredited = 0
        if frame.flags & PADDED:
            payload = payload[1 : len(payload) - payload[0]]
        if frame.flags & END_STREAM:
            self._last_words = "The server ended the stream without a status."
        try:
            return self._messages.feed(payload)
        except ValueError as error:
            self._last_words = f"The server wrote what cannot be read: {error}."
            return ()

    def _take_control(self, frame: Frame) -> None:
        kind, flags, stream, payload = frame
        if kind == FrameType.WINDOW_UPDATE:
            self._outgoing.widen(stream, int.from_bytes(payload) & 0x7FFF_FFFF)
            if self._outgoing.waiting_bytes:
                self._replies.append(self._outgoing.put(b""))
        elif kind == FrameType.PING and not flags & ACK:
            self._replies.append(written(FrameType.PING, ACK, 0, payload))
        elif kind == FrameType.SETTINGS and not flags & ACK:
            self._outgoing.obey(read_settings(payload))
            self._replies.append(written(FrameType.SETTINGS, ACK, 0, b""))
            self._replies.append(self._outgoing.put(b""))
            self.welcome()
        elif kind == FrameType.HEADERS and flags & END_STREAM:
            status = _STATUS.search(payload)
            named = f" with status {status[1].decode()}" if status else ""
            self._last_words = f"The server ended the stream{named}."
        elif kind == FrameType.RST_STREAM:
            code = int.from_bytes(payload)
            self._last_words = f"The server reset the stream (error {code})."
        elif kind == FrameType.GOAWAY:
            code = int.from_bytes(payload[4:8])
            self._last_words = f"The server gives up the connection (error {code})."

    # ---- out

    def write(self, frames: Sequence[bytes]) -> None:
        """See ``connection.Wire``; credits and answers to PINGs go along."""
        parts: list[bytes] = []
        for frame in frames:
            parts.append(len(frame).to_bytes(_PREFIX_BYTES))  # and 0: not compressed
            parts.append(frame)
        data = self._outgoing.put(b"".join(parts)) if parts else b""
        if self._replies:
            data = b"".join((*self._replies, data))
            self._replies.clear()
        if data:
            self.transport.write(data)


class MessageReader:
    """Cuts the data of a stream into gRPC's messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that this data completes; keeps the rest.

        Raises:
            ValueError: a message is compressed, which nobody offered to read.
        """
        if self._rest:
            data = self._rest + data
        messages: list[bytes] = []
        start, end = 0, len(data)
        while end - start >= _PREFIX_BYTES:
            body = start + _PREFIX_BYTES
            if data[start]:
                raise ValueError("a message is compressed")
            size = int.from_bytes(data[start + 1 : body])
            if end - body < size:
                break
            messages.append(data[body : body + size])
            start = body + size
        self._rest = data[start:]
        return messages
