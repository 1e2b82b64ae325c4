"""The session at a server without a chat: what it sends comes back to itself.

It writes the same frames of sends as at a chat, in protobuf, and finds the bodies in
what comes back: the transport has the same bytes to move each way, and nobody reads
them in between.
"""

from collections.abc import Sequence
from typing import Final

from chatbench.cells import Framing
from chatbench.wire.base import Arrival, OnArrival, OnFault
from chatbench.wire.codecs import lean_codec
from chatbench.wire.connection import Wire
from chatbench.wire.protobuf import read_bodies
from chatbench.wire.writing import SendWriter

ECHO_CODEC: Final = "protobuf"
"""What an echo's handshake names, where it has to name one."""


class EchoSession:
    """See ``base.Session``; nobody logs in, and nothing is acknowledged.

    Attributes:
        waiting: always 0, as nothing is queued.
    """

    _wire: Wire

    def __init__(
        self, framing: Framing, on_arrival: OnArrival, on_fault: OnFault
    ) -> None:
        self._sends = SendWriter(lean_codec(ECHO_CODEC), framing)
        self._on_arrival = on_arrival
        self._on_fault = on_fault
        self._position = 0
        self._is_over = False
        self.frames_out = 0
        self.frames_in = 0
        self.waiting = 0

    def begin(self, wire: Wire) -> None:
        """Use this wire, whose frames and end are told to this session."""
        self._wire = wire

    # ---- the wire's callbacks

    def take(self, frames: Sequence[bytes]) -> None:
        """Count what came back."""
        self.frames_in += len(frames)
        try:
            bodies = read_bodies(frames)
        except ValueError as error:
            self.fail(f"What came back cannot be read: {error}.")
            return
        self._position += len(bodies)
        if bodies:
            self._on_arrival(Arrival(0, bodies, self._position))

    def fail(self, sentence: str) -> None:
        """Tell why the load has failed."""
        if not self._is_over:
            self._is_over = True
            self._on_fault(sentence)

    # ---- base.Session

    def send(self, recipient: str, bodies: Sequence[str]) -> None:
        """See ``base.Session``; the recipient is only a part of the frame."""
        frames = self._sends.frames(recipient, bodies)
        self.frames_out += len(frames)
        self._wire.write(frames)

    def acknowledge(self, position: int) -> None:
        """See ``base.Session``: an echo keeps nothing, so nothing is written."""

    def close(self) -> None:
        """See ``base.Session``."""
        self._is_over = True
        self._wire.abort()
