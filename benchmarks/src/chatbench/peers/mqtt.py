"""A session of MQTT 3.1.1 (OASIS, 2014), QoS 1, persistent.

A session subscribes to ``chat/NAME``, and a message to NAME is published there. The
broker's ``PUBACK`` is the receipt; a delivery is acknowledged by ours, one for each, as
the protocol has it, in one write. A frame is a control packet.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from chatbench.peers.link import PeerLink
from chatbench.wire.base import OnArrival, OnFault

_CONNACK: Final = 0x20
_PUBLISH: Final = 0x30
_PUBACK: Final = 0x40
_SUBACK: Final = 0x90
_QOS_1: Final = 0x02
_QOS_MASK: Final = 0x06
_SUBSCRIPTION: Final = 1
_REFUSED: Final = 0x80
_LAST_PACKET_ID: Final = 0xFFFF
_CONTINUED: Final = 0x80
_LENGTH_BYTES: Final = 4


def connect(client: str) -> bytes:
    """Open a session that outlives its connection, without keep-alive."""
    return _packet(0x10, _text("MQTT") + b"\x04\x00\x00\x00" + _text(client))


def subscribe(topic: str) -> bytes:
    """Ask for what is published there, at QoS 1."""
    return _packet(0x82, _two(_SUBSCRIPTION) + _text(topic) + b"\x01")


def publish(topic: bytes, packet_id: int, body: str) -> bytes:
    """Send one message at QoS 1; ``topic`` is encoded already."""
    return _packet(_PUBLISH | _QOS_1, topic + _two(packet_id) + body.encode())


def puback(packet_id: int) -> bytes:
    """Acknowledge one message."""
    return b"\x40\x02" + _two(packet_id)


def encoded_topic(username: str) -> bytes:
    """Where a user's messages go, with its length before it."""
    return _text(_topic(username))


class Packets:
    """Control packets out of a stream of bytes, however it was cut."""

    def __init__(self) -> None:
        self._uncut = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The first byte and the rest of each that is complete now.

        Raises:
            ValueError: it has a length that is none.
        """
        data = self._uncut + data
        self._uncut = b""
        at = 0
        while at < len(data):
            end, body_at = _ends(data, at)
            if end > len(data):
                break
            yield data[at], data[body_at:end]
            at = end
        self._uncut = data[at:]


class MqttSession(PeerLink):
    """See ``chatbench.wire.base.Session``."""

    def __init__(self, username: str, on_arrival: OnArrival, on_fault: OnFault) -> None:
        super().__init__(username, on_arrival, on_fault)
        self._packets = Packets()
        self._packet_id = 0
        self._topics: dict[str, bytes] = {}
        self._unacknowledged: deque[int] = deque()
        self._acknowledged = 0

    def send(self, recipient: str, bodies: Sequence[str]) -> None:
        """See ``chatbench.wire.base.Session``."""
        topic = self._topics.get(recipient)
        if topic is None:
            topic = self._topics[recipient] = encoded_topic(recipient)
        self._write(*[publish(topic, self._next_packet_id(), body) for body in bodies])

    def acknowledge(self, position: int) -> None:
        """See ``chatbench.wire.base.Session``."""
        more = position - self._acknowledged
        self._acknowledged = position
        self._write(*[puback(self._unacknowledged.popleft()) for _ in range(more)])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Log in."""
        super().connection_made(transport)
        self._write(connect(self._username))

    def data_received(self, data: bytes) -> None:
        """Cut it into packets, and tell what they bring."""
        receipts = 0
        bodies: list[str] = []
        try:
            for kind, body in self._packets.feed(data):
                self.frames_in += 1
                if kind == _PUBACK:
                    receipts += 1
                elif kind & 0xF0 == _PUBLISH and kind & _QOS_MASK == _QOS_1:
                    bodies.append(self._delivered(body))
                else:
                    self._answer(kind, body)
        except ValueError as error:
            self.fail(f"The broker sends what is not understood: {error}.")
            return
        self.tell(receipts, bodies)

    def _delivered(self, packet: bytes) -> str:
        after_topic = 2 + int.from_bytes(packet[:2])
        packet_id = int.from_bytes(packet[after_topic : after_topic + 2])
        self._unacknowledged.append(packet_id)
        return packet[after_topic + 2 :].decode()

    def _answer(self, kind: int, body: bytes) -> None:
        """Go on with the opening of the session."""
        match kind, body[-1:]:
            case 0x20, b"\x00":  # CONNACK: accepted
                self._write(subscribe(_topic(self._username)))
            case 0x90, b"\x01":  # SUBACK: QoS 1 granted
                self.is_open()
            case _:
                self.fail(f"The broker answered with packet {kind:#x}, {body!r}.")

    def _next_packet_id(self) -> int:
        self._packet_id = self._packet_id % _LAST_PACKET_ID + 1
        return self._packet_id

    def _write(self, *packets: bytes) -> None:
        self.write(b"".join(packets), frames=len(packets))


def _topic(username: str) -> str:
    return f"chat/{username}"


def _packet(first: int, body: bytes) -> bytes:
    length = bytearray()
    rest = len(body)
    while True:
        rest, digit = divmod(rest, _CONTINUED)
        length.append(digit | (_CONTINUED if rest else 0))
        if not rest:
            return bytes((first, *length)) + body


def _ends(data: bytes, at: int) -> tuple[int, int]:
    """Where the packet that begins there ends, and where its length has ended.

    The end lies beyond the data where the length is not complete.
    """
    length = 0
    for place in range(_LENGTH_BYTES):
        digit_at = at + 1 + place
        if digit_at >= len(data):
            return len(data) + 1, digit_at
        digit = data[digit_at]
        length |= (digit & ~_CONTINUED) << (7 * place)
        if not digit & _CONTINUED:
            return digit_at + 1 + length, digit_at + 1
    raise ValueError("a length of more than four bytes")


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _two(len(encoded)) + encoded


def _two(number: int) -> bytes:
    return number.to_bytes(2)
