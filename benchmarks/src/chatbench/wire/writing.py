"""A session's sends as frames: all in one, or one message a frame."""

from collections.abc import Sequence
from typing import Final

from chatbench.cells import Framing
from chatbench.wire.codecs import LeanCodec
from chatbench.wire.keys import KeySeries
from chatcore.limits import MIB

_MOST_SENDS: Final = 1024
"""In a frame: what a session lets wait before it is read no further (W8)."""


class SendWriter:
    """Numbers the sends of one session, gives them keys, and writes their frames.

    Attributes:
        frame_bytes: the largest frame that the server reads.
    """

    def __init__(self, codec: LeanCodec, framing: Framing) -> None:
        self._codec = codec
        self._most_sends = 1 if framing == "single" else _MOST_SENDS
        self._keys = KeySeries()
        self._next_id = 1
        self.frame_bytes = MIB

    def frames(self, recipient: str, bodies: Sequence[str]) -> list[bytes]:
        """The frames of these messages; only what is too large is split (W6)."""
        most = self._most_sends
        if len(bodies) > most:
            return [
                frame
                for start in range(0, len(bodies), most)
                for frame in self.frames(recipient, bodies[start : start + most])
            ]
        keys = self._keys.take(len(bodies))
        frame = self._codec.sends(self._next_id, recipient, bodies, keys)
        if len(frame) > self.frame_bytes and len(bodies) > 1:
            half = len(bodies) // 2
            first = self.frames(recipient, bodies[:half])
            return first + self.frames(recipient, bodies[half:])
        self._next_id += len(bodies)
        return [frame]
