"""One message a frame outwards, as most servers write: what batches save.

The session driver has its codec encode all that waits, and hands its link what comes
out. Here the codec encodes each event by itself and packs the frames behind their
lengths, and the link takes them apart again: what is written is frames of one event.
They still go to the transport in one call, so that what differs is the framing alone.
"""

from collections.abc import Sequence
from typing import Final

from chatcore.events import Event
from transports.base import Link
from transports.codec import Codec
from transports.wrapped_link import WrappedLink

_LENGTH_BYTES: Final = 4


class SingleCodec:
    """See ``transports.codec.Codec``; its events' frames are for ``SingleLink``."""

    def __init__(self, codec: Codec) -> None:
        self._encode = codec.encode_events
        self.name = codec.name
        self.text = codec.text
        # As they are, so that reading costs what it always does.
        self.decode_commands = codec.decode_commands
        self.read_commands = codec.read_commands
        self.encode_commands = codec.encode_commands
        self.decode_events = codec.decode_events

    def encode_events(self, events: Sequence[Event]) -> bytes:
        """A frame for each event, packed."""
        parts: list[bytes] = []
        for event in events:
            frame = self._encode((event,))
            parts.append(len(frame).to_bytes(_LENGTH_BYTES))
            parts.append(frame)
        return b"".join(parts)


class SingleLink(WrappedLink):
    """See ``transports.base.Link``; sends each packed frame as a frame."""

    def write(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.Link``."""
        super().write([it for packed in frames for it in _unpack(packed)])


def single(link: Link, codec: Codec) -> tuple[Link, Codec]:
    """See ``changed.Change``."""
    return SingleLink(link), SingleCodec(codec)


def _unpack(packed: bytes) -> list[bytes]:
    frames: list[bytes] = []
    start = 0
    while start < len(packed):
        body = start + _LENGTH_BYTES
        end = body + int.from_bytes(packed[start:body])
        frames.append(packed[body:end])
        start = end
    return frames
