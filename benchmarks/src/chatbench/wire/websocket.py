"""Frames as WebSocket messages: the client's half of RFC 6455, as far as it goes here.

Messages out are masked with a key of their own, as the RFC asks. Messages in are whole:
our server never fragments, so a fragment, like a mask or an extension, is a fault.
"""

import base64
import hashlib
import os
from collections.abc import Sequence
from typing import Final

from chatbench.wire.connection import OnEnd, OnFrames, WireConnection
from transports.base import Address
from transports.codec import codec
from transports.subprotocols import PATH, subprotocol_of

try:
    from websockets.speedups import apply_mask
except ImportError:  # a build of websockets without its extension
    from websockets.utils import apply_mask

_ACCEPT_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_SWITCHING: Final = b"101"
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x81, 0x82, 0x88, 0x89, 0x8A  # FIN is set
_MASKED: Final = 0x80
_SHORT, _MEDIUM, _LONG = 125, 126, 127
_MEDIUM_END: Final = 1 << 16
_CODE_BYTES: Final = 2
_HEAD_BYTES: Final = 2


class WebSocketWire(WireConnection):
    """See ``connection.Wire``."""

    def __init__(
        self, address: Address, codec_name: str, on_frames: OnFrames, on_end: OnEnd
    ) -> None:
        super().__init__(on_frames, on_end)
        self._address = address
        self._subprotocol = subprotocol_of(codec_name)
        self._first_byte = _TEXT if codec(codec_name).text else _BINARY
        self._nonce = base64.b64encode(os.urandom(16))
        self._rest = b""

    # ---- the upgrade

    def greeting(self) -> bytes:
        """See ``WireConnection``."""
        address = self._address
        path = address.path if address.path.strip("/") else PATH
        return (
            f"GET {path} HTTP/1.1\r\n"
            f"Host: {address.host}:{address.port}\r\n"
            "Upgrade: websocket\r\n"
            "Connection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {self._nonce.decode()}\r\n"
            "Sec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: {self._subprotocol}\r\n"
            "\r\n"
        ).encode()

    def _after_upgrade(self, received: bytes) -> bytes:
        """What follows the server's answer, once that is there and well."""
        head, end, rest = received.partition(b"\r\n\r\n")
        if not end:
            self._rest = head
            return b""
        status, *lines = head.split(b"\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(b":") for line in lines)
        }
        digest = hashlib.sha1(self._nonce + _ACCEPT_GUID)  # noqa: S324  # RFC 6455, 1.3, names it
        if status.split()[1:2] != [_SWITCHING]:
            self.end(f"The server did not upgrade: {status.decode('latin-1')}.")
        elif headers.get(b"sec-websocket-accept") != base64.b64encode(digest.digest()):
            self.end("The server's answer to the upgrade is none to this request.")
        elif headers.get(b"sec-websocket-protocol") != self._subprotocol.encode():
            self.end(f"The server does not speak {self._subprotocol}.")
        elif b"sec-websocket-extensions" in headers:
            self.end("The server chose an extension that was not offered.")
        else:
            self.welcome()
            return rest
        return b""

    # ---- messages in

    def data_received(self, received: bytes) -> None:
        """See ``asyncio.Protocol``."""
        if self._rest:
            received, self._rest = self._rest + received, b""
        if not self.opened.done():
            received = self._after_upgrade(received)
        messages, controls, read = _cut(received)
        if read < len(received):
            self._rest = received[read:]
        if messages:
            self.on_frames(messages)
        for first, payload in controls:
            self._take_control(first, payload)

    def _take_control(self, first: int, payload: bytes) -> None:
        """Answer a ping; end with anything but that and a pong."""
        if first == _PING:
            self.transport.write(_message(_PONG, payload))
        elif first == _CLOSE:
            code = int.from_bytes(payload[:_CODE_BYTES])
            reason = payload[_CODE_BYTES:].decode("utf-8", "replace")
            self.end(f"The server closed the link: {code} {reason}".strip())
        elif first != _PONG:
            self.end(f"The server wrote a frame of a kind not expected ({first:#x}).")

    # ---- messages out

    def write(self, frames: Sequence[bytes]) -> None:
        """See ``connection.Wire``."""
        first = self._first_byte
        self.transport.write(b"".join([_message(first, frame) for frame in frames]))


def _cut(stream: bytes) -> tuple[list[bytes], list[tuple[int, bytes]], int]:
    """The messages in ``stream``, other frames, and how many bytes those take.

    A frame that is masked comes with the others, as of no kind.
    """
    messages: list[bytes] = []
    controls: list[tuple[int, bytes]] = []
    start, end = 0, len(stream)
    while end - start >= _HEAD_BYTES:
        first, size = stream[start], stream[start + 1]
        body = start + _HEAD_BYTES
        if size >= _MASKED:
            controls.append((0, b""))
            return messages, controls, end
        if size > _SHORT:
            body += 2 if size == _MEDIUM else 8
            size = int.from_bytes(stream[start + _HEAD_BYTES : body])
            # Of a length that is not whole yet, too: then the frame is not either.
        if body + size > end:
            break
        start = body + size
        if first in {_BINARY, _TEXT}:
            messages.append(stream[body:start])
        else:
            controls.append((first, stream[body:start]))
    return messages, controls, start


def _message(first: int, payload: bytes) -> bytes:
    """A masked message, whole."""
    size = len(payload)
    key = os.urandom(4)
    if size <= _SHORT:
        head = bytes((first, _MASKED | size))
    elif size < _MEDIUM_END:
        head = bytes((first, _MASKED | _MEDIUM)) + size.to_bytes(2)
    else:
        head = bytes((first, _MASKED | _LONG)) + size.to_bytes(8)
    return b"%b%b%b" % (head, key, apply_mask(payload, key))
